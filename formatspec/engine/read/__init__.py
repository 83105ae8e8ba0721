"""Values of documents to slots, to records, to an item."""
