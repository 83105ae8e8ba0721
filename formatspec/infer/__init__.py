"""A draft of a spec for a folder of which nothing is known: what its files show, and questions where they do not tell."""
