"""A dataset: opened, read item by item, checked, its faults reported, its format detected."""
