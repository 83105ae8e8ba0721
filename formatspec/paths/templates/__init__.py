"""Text templates that work both ways: parsed, matched in time that grows with the text, rendered."""
