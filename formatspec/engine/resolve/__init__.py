"""Finds the meaning of a spec's rules, once, before any data is read."""
