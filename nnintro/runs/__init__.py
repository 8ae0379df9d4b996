"""The run's folder, one module for each file in it."""
