"""Drafts a spec for an unknown folder: what its files show, and questions where they leave a choice."""
