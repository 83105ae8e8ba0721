"""Reads: from the values of documents to slots, from slots to records, and from records to an item."""
