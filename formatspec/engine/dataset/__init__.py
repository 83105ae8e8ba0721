"""Opens a dataset, reads and checks its items, and reports its faults."""
