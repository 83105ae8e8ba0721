"""The output of a conversion, whole or absent: a folder on disk, or files behind a URL."""
