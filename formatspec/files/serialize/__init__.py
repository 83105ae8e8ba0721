"""Plain data written as the text of a file, in the layout that its style states."""
