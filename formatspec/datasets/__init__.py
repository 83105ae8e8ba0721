"""Datasets in hand: items by place and by key, the part that is wanted, and what other libraries take."""
