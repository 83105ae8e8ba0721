"""Splits: files within which ids and class numbers hold, and categories matched across them."""
