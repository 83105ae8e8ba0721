"""Trees of files, seen alike: a folder, a zip archive, a place behind a URL."""
