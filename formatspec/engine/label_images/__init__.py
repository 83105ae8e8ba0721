"""Label images read to regions, and painted from regions."""
