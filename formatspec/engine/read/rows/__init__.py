"""Checks rows of tables against their conditions, reads them, and merges them to records."""
