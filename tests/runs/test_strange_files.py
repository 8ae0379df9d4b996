"""A stranger's run, in which every file and folder is in turn something else: nothing hangs, fills the memory, or is
written, cut or deleted beside the run."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import stat
import threading
import warnings
from pathlib import Path

import pytest

import nnintro
from nnintro.errors import CheckpointError, ConfigError, NnintroError
from nnintro.explain.explain import explain
from nnintro.files import open_regular
from nnintro.predict.evaluate import evaluate
from nnintro.recording.events import rewind
from nnintro.runs.listing import find_runs
from tests.runs.fuzz_runs import predicted
from tests.support import config

HUGE = 1 << 40
"""Bytes of a file that has none of them on the disk."""
WAIT = 60
"""Seconds after which something is taken to hang."""


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    top = tmp_path_factory.mktemp("sound")
    rows = [f"{i},{i % 3},{i * i}" for i in range(20)]
    (top / "table.csv").write_text("\n".join(["a,b,y", *rows]) + "\n")
    values = config(
        dataset={"kind": "table", "path": str(top / "table.csv"), "target": "y"},
        training={"epochs": 2, "checkpoint": {"every": "4 steps"}},
        name="run",
    )
    return nnintro.train(values, runs_dir=top).directory


@pytest.fixture
def copy(sound, tmp_path):
    return Path(shutil.copytree(sound, tmp_path / "runs/run"))


PARTS = [
    "config.yaml", "data.json", "environment.json", "history.csv", "summary.json", "events", "figures", "checkpoints",
    "checkpoints/latest.json", "checkpoints/newest", "checkpoints/earlier",
]  # fmt: skip


def sparse(path):
    with path.open("wb") as file:
        file.truncate(HUGE)


def link(name):
    """What makes a link to something in the tree beside the run."""
    return lambda path, beside: path.symlink_to(beside / name)


THINGS = {
    "a link to a text": link("text"),
    "a link to what was there": link("old"),
    "a link to a folder": link("folder"),
    "a link to nothing": link("nothing"),
    "a link to a huge file": link("huge"),
    "a link to a pipe": link("pipe"),
    "a link to a device": link("/dev/zero"),
    "a link to itself": lambda path, _: path.symlink_to(path),
    "a pipe": lambda path, _: os.mkfifo(path),
    "a socket": lambda path, _: os.mknod(path, stat.S_IFSOCK | 0o600),
    "a folder": lambda path, _: path.mkdir(),
    "a huge file": lambda path, _: sparse(path),
    "a text": lambda path, _: path.write_text("a\n"),
}
"""What may be in a file's place; made there, with a tree beside the run."""
CALLS = {
    "runs": lambda run: find_runs(run.parent),
    "load": lambda run: predicted(nnintro.load(run)),
    "history": lambda run: nnintro.load(run).history,
    "evaluate": evaluate,
    "explain": lambda run: explain(run, ()),
    "resume": lambda run: nnintro.train(resume=run, overrides=["training.epochs=3"]),
}


def tree(folder):
    """Everything in a folder: kind, size, time and contents."""
    found = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        is_small = stat.S_ISREG(status.st_mode) and status.st_size < HUGE
        digest = hashlib.sha256(path.read_bytes()).hexdigest() if is_small else None
        found[path] = (status.st_mode, status.st_size, status.st_mtime_ns, digest)
    return found


def within(seconds, call):
    """The answer of a call, or the error of a run that cannot be used; TimeoutError where it hangs."""

    def late(*_):
        raise TimeoutError(f"waited {seconds} s")

    assert threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        return call()
    except NnintroError as error:
        return error
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("part", PARTS)
def test_every_part_of_a_run_as_something_else(part, sound, tmp_path):
    beside = tmp_path / "beside"
    (beside / "folder").mkdir(parents=True)
    (beside / "folder/step-4.pt").write_bytes(b"mine")
    (beside / "folder/events.out.tfevents.1000000000.100000000.h.1").write_bytes(b"mine")
    (beside / "text").write_text("mine")
    sparse(beside / "huge")
    os.mkfifo(beside / "pipe")
    seen = 0
    for thing, make in THINGS.items():
        run = Path(shutil.copytree(sound, tmp_path / "runs/run"))
        names = {"newest": "step-8.pt", "earlier": "step-4.pt", "events": next(run.glob("events.*")).name}
        place = run / part
        place = place.with_name(names.get(place.name, place.name))
        old = beside / "old"
        place.rename(old)
        make(place, beside)
        before = tree(beside)
        for name, call in CALLS.items():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                answer = within(WAIT, lambda call=call, run=run: call(run))
            if isinstance(answer, NnintroError):
                assert answer.exit_code == 6, f"{thing}, {name}: {answer!r}"
                assert "\n" not in str(answer), f"{thing}, {name}: {answer!r}"
            if name == "resume" and "link" in thing:
                assert isinstance(answer, CheckpointError), f"{thing}: {answer!r}"
            assert tree(beside) == before, f"{thing}, {name}"
            seen += 1
        shutil.rmtree(run.parent)
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    assert seen == len(THINGS) * len(CALLS)


def test_a_link_to_what_was_there_is_read(copy, tmp_path):
    """A run may lie in two places, as long as it is only read."""
    (copy / "checkpoints").rename(tmp_path / "elsewhere")
    (copy / "checkpoints").symlink_to(tmp_path / "elsewhere")
    assert evaluate(copy).metrics


