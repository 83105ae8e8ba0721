"""Reads label images to regions, and paints regions to label images."""
