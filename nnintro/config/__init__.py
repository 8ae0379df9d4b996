"""The YAML: sections, their rules, and errors with their place."""
