"""The output of a conversion, which appears whole or not at all: a folder on disk, or files behind a URL."""
