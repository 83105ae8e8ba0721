"""formatspec: one YAML file describes how a vision dataset lies on disk."""
