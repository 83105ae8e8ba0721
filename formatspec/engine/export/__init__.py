"""A dataset written in another format, and what that format could not hold."""
