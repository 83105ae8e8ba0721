"""Locates the rows of shared documents in their files without decoding the files as a whole."""
