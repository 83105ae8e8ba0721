"""Counts what a target could not hold: slots and records, with the reasons."""
