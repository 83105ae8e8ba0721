"""Evaluates expressions over the records of the model."""
