"""The entries of a spec held to their types."""
