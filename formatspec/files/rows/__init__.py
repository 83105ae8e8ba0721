"""Rows of documents that many items share, found in their files without decoding these whole."""
