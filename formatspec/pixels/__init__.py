"""Image <-> regions: encodings, labels, palettes."""
