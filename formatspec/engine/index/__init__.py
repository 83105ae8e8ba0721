"""Which file and which row belongs to which item."""
