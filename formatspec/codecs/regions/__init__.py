"""Codecs of regions: as run lengths, as rings with holes, and as images."""
