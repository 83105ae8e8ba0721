"""Single mutations of a dataset, with the spec's verdict: each must be found, or is legal in the format."""
