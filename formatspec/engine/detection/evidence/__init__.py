"""The files that can identify a format: which of them count, how they are grouped, and what they contain."""
