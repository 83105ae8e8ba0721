"""Measures how well the files of a tree fit what a spec describes."""
