"""Tools for every part of the engine: faults, scratch files, generated functions."""
