"""Compiled specs: roles, options, levels, and what a format requires and reads."""
