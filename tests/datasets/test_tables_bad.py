"""Whatever is wrong with a table: one error of the right kind, in one line, with its place."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import replace

import pytest
import torch

from nnintro.config.datasets.table import TableDataset
from nnintro.datasets.tables import Encoding, encoded_blocks
from nnintro.errors import ConfigError, DataError
from tests.datasets.bad_tables import BAD, BAD_TO_PREDICT, TRAINED
from tests.datasets.tables import built, section
from tests.support import PATIENCE

# The section's keys, the key at fault, and what is told.
BAD_SECTIONS = [
    ({"inputs": ["x"], "exclude": ["z"]}, "exclude",
     "give inputs or exclude, not both"),
    ({"inputs": ["x", "y"]}, "inputs", "column 'y' is the target"),
    ({"inputs": ["x", "y"], "window": 3}, "inputs",
     "column 'y' is the target (with a window its past is an input by itself)"),
    ({"inputs": ["x", "x"]}, "inputs", "column 'x' is named twice"),
    ({"target": ["y", "y"]}, "target", "column 'y' is named twice"),
    ({"exclude": ["y"]}, "exclude", "column 'y' is the target"),
    ({"text": ["y"]}, "text", "column 'y' is the target, which is a number or a class"),
    ({"text": ["x"], "categorical": ["x"]}, "text", "column 'x' is categorical already"),
    ({"text": ["x"], "exclude": ["x"]}, "text", "column 'x' is excluded"),
    ({"categorical": ["x"], "exclude": ["x"]}, "categorical", "column 'x' is excluded"),
    ({"split": "group"}, "split", "group needs split_by, the column that names the groups"),
    ({"split_by": "x"}, "split_by", "needs split: group or time, got split: auto"),
    ({"split": "random", "split_by": "x"}, "split_by",
     "needs split: group or time, got split: random"),
    ({"horizon": 2}, "horizon", "needs a window (the number of past rows in a sample)"),
    ({"window": 3, "split": "random"}, "split",
     "a series with a window is split by time, got split: random"),
    ({"window": 3, "split": "stratified"}, "split",
     "a series with a window is split by time, got split: stratified"),
    ({"window": 3, "split": "group", "split_by": "g"}, "split",
     "a series with a window is split by time, got split: group"),
    ({"window": 3, "text": ["x"]}, "text", "a window holds numbers and categories, no text"),
    ({"window": 3, "missing": "drop"}, "missing",
     "with a window, a row left out would be a hole in the series; "
     "expected error, mean or indicator"),
    ({"target": ["y", "z"], "task": "classification"}, "task",
     "classes are of one target column; several are numbers: train one after the other, each with the others "
     "in exclude, or set task: regression for 0 and 1"),
    ({"task": "regression", "class_weights": "balanced"}, "class_weights",
     "a regression has no classes; expected none"),
    ({"task": "regression", "split": "stratified"}, "split",
     "stratified needs classes, and this is a regression"),
]  # fmt: skip


def test_the_catalogue_is_as_long_as_it_should_be():
    assert len(BAD) + len(BAD_TO_PREDICT) > 130
    assert len({row[0] for row in BAD}) == len(BAD)


@pytest.mark.parametrize(
    ("name", "content", "keys", "key", "message"), [row[1:] for row in BAD], ids=[row[0] for row in BAD]
)
def test_one_error(tmp_path, monkeypatch, name, content, keys, key, message):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / name
    if content == "folder":
        path.mkdir()
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError if key is None else ConfigError) as caught:
        built(path, dtype=torch.float32, **keys)
    if key is not None:
        assert [(problem.path, problem.message) for problem in caught.value.problems] == [(key, message)]
    elif message.startswith("..."):
        assert str(caught.value).endswith(message[3:])
        assert "\n" not in str(caught.value)
    elif message.endswith("..."):
        assert str(caught.value).startswith(message[:-3])
        assert "\n" not in str(caught.value)
    else:
        assert str(caught.value) == message


def test_a_pipe_is_not_waited_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("a.csv")
    found = []

    def read():
        try:
            built("a.csv")
        except DataError as error:
            found.append(str(error))

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert found == ["a.csv: cannot be read: it is not a regular file"]


@pytest.fixture(scope="module")
def encoding(tmp_path_factory):
    path = tmp_path_factory.mktemp("trained") / "trained.csv"
    path.write_bytes(TRAINED)
    description = built(path, target="price").found.description
    return Encoding.from_description(json.loads(json.dumps(description)))


@pytest.mark.parametrize(
    ("name", "content", "message"), [row[1:] for row in BAD_TO_PREDICT], ids=[row[0] for row in BAD_TO_PREDICT]
)
def test_one_error_for_a_strangers_file(tmp_path, monkeypatch, encoding, name, content, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DataError) as caught:
        for _ in encoded_blocks(name, replace(encoding, unseen="error"), block_rows=1):
            pass
    assert str(caught.value) == message


@pytest.mark.parametrize(("keys", "key", "message"), BAD_SECTIONS, ids=[row[2][:40] for row in BAD_SECTIONS])
def test_keys_that_do_not_go_together(keys, key, message):
    dataset = section("a.csv", **keys)
    found = [complaint for rule in TableDataset.rules for complaint in rule.check(dataset)]
    assert [(complaint.path, complaint.message) for complaint in found] == [(f"dataset.{key}", message)]


def test_rules_leave_good_sections_alone():
    good = [{}, {"split": "group", "split_by": "g"}, {"window": 3, "horizon": 2, "split_by": "t"},
            {"split": "time"}, {"horizon": 1}, {"inputs": ["x"], "text": ["x"]},
            {"target": ["a", "b"]}, {"class_weights": "balanced"}]  # fmt: skip
    for keys in good:
        dataset = section("a.csv", **keys)
        assert [c for rule in TableDataset.rules for c in rule.check(dataset)] == []
    assert len(good) == 8
