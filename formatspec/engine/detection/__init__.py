"""Detects which spec describes a tree, and says what speaks against the other specs."""
