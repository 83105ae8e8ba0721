"""The commands, each a few lines over the Python interface."""
