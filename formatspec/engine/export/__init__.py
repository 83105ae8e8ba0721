"""Writes a dataset in another format, and counts what that format could not hold."""
