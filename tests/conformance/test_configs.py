"""Every bundled config is a lesson that runs."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

import nnintro
from nnintro.config.load import load_config
from nnintro.config.schema import schema_text

BUNDLED = 59
ROOT = Path(__file__).parents[2]
CONFIGS = sorted((ROOT / "configs").rglob("*.y*ml"))
COMMAND = re.compile(r"nnintro (?:train|construct) (\S+)(?: --error \S+)?")
every_config = pytest.mark.parametrize(
    "path", CONFIGS, ids=[str(path.relative_to(ROOT / "configs")) for path in CONFIGS]
)


class Yaml12(yaml.SafeLoader):
    """PyYAML, with the floating-point numbers of YAML 1.2: 1e-3 is one."""


Yaml12.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?$"), list("-+.0123456789")
)


def header(path):
    """The comment that a file opens with, without its marks."""
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.removeprefix("#").strip())
    return lines


def test_none_is_missing_and_none_is_new():
    assert len(CONFIGS) == BUNDLED


@every_config
def test_smoke(path, tmp_path):
    run = nnintro.train(path, runs_dir=tmp_path, smoke=True)
    summary = run.summary
    assert summary["status"] in ("completed", "stopped")
    assert 0 < summary["steps"] <= 20 or run.setup.total_updates == 0
    assert all(math.isfinite(value) for value in summary["metrics"].values())
    assert len(list(run.directory.glob("events.out.tfevents.*"))) == 1
    assert load_config(run.directory / "config.yaml").experiment.dataset.samples <= 256
    task = run.setup.task
    drawn = "confusion" if task.is_classification and task.inputs != 2 else "fit"
    drawn = "maps" if task.is_segmentation else drawn
    assert (run.directory / f"figures/{drawn}.png").exists()
    assert "incomplete" not in summary
    assert nnintro.load(run.directory).summary == summary


@every_config
def test_it_opens_with_its_command_and_its_result(path):
    opening = header(path)
    assert COMMAND.fullmatch(opening[2])
    assert COMMAND.fullmatch(opening[2])[1] == str(path.relative_to(ROOT))
    assert "RESULT" not in opening, "the measured result is still to be written"


@every_config
def test_its_schema_is_named_and_fits(path):
    first = header(path)[0]
    up = "../" * len(path.relative_to(ROOT).parts[:-1])
    assert first == f"yaml-language-server: $schema={up}nnintro.schema.json"
    values = yaml.load(path.read_text(encoding="utf-8"), Loader=Yaml12)
    jsonschema.validate(values, json.loads(schema_text()))


@every_config
def test_its_name_is_its_file(path):
    loaded = load_config(path)
    assert loaded.experiment.name == path.stem


def test_the_three_variants_differ_in_the_variant_alone():
    sections = {}
    for name in ("batch", "mini_batch", "stochastic"):
        values = yaml.load((ROOT / f"configs/descent/{name}.yaml").read_text(), Loader=Yaml12)
        sections[values["descent"].pop("variant")] = values
        values.pop("name")
        values["descent"].pop("batch_size", None)
    assert set(sections) == {"batch", "mini-batch", "stochastic"}
    assert sections["batch"] == sections["mini-batch"] == sections["stochastic"]
