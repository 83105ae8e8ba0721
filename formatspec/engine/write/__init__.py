"""Records to rows and lines of documents."""
