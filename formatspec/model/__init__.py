"""The model of datasets, which is the same for all formats."""
