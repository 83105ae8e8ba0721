"""Plain values as JSON, YAML and text have them: when two are the same, and how text spells them."""
