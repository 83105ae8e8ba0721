"""One item, read: its image, its rows of shared files, its own documents and label images."""
