"""Expressions over the records of the model."""
