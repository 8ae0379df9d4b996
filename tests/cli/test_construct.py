"""``nnintro construct`` and ``certify --check``: runs with certificates, and errors in words."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import yaml

import nnintro
from nnintro.config.load import load_config
from nnintro.constructions import compare_neurons
from nnintro.constructions.construct import BY_HAND
from nnintro.formula import parse, torch_function

LECTURE = {"dataset": {"kind": "function", "formula": "lecture"}}


@pytest.fixture
def lecture(tmp_path):
    (tmp_path / "lecture.yaml").write_text(yaml.safe_dump(LECTURE))
    return "lecture.yaml"


def certificate_in(folder):
    return json.loads((folder / "certificate.json").read_text())


def test_only_a_dataset_is_needed(command, lecture, tmp_path):
    done = command("construct", lecture, "--error", "0.02", "--json")
    assert done.code == 0, done.err
    run = nnintro.load(tmp_path / "runs" / "lecture")
    certificate = certificate_in(run.directory)
    assert json.loads(done.out) == certificate
    assert len(certificate["pieces"]) == 75
    assert "74 pieces cannot come within 0.02" in done.err
    assert run.summary["status"] == "completed"
    assert (run.directory / "figures" / "pieces.png").read_bytes().startswith(b"\x89PNG")


def test_the_network_in_the_run_is_the_certificates(command, lecture, tmp_path):
    assert command("construct", lecture, "--error", "0.01", "--name", "a").code == 0
    run = nnintro.load(tmp_path / "runs" / "a")
    certificate = certificate_in(run.directory)
    x = np.linspace(0, 1, 1_000_001)
    stops = np.array([piece["to"] for piece in certificate["pieces"]])
    values = np.array([piece["value"] for piece in certificate["pieces"]])
    outputs = run.predict(x[:, None]).numpy()[:, 0]
    assert np.array_equal(outputs, values[np.searchsorted(stops, x, side="left")])
    import torch

    truth = torch_function(parse("lecture", 1))(torch.from_numpy(x)[:, None]).numpy()[:, 0]
    assert np.abs(outputs - truth).max() <= certificate["bound"] <= 0.01


def test_the_config_in_the_run_builds_it_again(command, lecture, tmp_path):
    assert command("construct", lecture, "--neurons", "7").code == 0
    first = nnintro.load(tmp_path / "runs" / "lecture")
    assert len(first.setup.model.steps) <= 7
    again = nnintro.train(first.directory / "config.yaml", runs_dir=tmp_path / "again")
    x = np.linspace(0, 1, 1001)
    assert np.array_equal(first.predict(x), again.predict(x))


@pytest.mark.parametrize("formula", ["x1*x2", "sin(3*x1)*cos(3*x2)", "x1**2 - abs(x2)"])
def test_two_inputs(formula, command, tmp_path):
    dataset = {"kind": "function", "formula": formula, "domain": [[0, 1], [-0.5, 0.5]]}
    (tmp_path / "two.yaml").write_text(yaml.safe_dump({"dataset": dataset}))
    done = command("construct", "two.yaml", "--error", "0.05")
    assert done.code == 0, done.err
    assert command("certify", "--check", "runs/two").code == 0
    certificate = certificate_in(tmp_path / "runs" / "two")
    import torch

    points = np.random.default_rng(0).uniform([0, -0.5], [1, 0.5], (50_000, 2))
    points[:4] = [[0, -0.5], [1, 0.5], [0, 0.5], [1, -0.5]]
    truth = torch_function(parse(formula, 2))(torch.from_numpy(points)).numpy()
    outputs = nnintro.load(tmp_path / "runs" / "two").predict(points).numpy()
    assert np.abs(outputs - truth).max() <= certificate["bound"] <= 0.05


def test_check(command, lecture, tmp_path):
    assert command("construct", lecture).code == 0
    done = command("certify", "--check", "runs/lecture/certificate.json")
    assert done.code == 0
    assert "proved again" in done.out
    assert "has these pieces, to the last bit" in done.out
    path = tmp_path / "alone.json"
    path.write_bytes((tmp_path / "runs/lecture/certificate.json").read_bytes())
    assert "no run beside it" in command("certify", "--check", path).out
    path.write_text(path.read_text().replace('"neurons": 25', '"neurons": 26'))
    done = command("certify", "--check", path)
    assert done.code == 6
    assert "sha256: was changed after it was made" in done.err


def test_a_certificate_of_another_network(command, lecture, tmp_path):
    for error in (0.05, 0.1):
        assert command("construct", lecture, "--error", error).code == 0
    other = (tmp_path / "runs/lecture-2/certificate.json").read_bytes()
    (tmp_path / "runs/lecture/certificate.json").write_bytes(other)
    done = command("certify", "--check", "runs/lecture")
    assert done.code == 6
    assert "is not that of the certificate" in done.err


@pytest.mark.parametrize(
    ("dataset", "words", "code", "message"),
    [
        ({"formula": "1/(x - 0.5)"}, (), 3,
         "a.yaml:1:37: dataset.formula: not a finite number at x = 0.5"),
        ({"formula": "1/(3*x - 1)"}, (), 3,
         "a.yaml:1:37: dataset.formula: has no finite value at x = 0.3333333333333333, or"),
        ({"kind": "regression"}, (), 3, "construct needs a formula: expected function"),
        ({"formula": "x1 + x2 + x3", "domain": [[0, 1]] * 3}, (), 3,
         "dataset.domain: construct takes one or two inputs, got 3"),
        ({"formula": "exp(30*x)"}, ("--error", "1e-3"), 3, "takes more than 100,000 pieces"),
        ({"formula": "x"}, ("--error", "0"), 2, "the error must be a number above 0"),
        ({"formula": "x"}, ("--error", "nan"), 2, "the error must be a number above 0"),
        ({"formula": "x"}, ("--neurons", "-1"), 2, "must be 0 or more"),
        ({"formula": "x"}, ("--neurons", "3", "--error", "1"), 2, "got both"),
        ({"formula": "x1*x2", "domain": [[0, 1]] * 2}, ("--neurons", "3"), 2, "give an error"),
        ({"formula": "x", "standardize": "inputs"}, (), 3,
         "a.yaml:1:53: dataset.standardize: steps are placed in the input's own units"),
    ],
)  # fmt: skip
def test_errors(dataset, words, code, message, command, tmp_path):
    text = yaml.safe_dump({"dataset": {"kind": "function", **dataset}}, default_flow_style=True,
                          sort_keys=False, width=1000)  # fmt: skip
    (tmp_path / "a.yaml").write_text(text)
    done = command("construct", "a.yaml", *words)
    assert done.code == code, done.err
    assert message in done.err
    assert "Traceback" not in done.err
    assert not (tmp_path / "runs").exists()


def test_compare(command, lecture, tmp_path, monkeypatch):
    monkeypatch.setattr(compare_neurons, "NEURONS", (3, 9))
    monkeypatch.setattr(compare_neurons, "UPDATES", 30)
    done = command("construct", lecture, "--compare", "--error", "0.1")
    assert done.code == 0, done.err
    folder = tmp_path / "runs" / "lecture"
    with (folder / "comparison.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["neurons"] for row in rows] == ["3", "9"]
    assert 0.1 < float(rows[1]["constructed"]) < float(rows[0]["constructed"])
    loaded = load_config(LECTURE, BY_HAND, "lecture")
    for row in rows:
        for column, kind in (("trained", "torch"), ("handed_over", "steps")):
            values = compare_neurons.config_of(loaded, int(row["neurons"]), kind)
            run = nnintro.train(values, runs_dir=tmp_path / "trained", name=kind)
            assert run.setup.model.hidden == [int(row["neurons"])]
            sampled = run.summary["metrics"]["validation/sup_error"]
            bound = float(row[column])
            assert bound == nnintro.certify(run, tolerance=compare_neurons.TOLERANCE)["bound"]
            assert sampled - 1e-5 < bound < 1.02 * sampled
    assert not (folder / "comparison").exists()  # trained in memory
    assert (folder / "figures" / "comparison.png").exists()
    assert "trained from the built one" in done.err
