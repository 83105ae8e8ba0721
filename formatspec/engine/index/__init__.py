"""Finds the files and the rows that belong to each item."""
