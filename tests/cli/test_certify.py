"""``nnintro certify RUN``, from the words typed to supremum.json and the exit code."""

from __future__ import annotations

import json
import math
import re
import signal
import sys
import time

import pytest
import torch

import nnintro
from nnintro.constructions.certify import certify, parameters_sha256
from nnintro.formula import parse, torch_function
from nnintro.recording.console import closed
from tests.cli.test_terminal import on_terminal, pictures
from tests.support import PATIENCE, config

assert on_terminal

FIELDS = {
    *("format", "statement", "bound", "lower", "gap", "at", "rounding", "complete", "undecided"),
    *("boxes", "seconds", "tolerance", "formula", "domain", "precision", "steps", "run", "sha256"),
}


@pytest.fixture
def run(tmp_path):
    """``run(dataset={...})`` trains in ``runs``; its folder."""

    def train(**sections):
        return nnintro.train(config(**{"name": "small", **sections}), runs_dir=tmp_path / "runs").directory

    return train


def largest_sample(directory, points):
    trained = nnintro.load(directory)
    dataset = trained.setup.dataset
    truth = torch_function(parse(dataset.formula, len(dataset.domain)))(points)
    return float((trained.predict(points) - truth).abs().max())


@pytest.mark.parametrize("standardize", ["none", "inputs"])
def test_no_sample_is_above_what_is_proved(command, run, standardize):
    directory = run(dataset={"domain": [[-1, 2]], "standardize": standardize})
    done = command("certify", "runs/small", "--json", "--tolerance", "0.001")
    assert (done.code, done.err) == (0, "")
    found = json.loads(done.out)
    assert set(found) == FIELDS
    assert json.loads((directory / "supremum.json").read_text()) == found
    assert found["complete"]
    assert found["gap"] <= 0.001
    points = torch.linspace(-1, 2, 100_001, dtype=torch.float64)[:, None]
    assert found["lower"] <= largest_sample(directory, points) * 1.0001
    assert largest_sample(directory, points) <= found["bound"] + found["rounding"]
    assert found["sha256"] == parameters_sha256(nnintro.load(directory).model)


def test_from_python_it_takes_a_name_or_a_folder_and_prints_nothing(run, tmp_path, capsys):
    directory = run()
    by_name = certify("small", tmp_path / "runs")
    by_path = certify(directory)
    assert by_name["bound"] == by_path["bound"] > by_path["lower"] > 0
    assert json.loads((directory / "supremum.json").read_text())["sha256"] == by_path["sha256"]
    with pytest.raises(nnintro.CheckpointError, match=r"^elsewhere: no such run; the current folder is /"):
        certify("elsewhere", tmp_path / "runs")
    assert capsys.readouterr() == ("", "")


def test_two_inputs_in_float32(command, run):
    section = {"formula": "x1*x2", "domain": [[0, 1], [-1, 1]], "samples": 25}
    directory = run(dataset=section, precision="float32")
    done = command("certify", "small")
    assert done.code == 0
    assert "for every real x1, x2 in [0, 1] x [-1, 1]" in done.out
    assert re.search(r"^found: \S+ at x1 = \S+, x2 = \S+; the bound is \S+ % above$", done.out, re.M)
    found = json.loads((directory / "supremum.json").read_text())
    points = torch.rand(100_000, 2) * torch.tensor([1.0, 2.0]) - torch.tensor([0.0, 1.0])
    assert largest_sample(directory, points.double()) <= found["bound"] + found["rounding"]


def test_what_is_printed_is_rounded_to_the_true_side(command, run):
    directory = run()
    done = command("certify", directory)
    found = json.loads((directory / "supremum.json").read_text())
    proved = float(re.search(r"^proved: at most (\S+)$", done.out, re.M)[1])
    lower = float(re.search(r"^found: (\S+) at x = ", done.out, re.M)[1])
    assert found["bound"] <= proved <= found["bound"] * 1.00001
    assert found["lower"] * 0.99999 <= lower <= found["lower"]
    assert "rounding: float64 outputs add at most " in done.out
    assert "incomplete" not in done.out


def test_the_time_ends_first(command, run):
    directory = run(dataset={"formula": "sin(300*x)"})
    done = command("certify", directory, "--seconds", "1e-6")
    assert done.code == 0
    assert "incomplete: time ended before the bound was within 0.05" in done.out
    found = json.loads((directory / "supremum.json").read_text())
    assert not found["complete"]
    points = torch.linspace(0, 1, 100_001, dtype=torch.float64)[:, None]
    assert largest_sample(directory, points) <= found["bound"]


def test_without_any_bound_json_has_null(command, run):
    directory = run(dataset={"formula": "1/(x - 0.3001) + 0*x", "samples": 8})
    done = command("certify", directory, "--seconds", "1e-6", "--json")
    found = json.loads(done.out)
    assert (done.code, found["bound"], found["gap"], found["complete"]) == (0, None, None, False)
    done = command("certify", directory, "--seconds", "1e-6")
    assert "proved: nothing yet" in done.out


