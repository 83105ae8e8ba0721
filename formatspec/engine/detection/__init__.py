"""Telling a dataset's format: which spec describes a tree, and what speaks against the others."""
