"""Whole conversions: one process, several, a cluster."""
