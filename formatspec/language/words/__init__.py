"""What a spec says in place of what it should say: its entries held to their types, its indentation, other names."""
