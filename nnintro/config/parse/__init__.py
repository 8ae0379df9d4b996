"""YAML text, Python values and overrides to a tree with places; and what is wrong with it."""
