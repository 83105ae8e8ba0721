"""What stands in a spec in place of what should: lines that are indented wrongly, and words that others use."""
