"""Rows of a table become records: asked for their conditions, read, merged."""
