"""A spec, compiled."""
