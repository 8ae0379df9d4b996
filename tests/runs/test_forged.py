"""Files of a run with a right SHA-256 and wrong contents: one line with the file and the field, exit code 6."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pytest
import torch

import nnintro
from nnintro.errors import CheckpointError, DataError
from nnintro.runs import data
from nnintro.runs.archive import unpacked
from nnintro.runs.history import read_history
from nnintro.wording import shown
from tests.runs.mutants import compressed, nested, saved, sealed, strange_tensors, vouched_for
from tests.support import config


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    top = tmp_path_factory.mktemp("table")
    rows = [f"{i % 7},{'red' if i % 3 else 'blue'},{'yes' if i % 4 < 2 else 'no'}" for i in range(20)]
    (top / "a.csv").write_text("\n".join(["a,c,y", *rows]) + "\n")
    dataset = {"kind": "table", "path": str(top / "a.csv"), "target": "y", "class_weights": "balanced"}
    return nnintro.train(config(dataset=dataset, name="run"), runs_dir=top).directory


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    dataset = {"kind": "images", "generator": "cells", "size": [32, 32], "samples": 4}
    model, few = {"kind": "unet", "channels": [2, 2]}, {"epochs": 1}
    values = config(dataset=dataset, model=model, descent={"batch_size": 2}, training=few, name="run")
    return nnintro.train(values, runs_dir=tmp_path_factory.mktemp("images")).directory


def forged(run, tmp_path, path, value):
    """A copy of a run with one field of data.json changed, and its SHA-256 made right again."""
    copy = Path(shutil.copytree(run, tmp_path / "run"))
    held = json.loads((copy / "data.json").read_text())
    holder = held
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    (copy / "data.json").write_text(json.dumps(sealed(held)))
    return copy


NUMBER = {"kind": "number", "name": "b", "reading": "number", "mean": 0.0, "flagged": False}
DESCRIPTION = ("description",)
TABLE = [
    (("task", "inputs"), 10**400, "task.inputs: expected a number below"),
    (("task", "inputs"), 10**12, "task: is not that of the description"),
    (("task", "outputs"), 2, "task: is not that of the description"),
    (("task", "kind"), "multiclass", "task: is not that of the description"),
    (("task", "kind"), "x", "task.kind: expected regression, binary, multiclass or segmentation, got 'x'"),
    (("task", "classes"), [1, 2], "task.classes.0: expected a text, got 1"),
    (("task", "image"), [8, 8], "task: is not that of the description"),
    (("training_samples",), True, "training_samples: expected a whole number, got true"),
    (("training_samples",), 0, "training_samples: expected a number of at least 1, got 0"),
    (("fingerprint",), None, "fingerprint: expected a text, got nothing"),
    (("strange",), 1, "strange: is unknown"),
    (DESCRIPTION, {}, "description.columns: is missing"),
    (DESCRIPTION, {"size": [32, 32]}, "description.columns: is missing"),
    ((*DESCRIPTION, "columns"), [], "description.columns: expected 1 or more entries"),
    ((*DESCRIPTION, "columns"), [NUMBER] * 4, "task: is not that of the description"),
    ((*DESCRIPTION, "columns", 0, "kind"), 3, "description.columns.0.kind: expected words, number or category, got 3"),
    ((*DESCRIPTION, "columns", 0, "name"), 3, "description.columns.0.name: expected a text, got 3"),
    ((*DESCRIPTION, "columns", 0, "reading"), "x", "description.columns.0.reading: expected number, truth or time"),
    ((*DESCRIPTION, "columns", 0, "mean"), 10**400, "description.columns.0.mean: expected a finite number"),
    ((*DESCRIPTION, "columns", 1, "values"), ["a", None], "description.columns.1.values.1: expected a text"),
    ((*DESCRIPTION, "targets", 0, "classes"), ["a"], "description.targets.0.classes: expected 2 or more"),
    ((*DESCRIPTION, "missing"), "x", "description.missing: expected error, drop, mean or indicator, got 'x'"),
    ((*DESCRIPTION, "window"), {"rows": 0, "horizon": 1}, "description.window.rows: expected a number of at least 1"),
    ((*DESCRIPTION, "window"), {"rows": 10**15, "horizon": 1}, "description.columns: expected at most 4,194,304 i"),
    ((*DESCRIPTION, "variables"), ["a"], "description.variables: are not those of the columns"),
    ((*DESCRIPTION, "class_weights"), [1.0], "description.class_weights: expected one for each class"),
    ((*DESCRIPTION, "class_weights"), [1.0, -1.0], "description.class_weights.1: expected a number above 0"),
    ((*DESCRIPTION, "missing"), nested(150), "description.missing: "),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "said"), TABLE)
def test_data_of_a_table(path, value, said, table, tmp_path):
    refused(forged(table, tmp_path, path, value), said)


IMAGES = [
    ("size", [32], "size.1: is missing"),
    ("size", [32, 10**9], "size.1: expected a number of at most"),
    ("channels", 2, "channels and bits: "),
    ("bits", 7, "channels and bits: "),
    ("values", [1, 0], "values: expected one for each class, rising"),
    ("classes", ["a"], "values: expected one for each class, rising"),
    ("threshold", 2.0, "threshold: expected a number below 1"),
    ("point_radius", 0, "point_radius: expected a number above 0"),
    ("fit", "x", "fit: expected"),
    ("x", 1, "x: is unknown"),
]


@pytest.mark.parametrize(("key", "value", "said"), IMAGES)
def test_data_of_images(key, value, said, images, tmp_path):
    refused(forged(images, tmp_path, ("description", key), value), f"description.{said}")


def refused(copy, said):
    with pytest.raises(CheckpointError) as error:
        nnintro.load(copy)
    assert str(error.value).startswith(f"{copy / 'data.json'}: is damaged: {said}"), error.value
    assert len(str(error.value).splitlines()) == 1
    assert len(str(error.value)) < 500 + len(str(copy))


TEXTS = ["", "[]", "[" * 100_000, "9" * 6000, '{"task": "\\ud800"}', "{", "\0", '{"task": NaN}']


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_data_that_is_none(text, table, tmp_path):
    copy = Path(shutil.copytree(table, tmp_path / "run"))
    (copy / "data.json").write_text(text)
    with pytest.raises(CheckpointError, match=r"data\.json: is damaged: .") as error:
        nnintro.load(copy)
    assert len(str(error.value).splitlines()) == 1


def test_more_than_a_run_may_keep_is_refused_before_training(monkeypatch, tmp_path):
    monkeypatch.setattr(data, "LARGEST", 200)
    (tmp_path / "a.csv").write_text("a,y\n" + "".join(f"{i},{i * i}\n" for i in range(9)))
    values = config(dataset={"kind": "table", "path": str(tmp_path / "a.csv"), "target": "y"}, name="run")
    with pytest.raises(DataError, match=r"a\.csv: what a run keeps of its columns would have more than 200 bytes"):
        nnintro.train(values, runs_dir=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


PLAIN = {0, 1, 2, 3, 4, 7, 8, 19, 25, 26}
"""Numbers of those that a checkpoint may hold somewhere: small tensors of floats or whole numbers, and mappings."""
STATE = {"format": 2, "step": 3, "model": {"weight": torch.ones(2, 3)}, "reason": "", "lost": []}


@pytest.mark.parametrize("index", range(len(strange_tensors())))
def test_what_is_in_no_checkpoint(index):
    """It is refused in one line."""
    value = strange_tensors()[index]
    state = {**STATE, "model": {"weight": value}}
    if index in PLAIN:
        assert unpacked(saved(state))["model"].keys() == {"weight"}
        return
    with pytest.raises(ValueError, match="it holds") as error:
        unpacked(saved(state))
    assert len(str(error.value).splitlines()) == 1


def test_an_archive_that_grows(tmp_path):
    with pytest.raises(ValueError, match="its parts are compressed"):
        unpacked(compressed(saved(STATE)))
    with zipfile.ZipFile(tmp_path / "a", "w") as archive:
        for name in ("a/data.pkl", "a/x"):
            archive.writestr(name, b"." * (1 << 24))
    with pytest.raises(ValueError, match="it holds too many values"):
        unpacked((tmp_path / "a").read_bytes())


HISTORIES = {
    "": "it has no column step",
    "step,epoch,samples,seconds\n1,2,3\n": "line 2: expected 4 cells, got 3",
    "step,epoch,samples,seconds\n1.5,2,3,4\n": "line 2, column step: expected a whole number, got '1.5'",
    "step,epoch,samples,seconds\n1,x\x1b[31m,3,4\n": r"line 2, column epoch: expected a number, got 'x\x1b[31m'",
    "step,epoch,samples,seconds,step\n": "two columns have one name",
    "step,epoch,samples,seconds\n" + "1" * (1 << 21): "it is no table of numbers",
}


@pytest.mark.parametrize("text", HISTORIES, ids=range(len(HISTORIES)))
def test_a_history_that_is_none(text, tmp_path):
    (tmp_path / "history.csv").write_text(text)
    with pytest.raises(CheckpointError) as error:
        read_history(tmp_path / "history.csv")
    assert str(error.value) == f"cannot read {tmp_path / 'history.csv'}: {HISTORIES[text]}"


ENVIRONMENTS = [
    "",
    "[]",
    '{"torch": "\\ud800"}',
    '{"resumed": 3}',
    '{"torch": "a\\nb"}',
    "[" * 100_000,
    '{"cores": 1e999}',
]


@pytest.mark.parametrize("text", ENVIRONMENTS, ids=range(len(ENVIRONMENTS)))
def test_an_environment_that_is_none_is_noted(text, table, tmp_path, capsys):
    """Nothing is taken from it, so the run goes on; what is said of it is said in whole lines."""
    copy = Path(shutil.copytree(table, tmp_path / "run"))
    (copy / "environment.json").write_text(text)
    run = nnintro.train(resume=copy, overrides=["training.epochs=4"], quiet=False)
    assert run.summary["status"] == "completed"
    said = " ".join(capsys.readouterr().err.split())
    assert "environment.json was not readable" in said or "the bits may differ" in said
    assert len(json.loads((copy / "environment.json").read_text())["resumed"]) == 1


def test_a_value_is_shown_in_one_line():
    assert shown(torch.ones(2, 2)) == "tensor([[1., 1.], [1., 1.]])"


def without(name):
    return lambda memory: memory.pop(name)


LBFGS = {
    "a step that is a number": lambda memory: memory["old_stps"].__setitem__(1, 3),
    "a step less": lambda memory: memory["old_stps"].pop(),
    "a direction of another length": lambda memory: memory["old_dirs"].__setitem__(0, torch.ones(3)),
    "more steps than the history has": lambda memory: [
        memory[k].extend(memory[k]) for k in ("old_dirs", "old_stps", "ro")
    ],
    "no direction": without("d"),
    "no gradient": without("prev_flat_grad"),
    "iterations in words": lambda memory: memory.update(n_iter="x"),
    "products in words": lambda memory: memory.update(ro=["x"] * len(memory["ro"])),
    "too few sums": lambda memory: memory.update(al=[]),
}


@pytest.mark.parametrize("what", LBFGS)
def test_a_memory_of_lbfgs_that_is_none(what, tmp_path):
    values = config(descent={"optimizer": "lbfgs", "variant": "batch", "batch_size": 23}, name="run")
    run = nnintro.train(values, runs_dir=tmp_path).directory
    path = run / "checkpoints/step-3.pt"
    state = torch.load(path, weights_only=True)
    LBFGS[what](state["optimizer"][0])
    vouched_for(path, saved(state))
    with pytest.raises(CheckpointError, match=r"step-3\.pt: the checkpoint is (damaged|incomplete): ") as error:
        nnintro.train(resume=run, overrides=["training.epochs=5"])
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize("step", [torch.ones(2), 3, "x", torch.ones((), dtype=torch.int64), None])
def test_a_memory_of_adam_that_is_none(step, tmp_path):
    run = nnintro.train(config(descent={"optimizer": "adam"}, name="run"), runs_dir=tmp_path).directory
    path = run / "checkpoints/step-18.pt"
    state = torch.load(path, weights_only=True)
    state["optimizer"][0]["step"] = step
    vouched_for(path, saved(state))
    with pytest.raises(CheckpointError, match=r"is damaged: optimizer\.0\.step: expected numbers of shape \(\)"):
        nnintro.train(resume=run, overrides=["training.epochs=5"])
