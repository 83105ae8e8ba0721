"""Single mutations of a dataset, of which the spec tells whether they must be found or are legal by the format."""
