"""Writers of documents: they turn records into rows and lines of files."""
