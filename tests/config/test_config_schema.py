"""``nnintro schema``: valid JSON Schema, as strict as the loader about keys, with descriptions."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from jsonschema import Draft202012Validator

from nnintro.config.experiment import as_values
from nnintro.config.load import load_config
from nnintro.config.parse.nodes import plain
from nnintro.config.parse.vocabulary import slots
from nnintro.config.schema import schema, schema_text
from tests.config.config_files import MINIMAL

CONFIGS = sorted((Path(__file__).parents[2] / "configs").rglob("*.yaml"))
VALIDATOR = Draft202012Validator(schema())

GOOD = [
    MINIMAL,
    {**MINIMAL, "descent": {"optimizer": "adam", "schedule": "cosine"}},
    {**MINIMAL, "descent": {"optimizer": {"kind": "adam", "betas": [0.9, 0.99]}}},
    {**MINIMAL, "model": {"kind": "mlp", "hidden": [2, 2], "activation": ["relu", "tanh"]}},
    {**MINIMAL, "model": {"kind": "mlp", "initialization": {"kind": "spread", "steepness": 3}}},
    {**MINIMAL, "model": {"kind": "steps"}},
    {**MINIMAL, "model": {"kind": "steps", "steps": [{"at": 0.35, "height": 0.8}]}},
    {**MINIMAL, "model": {"kind": "steps", "steps": [{"from": 0, "to": 1, "height": -2}]}},
    {**MINIMAL, "training": {"stop_when": {"train/loss": 0.1}, "early_stopping": {}}},
    {**MINIMAL, "dataset": {"kind": "classification", "generator": "blobs", "classes": 3}},
    {**MINIMAL, "dataset": {"kind": "regression", "weights": [1.0, 2.0]}},
]
BAD = [
    {},
    {**MINIMAL, "sead": 1},
    {**MINIMAL, "seed": -1},
    {**MINIMAL, "descent": {"learning_rat": 0.1}},
    {**MINIMAL, "descent": {"optimizer": "adm"}},
    {**MINIMAL, "descent": {"optimizer": {"kind": "adam", "momentum": 0.9}}},
    {**MINIMAL, "descent": {"optimizer": {"betas": [0.9, 0.99]}}},
    {**MINIMAL, "descent": {"schedule": {"kind": "cosine", "warmup": 1}}},
    {**MINIMAL, "model": {"kind": "mlp", "activation": ["rleu"]}},
    {**MINIMAL, "model": {"kind": "steps", "steps": [{"at": 0.35}]}},
    {**MINIMAL, "model": {"kind": "steps", "steps": [{"at": 0, "to": 1, "from": 0, "height": 1}]}},
    {**MINIMAL, "model": {"kind": "steps", "steps": [{"from": [0], "to": [1, 1], "height": 1}]}},
    {**MINIMAL, "dataset": {"kind": "function", "formula": "x", "validation": 0.2}},
    {**MINIMAL, "dataset": {"kind": "function", "formula": "x", "domain": [[1]]}},
]


def test_it_is_valid_json_schema():
    Draft202012Validator.check_schema(json.loads(schema_text()))
    assert json.loads(schema_text()) == schema()


@pytest.mark.parametrize("config", GOOD)
def test_good_configs(config):
    experiment = load_config(config).experiment
    VALIDATOR.validate(config)
    VALIDATOR.validate(as_values(experiment))


@pytest.mark.parametrize("config", BAD)
def test_bad_configs(config):
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(config)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_bundled_configs(path):
    loaded = load_config(path)
    VALIDATOR.validate(plain(loaded.source.root))
    VALIDATOR.validate(as_values(loaded.experiment))
    assert set(yaml.safe_load(path.read_text())) == set(loaded.source.root.content)


def test_there_are_bundled_configs():
    assert CONFIGS


def test_every_section_is_closed_and_described():
    found = schema()
    sections = [found, *found["$defs"].values()]
    assert len(sections) == len({s for _, slot in slots() for s in slot.sections}) == 39
    for section in sections:
        assert section["additionalProperties"] is False
        assert section["description"]
        for key, described in section["properties"].items():
            assert described.get("description"), f"{section['title']}.{key}"


def test_names_complete_in_an_editor():
    optimizer = schema()["$defs"]["Descent"]["properties"]["optimizer"]
    assert "adam" in optimizer["anyOf"][0]["enum"]
    assert optimizer["default"] == "sgd"
