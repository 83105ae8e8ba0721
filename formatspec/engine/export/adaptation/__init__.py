"""Fits items to a target: its options, names, subsets, categories and levels."""
