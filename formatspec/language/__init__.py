"""The language of specs: YAML with places, rules, leaves, and the expression language."""
