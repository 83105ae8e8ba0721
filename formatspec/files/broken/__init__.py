"""Explains what is wrong in a text that its parser refuses, so that the text can be repaired."""
