"""The laws that every spec must keep, and generated datasets to test them."""
