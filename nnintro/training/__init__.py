"""Train one network from a config."""
