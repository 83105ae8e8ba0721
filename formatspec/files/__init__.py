"""Decodes bytes to documents and encodes them again: one module for each file format."""
