"""Draws items as pictures: images with their annotations."""
