"""Rows of tables: checked against their conditions, read, and merged to records."""
