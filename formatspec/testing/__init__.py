"""The laws that every spec is held to, and datasets generated to hold it to them."""
