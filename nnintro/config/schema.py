"""The YAML contract as JSON Schema, for editors' completion and checks."""

from __future__ import annotations

import json

from nnintro.config.experiment import Experiment


def schema_text() -> str:
    """JSON Schema (draft 2020-12) of a config."""
    schema = Experiment.model_json_schema()
    described = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "nnintro experiment",
    }
    return json.dumps(described, indent=2)
