"""Pickles of plain data: their bytes to plain data and back, without Python's unpickler."""
