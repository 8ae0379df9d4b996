"""``nnintro schema``."""

from __future__ import annotations


def schema() -> None:
    """Print the JSON Schema of the YAML, for editors."""
    from nnintro.config.schema import schema_text

    print(schema_text())