def test_quiet_writes_the_file_alone(command, run):
    directory = run()
    done = command("certify", directory, "--quiet")
    assert (done.code, done.out, done.err) == (0, "", "")
    assert (directory / "supremum.json").exists()


def test_a_network_by_construction_is_certified_too(command, tmp_path):
    (tmp_path / "a.yaml").write_text("dataset: {kind: function, formula: lecture}\n")
    assert command("construct", "a.yaml", "--error", "0.05").code == 0
    done = command("certify", "runs/a", "--json")
    found = json.loads(done.out)
    assert found["complete"]
    assert found["lower"] <= 0.05 <= found["bound"] * 1.0001
    done = command("certify", "runs/a")
    assert ", for a step may come a rounding early or late" in done.out


# --- errors --------------------------------------------------------------------------------------


def test_a_pole_is_told_by_its_place(command, run):
    directory = run(dataset={"formula": "1/(x - 0.3001)", "samples": 8})
    done = command("certify", directory)
    assert done.code == 3
    assert re.match(r"\S+/config.yaml:\d+:\d+: dataset.formula: has no finite value at", done.err)
    assert "at x = 0.3001, or is unbounded near it; choose another domain" in done.err
    assert not (directory / "supremum.json").exists()


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        (
            {"kind": "classification", "generator": "moons", "samples": 40},
            "dataset.kind: certify needs a formula: expected function",
        ),
        (
            {"formula": "x1 + x2*x3", "domain": [[0, 1]] * 3, "samples": 8},
            "dataset.domain: certify takes one or two inputs, got 3",
        ),
    ],
)
def test_datasets_that_are_none(command, run, dataset, message):
    done = command("certify", run(dataset=dataset))
    assert done.code == 3
    assert done.err.endswith(f": {message}\n")
    assert "config.yaml:" in done.err


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ((), 2, "expected a RUN, or a certificate with --check FILE"),
        (("a", "--check", "b"), 2, "expected a RUN, or a certificate with --check FILE"),
        (("trained", "--tolerance", "0"), 2, "--tolerance must be a number above 0, got 0"),
        (("trained", "--seconds", "nan"), 2, "--seconds must be a number above 0, got nan"),
    ],
)
def test_wrong_words(command, run, words, code, message):
    run(name="trained")
    done = command("certify", *words)
    assert (done.code, done.out, done.err) == (code, "", message + "\n")


def test_a_run_that_is_missing_is_said_first(command, tmp_path):
    done = command("certify", "nowhere", "--tolerance", "0")
    assert (done.code, done.err) == (6, f"nowhere: no such run; the current folder is {tmp_path}\n")


def test_python_flint_is_missing(command, run, monkeypatch):
    run()
    monkeypatch.setitem(sys.modules, "flint", None)
    done = command("certify", "small")
    assert done.code == 2
    assert done.err.endswith("need python-flint: pip install 'nnintro[certify]'\n")


# --- while it runs -------------------------------------------------------------------------------

LONG = {"dataset": {"formula": "sin(3*x1)*sin(3*x2)", "domain": [[0, 1]] * 2, "samples": 25}}


def test_a_bar_moves_on_a_terminal(on_terminal, run):
    directory = run(**LONG)
    code, text = on_terminal(100, "certify", directory, "--seconds", "1.5", "--tolerance", "1e-9")
    lines = pictures(text)
    bars = [line for line in lines if line.startswith("certify ")]
    assert code == 0
    assert len(bars) >= 3
    assert re.search(r"certify [━╸╺]{5,} found \S+  proved \S+", bars[-1])
    assert max(map(len, bars)) <= 100


def test_how_far_the_bar_is():
    shares = [closed(bound, 1.0, 0.1) for bound in (math.inf, 2000.0, 101.0, 2.0, 1.1, 1.0)]
    assert shares == sorted(shares)
    assert shares[:2] == [0.0, 0.0]
    assert shares[-2:] == [pytest.approx(1.0), 1.0]
    assert closed(1.0, 0.0, 0.1) == 0.0


def test_ctrl_c_ends_it_at_once(process, run):
    ridge = {**LONG["dataset"], "formula": "cos(x1 - x2)"}  # the largest all along a line
    zeros = {"hidden": [2], "initialization": "zeros"}
    directory = run(dataset=ridge, model=zeros, training={"epochs": 0})
    with process("certify", directory, "--seconds", "600", "--tolerance", "1e-12") as running:
        time.sleep(4)
        assert running.poll() is None
        asked = time.monotonic()
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=PATIENCE)
    assert (running.returncode, out, err) == (130, "", "")
    assert time.monotonic() - asked < 5
    assert not (directory / "supremum.json").exists()
