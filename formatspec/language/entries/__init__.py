"""Checks the types of a spec's entries."""
