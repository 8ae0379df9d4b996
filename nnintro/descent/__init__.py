"""Which samples make an update, in which direction, and how far."""
