"""The files that tell of a format: which count, how many alike, and what is in them."""
