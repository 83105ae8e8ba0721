"""Which subsets items are in, where a document says it of folders."""
