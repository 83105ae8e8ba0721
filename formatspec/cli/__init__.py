"""The commands: each is a few lines on top of the Python interface."""
