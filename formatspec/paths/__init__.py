"""Text templates that work both ways, and the trees of files that they describe."""
