"""A draft of a spec for an unknown folder: what its files show, and questions where they do not tell."""
