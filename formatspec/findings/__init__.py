"""Findings: what is wrong, as data, and its rendering as text."""