@pytest.mark.parametrize("claimed", [HUGE, None, 5, -1])
def test_a_checkpoint_without_end_is_not_read(claimed, copy):
    """Whatever latest.json says of its size; the one before it is used."""
    manifest = copy / "checkpoints/latest.json"
    latest = json.loads(manifest.read_text())
    sparse(copy / "checkpoints/step-8.pt")
    if claimed is None:
        del latest["bytes"]
    else:
        latest["bytes"] = claimed
    manifest.write_text(json.dumps(latest))
    with pytest.warns(UserWarning, match=r"step-8\.pt.* bytes"):
        assert nnintro.load(copy).summary["steps"] == 8


def test_a_manifest_with_a_million_entries_is_not_believed(copy):
    manifest = copy / "checkpoints/latest.json"
    text = manifest.read_text()
    entry = '{"file": "step-1.pt", "step": 1, "sha256": "' + "0" * 64 + '"}'
    manifest.write_text(text.replace('"previous": [', '"previous": [' + f"{entry}, " * 2000))
    with pytest.warns(UserWarning, match=r"latest\.json: no readable checkpoint here \(previous: .*at most 1000"):
        nnintro.load(copy)
    manifest.write_text(text.replace('"previous": [', '"previous": [' + f"{entry}, " * 500_000))
    with pytest.raises(CheckpointError, match=r"latest\.json: no checkpoint here \(it has more than 1,048,576 bytes"):
        nnintro.load(copy)


def test_the_list_of_a_folder_of_strange_things(copy, tmp_path):
    runs = tmp_path / "runs"
    (runs / "loop").symlink_to(runs)
    for name, make in THINGS.items():
        (runs / name).mkdir()
        make(runs / name / "config.yaml", tmp_path)
    deep = runs / "deep"
    deep.mkdir()
    below = [deep]
    for _ in range(1200):
        below.append(below[-1] / "d")
        below[-1].mkdir()
    (runs / "closed").mkdir(mode=0)
    try:
        listed = {Path(run["directory"]).name: run["status"] for run in within(WAIT, lambda: find_runs(runs))}
    finally:
        for folder in reversed(below):
            folder.rmdir()
        (runs / "closed").rmdir()
    assert listed == {"run": "completed", **dict.fromkeys(THINGS, "unfinished")}


def test_pruning_leaves_what_others_put_there(copy):
    folder = copy / "checkpoints"
    others = ["step-8-best.pt", "step-1.pt", "notes.txt", ".notes.tmp", ".editor.999999999.tmp"]
    for name in others:
        (folder / name).write_text("mine")
    (folder / "step-99.pt").mkdir()
    left_over = [".step-9.pt.999999999.tmp", ".latest.json.999999999.tmp", "step-9.pt"]
    for name in left_over:
        (folder / name).write_text("of a process that was killed")
    nnintro.train(resume=copy, overrides=["training.epochs=3"])
    names = {path.name for path in folder.iterdir()}
    assert names == {*others, "step-99.pt", "step-12.pt", "step-8.pt", "latest.json"}
    assert all((folder / name).read_text() == "mine" for name in others)


def test_rewinding_leaves_what_others_put_there(tmp_path):
    own = "events.out.tfevents.1000000000.100000000.host.7"
    outside = tmp_path / "outside"
    outside.write_text("mine")
    run = tmp_path / "run"
    run.mkdir()
    for number in range(3):
        (run / f"{own}{number}").write_text("0123456789")
    (run / f"{own}3").symlink_to(outside)
    (run / f"{own}4").mkdir()
    (run / "events.out.tfevents.of.another").write_text("mine")
    rewind(run, {f"{own}0": 4, f"{own}1": 10**18, f"{own}3": 0, "events.out.tfevents.of.another": 0})
    assert {path.name for path in run.iterdir()} == {
        f"{own}0", f"{own}1", f"{own}3", f"{own}4", "events.out.tfevents.of.another"
    }  # fmt: skip
    assert (run / f"{own}0").read_text() == "0123"
    assert (run / f"{own}1").read_text() == "0123456789"
    assert outside.read_text() == (run / "events.out.tfevents.of.another").read_text() == "mine"


def test_a_config_that_is_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.yaml")
    error = within(WAIT, lambda: nnintro.train(tmp_path / "a.yaml", runs_dir=tmp_path))
    assert isinstance(error, ConfigError)
    assert str(error).endswith("a.yaml: cannot be read: it is not a regular file")
    with pytest.raises(OSError, match="it is not a regular file"):
        open_regular(tmp_path / "a.yaml")


@pytest.mark.parametrize("thing", [thing for thing in THINGS if thing != "a text"])
def test_a_certificate_that_is_none(thing, tmp_path):
    from nnintro.proofs.certificate import CertificateError, read

    sparse(tmp_path / "huge")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "text").write_text("[" * 100_000)
    (tmp_path / "old").write_text('{"bound": 1' + "0" * 400 + "}")
    THINGS[thing](tmp_path / "certificate.json", tmp_path)
    error = within(WAIT, lambda: read(tmp_path / "certificate.json"))
    assert isinstance(error, CertificateError)
    assert error.exit_code == 6
