"""The bytes of a role's file to its document, and back."""
