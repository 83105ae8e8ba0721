"""Runs whole conversions in one process, in several, or on a cluster."""
