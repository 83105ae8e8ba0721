"""Bytes to documents and back: one module per file format, each a pair of inverse functions."""
