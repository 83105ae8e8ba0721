"""The writers of documents: from records to rows and lines."""
