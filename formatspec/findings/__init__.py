"""What went wrong, as data; rendered in one place."""
