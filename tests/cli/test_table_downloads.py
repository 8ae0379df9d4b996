"""Well-known tables, as they are downloaded, train, are measured and predict with few lines of YAML."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
import yaml

import nnintro
from nnintro.config.load import load_config
from nnintro.errors import NnintroError
from nnintro.training.setup import build_data
from tests.conformance.table_downloads import DOWNLOADS

MOST_LINES, MOST_ROUNDS = 10, 4


@pytest.mark.parametrize("name", DOWNLOADS)
def test_from_download_to_prediction(name, tmp_path, command):
    download = DOWNLOADS[name](tmp_path / "data")
    config = {
        "dataset": {"kind": "table", **download.section},
        "model": {"kind": "mlp", "hidden": list(download.hidden)},
    }
    assert len(download.section) + len(["dataset:", "kind:"]) <= MOST_LINES  # the rest has defaults
    config |= {"descent": {"optimizer": "adam", "learning_rate": 0.02}, "training": {"epochs": download.epochs}}
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(config, sort_keys=False, allow_unicode=True), encoding="utf-8")
    done = command("train", "c.yaml", "--quiet")
    assert done.code == 0, done.err
    run = nnintro.load("c")
    assert run.setup.task.inputs == download.inputs == len(run.features)
    assert run.setup.task.classes == download.classes
    counts = [run.setup.training_samples, json.loads(command("evaluate", "c", "--json").out)["samples"]]
    assert sum(counts) == download.samples
    better_than_the_mean(json.loads(command("evaluate", "c", "--json").out), run)
    done = command("evaluate", "c", "--dataset", str(download.measured), "--json")
    assert done.code == 0, done.err
    better_than_the_mean(json.loads(done.out), run)
    done = command("predict", "c", str(download.new))
    assert done.code == 0, done.err
    assert len(predictions(done.out)) == download.predicted
    if download.classes:
        assert set(predictions(done.out)) <= set(download.classes)
    assert command("train", "c.yaml", "--smoke", "--quiet").code == 0


def better_than_the_mean(found, run):
    """The mean of the targets has an r2 of 0, and the most frequent class its share."""
    if not run.setup.task.classes:
        assert found["metrics"]["r2"] > 0.3
        return
    rows = [sum(row) for row in found["confusion"]]
    assert found["metrics"]["accuracy"] > max(rows) / sum(rows)


def predictions(text):
    """Those of rows that have one, whatever mark sets cells apart."""
    mark = max(",;\t", key=text.splitlines()[0].count)
    rows = list(csv.DictReader(io.StringIO(text), delimiter=mark))
    return [row["prediction"] for row in rows if row["prediction"]]


LINE = r"(\w+): (\[[^\]]*\]|\{[^}]*\}|'[^']*'|\"[^\"]*\"|[\w.-]+)"
"""A line of YAML within an error."""


def proposed(message):
    """The keys that a message says to add."""
    if "missing: drop, mean or indicator" in message:
        return {"missing": "mean"}
    if "missing: drop leaves such rows out" in message:
        return {"missing": "drop"}
    advice = re.search(rf"(?:add|set|put|such as) {LINE}((?: and {LINE})*)", message)
    found = {advice[1]: advice[2], **{line[1]: line[2] for line in re.finditer(LINE, advice[3])}}
    return {key: yaml.safe_load(value) for key, value in found.items()}


@pytest.mark.parametrize("name", DOWNLOADS)
def test_errors_lead_from_path_and_target_to_a_run(name, tmp_path):
    """Whoever pastes what each error proposes has data that can be trained on, after a few of them."""
    download = DOWNLOADS[name](tmp_path / "data")
    section = {"kind": "table", "path": download.section["path"], "target": download.naive}
    for _ in range(MOST_ROUNDS + 1):
        try:
            config = load_config({"dataset": section, "model": {"kind": "mlp"}})
            splits = build_data(config.experiment)
            config.setup(splits.found)
            break
        except NnintroError as error:
            keys = proposed(str(error))
            changes = {**section, **keys}
            if "dates" in keys:
                changes["dates"] = {**section.get("dates", {}), **keys["dates"]}
            assert changes != section
            section = changes
    else:
        pytest.fail(f"more than {MOST_ROUNDS} errors: {section}")
    assert len(splits.train)
    if name == "mnist":
        (note,) = [note for note in splits.notes if "whole numbers" in note]
        assert proposed(note) == {"task": "classification"}
