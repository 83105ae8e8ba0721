"""Explains common mistakes in specs: wrong indentation, and words of other tools."""
