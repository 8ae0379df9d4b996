"""Parse YAML text, Python values and overrides into a tree with positions, and report its errors."""
