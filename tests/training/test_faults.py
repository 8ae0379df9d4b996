"""Disks that fail: training goes on where it can, and what was saved stays."""

from __future__ import annotations

import json
import os
import re
import shutil

import pytest
import torch

import nnintro
from nnintro.errors import CheckpointError
from nnintro.runs.checkpoint import has_checkpoint, load_checkpoint
from nnintro.runs.history import read_history
from tests.comparing import assert_same_run, history, parameters, train
from tests.support import config
from tests.training.faulty_disk import Disk

VALUES = config(
    training={"epochs": 2, "checkpoint": {"every": "4 steps"}},
    logging={"scalars": "every 3 steps", "histograms": "auto"},
    name="run",
)
CAUSES = r"(No space left on device|Input/output error)"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return train(VALUES, tmp_path_factory.mktemp("whole")).directory


@pytest.mark.parametrize("kind", ["once", "short", "full"])
def test_the_nth_operation_fails(kind, whole, tmp_path, monkeypatch, capsys):
    with Disk(tmp_path / "counted").mounted(monkeypatch) as disk:
        train(VALUES, tmp_path / "counted")
    kinds = {what for what, _ in disk.done}
    assert kinds == {"write", "fsync", "replace", "rename"}
    assert disk.count > 40
    completed = failed = 0
    for n in range(1, disk.count + 1):
        folder = tmp_path / f"{n}"
        with Disk(folder, n, kind).mounted(monkeypatch) as faulty:
            run, error = outcome_of(folder)
        if error is not None:
            assert error.exit_code == 6
            assert re.fullmatch(rf"cannot [^\n]*{folder}[^\n]*: {CAUSES}", str(error)), error
            failed += 1
        else:
            assert parameters(run.directory) == parameters(whole)
            check_what_it_says(run, whole, capsys.readouterr().err)
            completed += 1
        assert faulty.count >= n
        check_what_is_there(folder, whole)
        shutil.rmtree(folder)
    assert completed + failed == disk.count
    assert failed > 20
    assert completed > 5 or kind == "full"


def outcome_of(folder):
    try:
        return train(VALUES, folder, quiet=False), None
    except CheckpointError as error:
        return None, error


def check_what_it_says(run, whole, said):
    """Whatever is missing is in the summary, and nothing is missing that is not."""
    assert run.summary["status"] == "completed"
    assert (run.directory / "checkpoints/step-12.pt").exists()
    incomplete = " ".join(run.summary.get("incomplete", []))
    if "history.csv" not in incomplete:
        assert history(run.directory) == history(whole)
    for problem in run.summary.get("incomplete", []):
        assert f"incomplete: {problem}" in said
    assert said.count("no checkpoint at update") <= 1


def check_what_is_there(folder, whole):
    """No half of a file under a whole one's name, and a run that goes on to the same bits."""
    assert [p for p in folder.rglob("*.tmp") if "events" not in p.name] == []
    if not (folder / "run").exists():
        assert list(folder.glob("*")) == []  # nor a hidden one that was to become it
        return
    if has_checkpoint(folder / "run"):
        assert load_checkpoint(folder / "run").damaged == []
    resumed = train(None, folder, resume="run")
    assert resumed.summary["status"] == "completed"
    assert parameters(folder / "run") == parameters(whole)
    if not resumed.summary.get("incomplete"):
        assert history(folder / "run") == history(whole)


def test_a_checkpoint_that_fails_once_is_warned_of_once(whole, tmp_path, monkeypatch, capsys):
    """Training goes on, the next one succeeds, and nothing is incomplete in the end."""
    with Disk(tmp_path).mounted(monkeypatch) as disk:
        fails = disk.fails
        disk.fails = lambda what, path: fails(what, path) or "step-4.pt" in str(path)
        run = train(VALUES, tmp_path, quiet=False)
    said = " ".join(capsys.readouterr().err.split())
    assert said.count("no checkpoint at update 4, training goes on: cannot write") == 1
    assert "incomplete" not in run.summary
    names = {path.name for path in (run.directory / "checkpoints").glob("*.pt")}
    assert names == {"step-8.pt", "step-12.pt"}
    assert_same_run(run.directory, whole)


def test_no_checkpoint_can_be_written_at_all(tmp_path, monkeypatch, capsys):
    with Disk(tmp_path).mounted(monkeypatch) as disk:
        fails = disk.fails
        disk.fails = lambda what, path: fails(what, path) or ".pt" in str(path)
        with pytest.raises(CheckpointError) as error:
            train(VALUES, tmp_path, quiet=False)
    path = tmp_path / "run/checkpoints/step-12.pt"
    assert str(error.value) == f"cannot write {path}: No space left on device"
    said = " ".join(capsys.readouterr().err.split())
    assert said.count("training goes on") == 1
    assert "completed" not in said
    assert not (tmp_path / "run/summary.json").exists()
    assert read_history(tmp_path / "run/history.csv")["step"] == [0, 3, 6, 9, 12]


def test_a_run_whose_folder_vanishes_while_training(tmp_path, monkeypatch):
    from nnintro.engines.autograd import Autograd

    update = Autograd._update

    def vanishing(self, step, *, measure):
        if step == 6:
            shutil.rmtree(tmp_path / "run")
        return update(self, step, measure=measure)

    monkeypatch.setattr(Autograd, "_update", vanishing)
    with pytest.raises(CheckpointError) as error:
        train(VALUES, tmp_path)
    path = tmp_path / "run/checkpoints/step-12.pt"
    assert str(error.value) == f"cannot write {path}: No such file or directory"


