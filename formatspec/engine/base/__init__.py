"""What every part of the engine may use: faults, scratch files, generated functions."""
