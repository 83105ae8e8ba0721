"""Plain values of JSON, YAML and text: when two are equal, and how text spells them."""
