"""What is true of every format."""
