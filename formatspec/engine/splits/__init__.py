"""Splits: files within which ids and class numbers are unique, and categories matched across them."""
