"""Pixels of label images to regions, and back."""