def test_figures_that_cannot_be_written_leave_the_run_complete_but_for_them(tmp_path):
    values = {**VALUES, "logging": {"figures": "auto"}}
    run = nnintro.train(values, runs_dir=tmp_path, overrides=["training.epochs=1"])
    (run.directory / "figures/fit.png").unlink()
    (run.directory / "figures/fit.png").mkdir()
    more = train(None, tmp_path, resume=run.directory, overrides=["training.epochs=2"])
    assert more.summary["status"] == "completed"
    (problem,) = more.summary["incomplete"]
    assert "figures/fit" in problem


REMOVED = ["config.yaml", "environment.json", "history.csv", "checkpoints", "figures", "events"]


@pytest.mark.parametrize("what", REMOVED)
def test_a_file_that_somebody_removes_while_training(what, tmp_path, monkeypatch):
    """Written again whole, or said to be missing; the network is not lost."""
    from nnintro.training.loop import Loop

    values = config(training={"epochs": 4, "checkpoint": {"every": "2 steps"}}, name="run")
    whole = nnintro.train(values, runs_dir=tmp_path / "whole")
    run, original = tmp_path / "run", Loop.run

    def removing(self, outcome=None):
        original_observe = self.observer.observe

        def observe(point, *, last):
            original_observe(point, last=last)
            if point.step >= 10 and not removed:
                removed.append(point.step)
                paths = run.glob("events.out.*") if what == "events" else [run / what]
                for path in paths:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()

        monkeypatch.setattr(self.observer, "observe", observe)
        return original(self, outcome)

    removed = []
    monkeypatch.setattr(Loop, "run", removing)
    found = nnintro.train(values, runs_dir=tmp_path)
    assert removed
    assert found.summary["status"] == "completed"
    assert ("incomplete" in found.summary) == (what == "events")
    for left, right in zip(found.model.parameters(), whole.model.parameters(), strict=True):
        assert torch.equal(left, right)
    again = nnintro.load(run)
    assert again.history["train/loss"] == whole.history["train/loss"]
    assert json.loads((run / "environment.json").read_text())["torch"]
    longer = nnintro.train(resume=run, overrides=["training.epochs=5"], runs_dir=tmp_path)
    assert longer.summary["epochs"] == 5


def at_update(monkeypatch, step, act):
    """Do something to the disk just before an update."""
    from nnintro.engines.autograd import Autograd

    update = Autograd._update

    def acting(self, number, *, measure):
        if number == step:
            act()
        return update(self, number, measure=measure)

    monkeypatch.setattr(Autograd, "_update", acting)


@pytest.mark.parametrize("successor", [True, False])
def test_a_run_that_is_moved_away_while_training(successor, tmp_path, monkeypatch):
    """Nothing is written into what has its name now; it is saved where it is, and goes on there."""
    whole = train(VALUES, tmp_path / "whole").directory
    run, moved = tmp_path / "run", tmp_path / "elsewhere"

    def move():
        run.rename(moved)
        if successor:
            (run / "checkpoints").mkdir(parents=True)
            (run / "config.yaml").write_text("of another run", encoding="utf-8")

    at_update(monkeypatch, 6, move)
    with pytest.raises(CheckpointError, match=rf"was moved to {moved} while training; it is saved there at update"):
        train(VALUES, tmp_path)
    if successor:
        assert sorted(path.name for path in run.rglob("*")) == ["checkpoints", "config.yaml"]
        assert (run / "config.yaml").read_text(encoding="utf-8") == "of another run"
    else:
        assert not run.exists()
    monkeypatch.undo()
    resumed = train(None, tmp_path, resume=moved)
    assert parameters(resumed.directory) == parameters(whole)


LINKED = [
    "figures",
    "checkpoints",
    "history.csv",
    "config.yaml",
    "summary.json",
    "environment.json",
    "events",
    "latest",
]


@pytest.mark.parametrize("what", LINKED)
def test_a_run_with_a_link_in_it_is_not_gone_on_with(what, tmp_path):
    """A stranger's run could have it write, cut and delete anywhere."""
    run = train(VALUES, tmp_path).directory
    path = {"events": next(run.glob("events.out.*")), "latest": run / "checkpoints/latest.json"}.get(what, run / what)
    outside = tmp_path / "outside"
    path.rename(outside)
    path.symlink_to(outside)
    before = {p: p.read_bytes() for p in [outside, *outside.rglob("*")] if p.is_file()}
    with pytest.raises(CheckpointError, match=r"expected .* of this run, found a link; a run is not gone on with"):
        train(None, tmp_path, resume=run, overrides=["training.epochs=50"])
    assert {p: p.read_bytes() for p in [outside, *outside.rglob("*")] if p.is_file()} == before


def test_a_run_with_a_pipe_in_it_is_not_waited_for(tmp_path):
    run = train(VALUES, tmp_path).directory
    (run / "history.csv").unlink()
    os.mkfifo(run / "history.csv")
    with pytest.raises(
        CheckpointError, match=r"history\.csv: expected a regular file of this run, found something else"
    ):
        train(None, tmp_path, resume=run, overrides=["training.epochs=50"])
