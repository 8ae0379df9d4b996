"""What a value means: YAML 1.2's core schema, Python's own values, and the way back to text."""

from __future__ import annotations

import enum
import math
import types
from pathlib import Path

import numpy as np
import pytest
import yaml

from nnintro.config.datasets.function import grid_side
from nnintro.config.experiment import smoke
from nnintro.config.load import load_config
from nnintro.config.parse.nodes import plain, scalar
from nnintro.config.parse.python import from_python
from nnintro.config.write import as_yaml
from tests.config.config_files import MINIMAL, complaints


@pytest.mark.parametrize(
    ("text", "value"),
    [
        # The examples of the specification's section 10.3.2, and what YAML 1.1 made of the rest.
        *((text, None) for text in ("", "~", "null", "Null", "NULL")),
        *((text, True) for text in ("true", "True", "TRUE")),
        *((text, False) for text in ("false", "False", "FALSE")),
        *(("0", 0), ("-0", 0), ("+12", 12), ("-19", -19), ("010", 10), ("0o7", 7), ("0x3A", 58)),
        *(("0.", 0.0), (".5", 0.5), ("-0.0", 0.0), ("12e03", 12000.0), ("-2E+05", -200000.0)),
        *(("1e-3", 0.001), (".inf", math.inf), ("-.Inf", -math.inf), ("+.INF", math.inf)),
        *(("1e999", math.inf), ("9" * 309, math.inf), ("-" + "9" * 400, -math.inf)),
        *((text, text) for text in ("no", "on", "y", "nUll", "tRUE", "12:30:00", "1_000", "0b1")),
        *((text, text) for text in ("e3", ".", "+", "1e", "0x", "0xg", "inf", "nan", "2024-05-01")),
    ],
)
def test_scalars(text, value):
    found = scalar(text)
    assert found == value
    assert type(found) is type(value)


def test_not_a_number():
    assert all(math.isnan(scalar(text)) for text in (".nan", ".NaN", ".NAN"))


class Kind(enum.StrEnum):
    FUNCTION = "function"


def test_python_values():
    config = types.MappingProxyType(
        {
            "dataset": {"kind": Kind.FUNCTION, "formula": np.str_("x1"), "samples": np.int64(9)}
            | {"domain": np.array([[0, 1], [0, 2]])},
            "model": {"kind": "mlp", "hidden": (4, np.int32(5)), "dropout": np.float64(0.25)},
            "name": Path("run"),
            "descent": {"batch_size": np.array(3), "shuffle": np.bool_(False)},
        }
    )
    experiment = load_config(config).experiment
    assert experiment == load_config(plain(from_python(config).root)).experiment
    assert experiment.dataset.domain == [[0, 1], [0, 2]]
    assert experiment.model.hidden == [4, 5]
    assert type(experiment.model.dropout) is float
    assert type(experiment.dataset.kind) is str
    assert not experiment.descent.shuffle


def test_problems_of_dicts_have_no_place():
    config = {"descent": {"learning_rat": 0.1, 5: 1, None: 2}, **MINIMAL, "seed": object(), "name": np.zeros(10**6)}
    assert complaints(config) == [
        "descent.learning_rat: unknown key; did you mean 'learning_rate'?",
        "descent: a key must be a text, got int 5",
        "descent: a key must be a text, got a value of type NoneType",
        "seed: a config cannot hold a value of type object",
        "name: a config cannot hold a value of type ndarray",
    ]


AWKWARD = ["no", "1e-3", "010", "null", "a.b", "2024", "1_000", "true", "0x1", "e", "on"]


@pytest.mark.parametrize("name", AWKWARD)
def test_texts_stay_texts(name, tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text(as_yaml(load_config({**MINIMAL, "name": name}).experiment))
    assert load_config(path).experiment.name == name
    assert yaml.safe_load(path.read_text())["name"] == name


@pytest.mark.parametrize("rate", [1e-5, 1e-3, 1.5e-7, 5e-324, 0.1, 3, 123456.789, 1e6])
def test_numbers_stay_numbers(rate, tmp_path):
    """PyYAML, which others may read the file with, gets the same ones."""
    config = {**MINIMAL, "descent": {"learning_rate": rate}}
    (tmp_path / "a.yaml").write_text(as_yaml(load_config(config).experiment))
    text = (tmp_path / "a.yaml").read_text()
    assert "!!" not in text
    assert load_config(tmp_path / "a.yaml").experiment.descent.learning_rate == rate
    assert yaml.safe_load(text)["descent"]["learning_rate"] == rate


def test_a_smoke_run_is_a_valid_config():
    config = {
        "dataset": {"kind": "classification", "generator": "blobs", "classes": 50}
        | {"samples": 5000, "validation": 0.05},
        "model": {"kind": "mlp"},
        "descent": {"schedule": {"kind": "cosine", "warmup_steps": 100}, "batch_size": 4000},
    }
    short = smoke(load_config(config).experiment)
    assert load_config({**short.model_dump(exclude_none=True)}).experiment == short
    assert short.training.steps == 20
    assert short.descent.schedule.warmup_steps == 19
    assert short.dataset.samples == 1020


def test_grid_side():
    for inputs in range(1, 9):
        for side in (1, 2, 3, 7, 10):
            assert grid_side(side**inputs, inputs) == side
            assert grid_side((side + 1) ** inputs - 1, inputs) == side


def test_notes():
    def said(**model):
        return load_config({**MINIMAL, "model": {"kind": "mlp", **model}}).setup().notes()

    assert said() == []
    (note,) = said(hidden=[2, 2, 2], activation=["step", "step", "relu"])
    assert note.startswith("hidden layer 2 has the activation step")
    (note,) = said(output_activation="step")
    assert note.endswith("so nothing is trained")
    (note,) = said(initialization="zeros")
    assert "stay equal" in note
    assert said(initialization="zeros", hidden=[]) == []


@pytest.mark.parametrize(("inputs", "samples"), [(1, 1000), (2, 1024), (3, 1000), (10, 1024)])
def test_a_grid_has_samples_that_fill_it(inputs, samples):
    dataset = {"kind": "function", "formula": "1", "domain": [[0, 1]] * inputs}
    values = {"dataset": dataset, "model": {"kind": "mlp"}}
    assert load_config(values).experiment.dataset.samples == samples
