"""Drafts rules of documents from their rows."""
