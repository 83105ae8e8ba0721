"""Datasets for programs: items by index and by key, selections, and conversions for other libraries."""
