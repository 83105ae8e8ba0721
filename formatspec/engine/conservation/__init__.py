"""The law of conservation: what was read equals what stands in the output plus what the report names."""
