"""nnintro runs: what is in a folder of runs, whatever state they are in."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest


def summary(name, sup_error, *, status="completed", seconds=2.0, steps=100):
    return {
        "status": status,
        "name": name,
        "steps": steps,
        "steps_per_second": 1500.0,
        "seconds": {"training": seconds / 2, "total": seconds},
        "metrics": {"train/loss": sup_error, "validation/sup_error": sup_error},
    }


@pytest.fixture
def folder(tmp_path):
    """``folder(name, summary)`` makes the run ``name``, without a summary where it is None."""

    def make(name, content=None):
        directory = tmp_path / "runs" / name
        directory.mkdir(parents=True)
        (directory / "config.yaml").write_text("")
        if content is not None:
            text = content if isinstance(content, str) else json.dumps(content)
            (directory / "summary.json").write_text(text)
        return directory

    return make


@pytest.fixture
def three(folder):
    folder("a", summary("a", 0.5, steps=1000))
    folder("b", summary("b", 0.1, steps=20, seconds=9.0))
    folder("c", summary("c", 0.3, steps=300, seconds=100.0))


def names(text):
    return [line.split()[0] for line in text.splitlines()[1:]]


def test_table(command, three):
    done = command("runs")
    assert (done.code, done.err) == (0, "")
    heading, first, *_ = done.out.splitlines()
    assert heading.split() == [
        "run", "status", "train/loss", "validation", "updates", "updates/s", "time"
    ]  # fmt: skip
    assert first.split() == [
        "a", "completed", "0.5", "sup_error", "0.5", "1,000", "1,500", "2.0", "s"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("key", "order"),
    [
        ("name", "abc"),
        ("-name", "cba"),
        ("steps", "bca"),
        ("-steps", "acb"),
        ("sup_error", "bca"),
        ("validation/sup_error", "bca"),
        ("-train/loss", "acb"),
        ("total", "abc"),
        ("-total", "cba"),
    ],
)
def test_order(command, three, key, order):
    done = command("runs", f"--sort={key}")
    assert done.code == 0
    assert names(done.out) == list(order)


def test_runs_without_the_value_come_last_in_either_direction(command, three, folder):
    folder("0-running")
    for key, order in (("sup_error", "bca"), ("-sup_error", "acb")):
        assert names(command("runs", f"--sort={key}").out) == [*order, "0-running"]


def test_an_unknown_key_names_those_there_are(command, three):
    done = command("runs", "--sort", "accuracy")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("--sort accuracy: no run has it; expected one of ")
    assert "validation/sup_error" in done.err


def test_json_is_the_list_of_summaries(command, three):
    done = command("runs", "--json", "--sort", "sup_error")
    found = json.loads(done.out)
    assert [run["name"] for run in found] == ["b", "c", "a"]
    assert found[0]["metrics"] == {"train/loss": 0.1, "validation/sup_error": 0.1}
    assert found[0]["directory"] == str(Path("runs") / "b")


def test_no_runs_yet(command, tmp_path):
    (tmp_path / "runs").mkdir()
    done = command("runs")
    assert (done.code, done.out, done.err) == (0, "", "no runs in runs yet\n")
    assert command("runs", "--json").out == "[]\n"


def test_no_such_folder(command, tmp_path):
    done = command("runs", "--runs-dir", "elsewhere")
    assert (done.code, done.out) == (6, "")
    assert done.err == "elsewhere: no such folder of runs\n"


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "7",
        "",
        "{}",
        '{"status": 3}',
        '{"status": "completed", "metrics": 5}',
        '{"status": "completed", "metrics": {"train/loss": "low"}}',
        '{"status": "completed", "seconds": {"total": []}}',
        '{"status": "completed", "steps": "many"}',
        "[" * 100_000,
        "\udcff",
    ],
)
def test_a_summary_that_makes_no_sense_does_not_hide_the_others(command, three, folder, text):
    directory = folder("damaged")
    (directory / "summary.json").write_bytes(text.encode(errors="surrogateescape"))
    done = command("runs")
    assert (done.code, done.err) == (0, "")
    assert names(done.out) == ["a", "b", "c", "damaged"]
    assert done.out.splitlines()[-1].split() == ["damaged", "damaged"]
    assert command("runs", "--sort=-sup_error").code == 0
    assert len(json.loads(command("runs", "--json").out)) == 4


def test_a_run_without_a_summary_is_unfinished(command, folder):
    folder("going")
    assert command("runs").out.splitlines()[1].split() == ["going", "unfinished"]


def test_a_diverged_run_says_that_its_loss_is_not_finite(command, folder):
    folder("gone", summary("gone", None, status="diverged"))
    line = command("runs").out.splitlines()[1]
    assert line.split()[:4] == ["gone", "diverged", "not", "finite"]


def test_runs_in_folders_are_found_and_named_by_their_path(command, folder):
    folder("lessons/moons", summary("moons", 0.2))
    assert names(command("runs").out) == ["lessons/moons"]


@pytest.mark.parametrize("width", [40, 60, 80, 140])
def test_the_table_fits_the_terminal(three, folder, tmp_path, monkeypatch, width):
    from nnintro.runs import listing

    folder("with-a-rather-long-name", summary("x", 0.123456789))
    monkeypatch.setattr(listing.sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", str(width))
    found = listing.find_runs(tmp_path / "runs")
    text, _ = listing.as_table(found, tmp_path / "runs")
    lines = re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()
    assert len(lines) == 5
    assert all(len(line) <= width for line in lines)
    assert not any("…" in line for line in lines)
    assert [line.split()[0] for line in lines[1:]] == ["a", "b", "c", "with-a-rather-long-name"]
    assert ("updates/s" in lines[0]) == (width >= 140)
    assert ("validation" in lines[0]) == (width >= 80 or width == 60)


@pytest.mark.parametrize("width", [60, 80, 160])
def test_settings_that_have_no_room_are_named(command, folder, monkeypatch, width):
    """Data that differs in everything: what fits is a column, and a line on stderr names the rest."""
    keys = [f"number_of_things_{i}" for i in range(12)]
    for number, name in enumerate(("a", "b")):
        lines = [f"  {key}: {number}" for key in keys]
        (folder(name, summary(name, 0.5)) / "config.yaml").write_text("\n".join(["model:", *lines]))
    monkeypatch.setattr("nnintro.runs.listing.PLAIN_WIDTH", width)
    done = command("runs")
    shown = [key for key in done.out.splitlines()[0].split() if key in keys]
    assert all(len(line) <= width for line in done.out.splitlines())
    assert shown == keys[: len(shown)]
    assert len(shown) >= width // 40
    assert done.err.startswith(f"the runs also differ in {keys[len(shown)]}, ")
    assert done.err.endswith("; --json has them\n")
    settings = [run["settings"] for run in json.loads(command("runs", "--json").out)]
    assert [set(one) for one in settings] == [{f"model.{key}" for key in keys}] * 2
