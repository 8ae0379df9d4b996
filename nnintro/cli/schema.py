"""``nnintro schema``: print the JSON Schema of the YAML."""

from __future__ import annotations

from nnintro.cli import emit


def schema() -> None:
    """Print the JSON Schema of the YAML, for editors."""
    from nnintro.config.schema import schema_text

    emit(schema_text())
