"""What a target could not hold: slots and records, counted with their reasons."""
