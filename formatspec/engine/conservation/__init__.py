"""The law of conservation: what was read equals what the output holds plus what the report names."""
