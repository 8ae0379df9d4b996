"""The commands as functions, from outside: nothing is imported but ``nnintro``."""

from __future__ import annotations

import json

import pytest

import nnintro

CONFIG = {
    "name": "small",
    "dataset": {"kind": "function", "formula": "sin(3*x)", "samples": 23},
    "model": {"kind": "mlp", "hidden": [5], "activation": "tanh"},
    "training": {"epochs": 3},
    "logging": {"figures": "off", "histograms": "off"},
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return nnintro.train(CONFIG, runs_dir=tmp_path_factory.mktemp("runs"))


@pytest.fixture(params=["run", "path", "name"])
def given(request, run):
    """The run as each function takes it: (run, runs_dir)."""
    first = {"run": run, "path": str(run.directory), "name": "small"}[request.param]
    return first, run.directory.parent


@pytest.fixture(autouse=True)
def prints_nothing(capfd):
    yield
    assert capfd.readouterr() == ("", "")


def test_evaluate(given, run):
    first, runs_dir = given
    found = nnintro.evaluate(first, runs_dir=runs_dir)
    assert found.metrics["loss"] == run.summary["metrics"]["validation/loss"]
    assert found.dataset == "validation"


def test_evaluate_on_a_file(run, tmp_path):
    (tmp_path / "rows.csv").write_text("x,y\n0.5,1\n0.25,0.5\n")
    assert nnintro.evaluate(run, tmp_path / "rows.csv").samples == 2


def test_predict_file(given, run, tmp_path):
    first, runs_dir = given
    source, output = tmp_path / "rows.csv", tmp_path / "predicted.jsonl"
    source.write_text("x\n0.5\n0.25\n")
    assert nnintro.predict_file(first, source, output, runs_dir=runs_dir) == 2
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    assert [row["x"] for row in rows] == [0.5, 0.25]
    assert [row["prediction"] for row in rows] == pytest.approx(run.predict([[0.5], [0.25]])[:, 0].tolist())


def test_predict_file_refuses_an_unknown_suffix(run, tmp_path):
    with pytest.raises(nnintro.NnintroError, match="the suffix names no format"):
        nnintro.predict_file(run, "rows.csv", tmp_path / "predicted.txt")


def test_predict_file_without_an_output(run, tmp_path, capfd):
    (tmp_path / "rows.csv").write_text("x\n0.5\n")
    assert nnintro.predict_file(run, tmp_path / "rows.csv") == 1
    assert capfd.readouterr().out.startswith("x,prediction\n0.5,")


def test_export(given, tmp_path):
    first, runs_dir = given
    path = nnintro.export(first, tmp_path / "net.safetensors", runs_dir=runs_dir)
    assert path == tmp_path / "net.safetensors"
    assert path.stat().st_size > 0


def test_construct(tmp_path):
    found = nnintro.construct({"dataset": CONFIG["dataset"]}, error=0.1, runs_dir=tmp_path)
    assert found.certificate["bound"] <= 0.1
    assert found.certificate["neurons"] == len(found.run.setup.model.steps)


def test_certify(given, run):
    first, runs_dir = given
    proved = nnintro.certify(first, runs_dir)
    assert proved["lower"] <= proved["bound"] <= 1.05 * proved["lower"]
    assert json.loads((run.directory / "supremum.json").read_text()) == json.loads(json.dumps(proved))


@pytest.mark.parametrize("name", ["evaluate", "export", "certify"])
def test_no_such_run(name, tmp_path):
    with pytest.raises(nnintro.CheckpointError, match="no such run"):
        getattr(nnintro, name)("elsewhere", runs_dir=tmp_path)
    with pytest.raises(nnintro.CheckpointError, match="no such run"):
        nnintro.predict_file("elsewhere", "rows.csv", runs_dir=tmp_path)


def test_find_rate():
    found = nnintro.find_rate(CONFIG)
    assert found.learning_rate in [tried.learning_rate for tried in found.tried]
    losses = [tried.loss for tried in found.tried if tried.status == "completed"]
    assert nnintro.fit(CONFIG, [f"descent.learning_rate={found.learning_rate}"]).metrics["train/loss"] < 2 * min(losses)
