"""A compiled spec at work: index, read, check, adapt, write."""
