"""Shared settings of the tests."""

from __future__ import annotations

from hypothesis import settings

# A deadline would make a busy machine fail tests; a fixed seed makes every run the same run.
settings.register_profile("nnintro", deadline=None, derandomize=True)
settings.load_profile("nnintro")
