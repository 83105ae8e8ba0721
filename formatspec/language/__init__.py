"""What a spec may say: YAML with places, and the closed expression language."""
