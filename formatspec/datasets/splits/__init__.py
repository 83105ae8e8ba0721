"""Splits datasets into subsets, and writes the result."""
