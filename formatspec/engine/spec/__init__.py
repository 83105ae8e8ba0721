"""A whole spec, compiled: its roles, their tables and codecs."""
