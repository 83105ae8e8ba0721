"""Reads one item: its image, its rows of shared files, its own documents and label images."""
