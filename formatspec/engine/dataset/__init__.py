"""A dataset: opened, its items read and checked, its faults reported."""
