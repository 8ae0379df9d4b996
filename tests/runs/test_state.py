"""A checkpoint's contents: what is written is what is read, and every key is looked at."""

from __future__ import annotations

from dataclasses import fields

import pytest
import torch

import nnintro
from nnintro.errors import CheckpointError
from nnintro.runs.checkpoint import FORMAT, load_checkpoint
from nnintro.runs.state import Checkpoint
from tests.support import config

KEYS = {
    "step", "config", "architecture", "optimizer_kind", "plan", "status", "reason", "seconds",
    "model", "network", "optimizer", "patience", "history", "events", "lost", "past",
}  # fmt: skip


@pytest.fixture(scope="module", params=["sgd", "adam", "lbfgs"])
def plain(request, tmp_path_factory):
    """What a run saved that was stopped early, and so has a network beside its model."""
    values = config(
        dataset={"noise": 1.0, "samples": 12, "standardize": "inputs"},
        descent={"variant": "batch", "batch_size": 12, "optimizer": request.param},
        training={"epochs": 300, "early_stopping": {"patience": 5, "minimum_improvement": 0.1}},
    )
    run = nnintro.train(values, runs_dir=tmp_path_factory.mktemp("state"))
    assert run.summary["status"] == "stopped"
    return load_checkpoint(run.directory).state


def same(one, other):
    """Equal types, keys in equal order, equal values; tensors to the bit."""
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and torch.equal(one.nan_to_num(-1), other.nan_to_num(-1))
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other


def test_what_is_written_is_what_is_read(plain):
    written = Checkpoint.from_plain(plain, "x").to_plain()
    assert set(written) == KEYS
    assert plain["network"] is not None
    assert same({"format": FORMAT, **written}, plain)


@pytest.mark.parametrize("key", sorted(KEYS))
def test_a_key_that_is_missing(plain, key):
    without = {name: value for name, value in plain.items() if name != key}
    with pytest.raises(CheckpointError, match=f"x: the checkpoint is incomplete: '{key}' is missing"):
        Checkpoint.from_plain(without, "x")


def test_every_field_is_read(plain):
    checkpoint = Checkpoint.from_plain(plain, "x")
    assert len(fields(checkpoint)) == 8
    assert checkpoint.outcome.step == plain["step"] == checkpoint.records.history["step"][-1]
    assert checkpoint.origin.config["training.epochs"] == 300
    assert checkpoint.past.total > checkpoint.past.startup > 0
    assert checkpoint.past.resumed == ()


def test_runs_from_before_a_key_was_there_meant_its_default():
    from nnintro.runs.reopen import changed

    before = {"descent.shuffle": True, "dataset.kind": "function"}
    after = {**before, "descent.replacement": False, "dataset.validation": "grid"}
    assert list(changed(before, after)) == []
    assert list(changed(before, {**after, "descent.replacement": True})) == [("descent.replacement", None, True)]
    assert list(changed({**before, "dataset.validation": 0.2}, after)) == [("dataset.validation", 0.2, "grid")]
