"""Values become slots, slots records, records an item."""
