"""Converts between images and regions: encodings, labels, palettes."""
