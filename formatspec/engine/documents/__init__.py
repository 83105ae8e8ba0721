"""Decodes the bytes of a role's file to its document, and encodes documents again."""
