"""Datasets split into subsets: who goes where, and what is written of it."""
