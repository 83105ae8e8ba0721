"""Trees of files behind one interface: a folder, a zip archive, a place behind a URL."""
