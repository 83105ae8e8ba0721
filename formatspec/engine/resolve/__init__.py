"""The meaning of a spec's rules, resolved once before any data is read."""
