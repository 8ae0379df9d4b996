"""The run's folder: a module for each file of it."""
