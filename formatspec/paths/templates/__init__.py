"""Text templates: parsed, matched in time proportional to the text, and rendered."""
