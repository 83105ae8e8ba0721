"""XML elements that are objects, read by functions generated for elements of one structure."""
