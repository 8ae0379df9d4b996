"""Trained runs on new data."""
