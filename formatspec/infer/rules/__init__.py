"""Rules of documents, drafted from the rows that stand in them."""
