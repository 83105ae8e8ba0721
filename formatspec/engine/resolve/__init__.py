"""What a rule means, found out once when a spec is compiled, before any data is seen."""
