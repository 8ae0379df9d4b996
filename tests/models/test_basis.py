"""Basis functions: formulas in place of the inputs, a part of the model wherever it goes."""

from __future__ import annotations

import copy
import json
import math

import numpy as np
import pytest
import torch

import nnintro
from nnintro.config.datasets.basis import names_for_formulas
from nnintro.config.load import load_config
from nnintro.errors import ConfigError, DataError
from nnintro.formula.tree import FUNCTIONS
from nnintro.predict.rows import predict_file
from tests.exports.conftest import with_onnxruntime, with_torch
from tests.support import config

LECTURE = ["x**2", "x*sin(15*x)", "cos(50*x)"]
COEFFICIENTS = [0.4, 0.3, 0.1]


def features(x):
    return np.stack([x**2, x * np.sin(15 * x), np.cos(50 * x)], axis=1)


def lecture(**sections):
    values = config(
        dataset={"formula": "lecture", "samples": 200, "basis": LECTURE},
        model={"hidden": []},
        descent={"variant": "batch", "batch_size": 200, "learning_rate": 0.5},
        training={"epochs": 3000},
        name="basis",
    )
    values["model"] = {"kind": "mlp", "hidden": []}
    return config(**{**values, **sections}) if sections else values


@pytest.mark.parametrize("engine", ["autograd", "fused"])
def test_one_neuron_recovers_the_lectures_function(engine):
    fitted = nnintro.fit(lecture(), [f"training.engine={engine}"])
    weight, bias = (p.detach().numpy() for p in fitted.model.parameters())
    np.testing.assert_allclose(weight[0], COEFFICIENTS, atol=1e-4)
    np.testing.assert_allclose(bias, [0.2], atol=1e-4)
    x = np.linspace(0, 1, 57)
    expected = 0.2 + features(x) @ COEFFICIENTS
    np.testing.assert_allclose(fitted.predict(x)[:, 0], expected, atol=1e-4)
    assert fitted.predict([[0.5]]).shape == (1, 1)  # the raw input alone is asked for
    with pytest.raises(DataError, match=r"expected shape \(n, 1\)"):
        fitted.predict([[0.25, 0.1, 0.2]])


def test_the_network_is_trained_on_the_values_of_the_formulas():
    """Computed in float64 once, then rounded; the same as a table of these columns."""
    fitted = nnintro.fit(lecture(), ["precision=float32", "training.epochs=0"])
    x = np.linspace(0, 1, 200)
    assert fitted.training.inputs.dtype == torch.float32
    np.testing.assert_array_equal(fitted.training.inputs.numpy(), features(x).astype(np.float32))


@pytest.mark.parametrize("standardize", ["none", "inputs"])
def test_standardisation_is_of_the_basis_functions(standardize):
    fitted = nnintro.fit(lecture(), [f"dataset.standardize={standardize}", "training.epochs=3"])
    columns = features(np.linspace(0, 1, 200))
    if standardize == "inputs":
        columns = (columns - columns.mean(0)) / columns.std(0)
    np.testing.assert_allclose(fitted.training.inputs.numpy(), columns, atol=1e-13)
    weight, bias = (p.detach().numpy() for p in fitted.model.parameters())
    x = np.array([0.0, 0.3, 1.0])
    inside = features(x)
    if standardize == "inputs":
        inside = (inside - features(np.linspace(0, 1, 200)).mean(0)) / features(np.linspace(0, 1, 200)).std(0)
    np.testing.assert_allclose(fitted.predict(x), inside @ weight.T + bias, atol=1e-13)


DATASETS = {
    "function": {"kind": "function", "formula": "x1*x2", "domain": [[0, 1], [0, 2]], "samples": 25},
    "regression": {"kind": "regression", "generator": "friedman1", "samples": 30},
    "classification": {"kind": "classification", "generator": "moons", "samples": 30},
    "bundled": {"kind": "bundled", "name": "iris", "samples": 30},
}


@pytest.mark.parametrize("kind", DATASETS)
def test_every_dataset_of_numbers_takes_it(kind, tmp_path):
    dataset = {**DATASETS[kind], "basis": ["x1**2", "x1*x2", "abs(x2 - 0.5)"]}
    values = config(dataset=dataset, training={"epochs": 2}, name=kind)
    run = nnintro.train(values, runs_dir=tmp_path)
    assert run.model.rows()[0].shape.endswith("-> 3")
    task = run.setup.task
    x = np.random.default_rng(0).uniform(0.1, 1, (4, task.inputs))
    inside = np.stack([x[:, 0] ** 2, x[:, 0] * x[:, 1], abs(x[:, 1] - 0.5)], axis=1)
    if run.model.has_inputs:
        inside = (inside - run.model.mean.numpy()) / run.model.scale.numpy()
    expected = run.model.unscaled(run.model.network(torch.from_numpy(inside)))
    np.testing.assert_allclose(run.predict(x), expected.detach(), rtol=1e-12)
    metrics = nnintro.evaluate(run).metrics
    assert {f"validation/{name}": value for name, value in metrics.items()}.items() <= run.summary["metrics"].items()


def test_columns_of_a_table_by_name(tmp_path):
    rows = ["area,rooms count,city,price"]
    rng = np.random.default_rng(1)
    for area, rooms in zip(rng.uniform(20, 90, 40), rng.integers(1, 6, 40), strict=True):
        rows.append(f"{area:.3f},{rooms},{'ab'[rooms % 2]},{3 * math.log(area) + rooms:.4f}")
    (tmp_path / "t.csv").write_text("\n".join(rows), encoding="utf-8")
    dataset = {"kind": "table", "path": str(tmp_path / "t.csv"), "target": "price", "standardize": "both"}
    dataset["basis"] = ["log(area)", "x2"]
    values = config(dataset=dataset, descent={"batch_size": 8}, training={"epochs": 200}, name="table")
    values["model"] = {"kind": "mlp", "hidden": []}
    run = nnintro.train(values, runs_dir=tmp_path)
    assert run.summary["metrics"]["validation/rmse"] < 0.01
    (tmp_path / "new.csv").write_text("city,rooms count,area\na,2,50\n", encoding="utf-8")
    predict_file(run, tmp_path / "new.csv", tmp_path / "out.csv")
    predicted = float((tmp_path / "out.csv").read_text().splitlines()[1].split(",")[-1])
    assert predicted == pytest.approx(3 * math.log(50) + 2, abs=0.02)
    assert nnintro.evaluate(run, tmp_path / "t.csv").metrics["rmse"] < 0.01
    (tmp_path / "bad.csv").write_text("city,rooms count,area\na,2,50\na,2,-50\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"bad\.csv:3: the basis function log\(area\) has no value"):
        predict_file(run, tmp_path / "bad.csv", tmp_path / "out.csv")
    again = nnintro.train(resume=run.directory, overrides=["training.epochs=201"], runs_dir=tmp_path)
    assert again.summary["epochs"] == 201


def test_names_that_are_not_words_are_numbered():
    columns = ["area", "rooms count", "city=Ulm", "e", "sin", "x7", "größe", "x9", "sales[-1]"]
    names = names_for_formulas(columns)
    assert names == ["area", "x2", "x3", "x4", "x5", "x7", "_x7", "x9", "_x9"]
    assert len(set(names)) == len(names)


EVERY_FUNCTION = [
    "x1 + x2 - 0.5", "x1*x2", "x1/(x2 + 2)", "x1**3", "(x1 + 2)**x2", "-x1", "sin(7*x1)", "cos(x2)", "tan(x1/2)",
    "exp(x1)", "log(x1 + 2)", "sqrt(x2 + 2)", "abs(x1)", "tanh(3*x2)", "min(x1, x2, 0.2)", "max(x1, x2)",
    "sign(x1 - 0.3)", "step(x2 - 0.3)", "floor(3*x1)", "pi",
]  # fmt: skip


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("format", ["onnx", "torch", "safetensors"])
def test_exported_files_take_the_raw_inputs(format, precision, tmp_path):
    assert all(any(f"{name}(" in text for text in EVERY_FUNCTION) for name in FUNCTIONS)
    dataset = {"formula": "x1*x2", "domain": [[-1, 1], [-1, 1]], "samples": 25, "basis": EVERY_FUNCTION}
    values = config(dataset=dataset, training={"epochs": 2}, precision=precision, name="run")
    run = nnintro.train(values, runs_dir=tmp_path)
    path = nnintro.export(run, format=format)
    x = np.random.default_rng(3).uniform(-1, 1, (50, 2))
    wanted = run.predict(x).numpy()
    if format == "safetensors":
        from nnintro.exports.safetensors_file import load

        found = load(path)(torch.from_numpy(x)).detach().numpy()
        assert json.loads(json.dumps(run.model.architecture()))["basis"][0] == "x1 + x2 - 0.5"
    else:
        found = (with_onnxruntime if format == "onnx" else with_torch)(path, x)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=2e-6 if precision == "float32" else 1e-12)


@pytest.mark.parametrize(
    ("basis", "formula", "domain"),
    [
        (LECTURE, "lecture", [[0, 1]]),
        (["step(x - 0.5)", "floor(3*x)", "sign(x - 0.25)"], "step(x - 0.5) + x", [[0, 1]]),
        (["x1*x2", "sqrt(x1 + 1)", "tan(x2)"], "sin(x1)*x2", [[0, 1], [-1, 1]]),
    ],
)
@pytest.mark.parametrize("standardize", ["none", "inputs"])
def test_the_certified_bound_is_above_every_sample(basis, formula, domain, standardize, tmp_path):
    dataset = {"formula": formula, "domain": domain, "samples": 100, "basis": basis, "standardize": standardize}
    values = config(dataset=dataset, training={"epochs": 20}, precision="float32", name="run")
    run = nnintro.train(values, runs_dir=tmp_path)
    proved = nnintro.certify(run, tolerance=0.2, seconds=20)
    assert proved["basis"] == [str(f.root) for f in run.setup.basis]
    axes = [np.linspace(low, high, 2001 if len(domain) == 1 else 101) for low, high in domain]
    points = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, len(domain))
    from nnintro.formula import parse, torch_function

    truth = torch_function(parse(formula, len(domain)))(torch.from_numpy(points))
    errors = (run.predict(points).double() - truth).abs()
    assert float(errors.max()) <= proved["bound"] + proved["rounding"]
    assert proved["lower"] <= proved["bound"]
    assert math.isfinite(proved["bound"])
    assert proved["rounding"] < 1e-4 or "floor(3*x)" in basis
    exact = copy.deepcopy(run.model).double()
    with torch.no_grad():
        moved = (exact(torch.from_numpy(points)) - run.predict(points)).abs().max()
    assert float(moved) > 0
    assert 0 <= float(moved) <= proved["rounding"] + 1e-12


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        ({"basis": ["x**2", "y"]}, r"dataset\.basis\.1: column 1: unknown name 'y'"),
        ({"basis": []}, r"dataset\.basis: "),
        ({"basis": ["log(x)"]}, r"dataset\.basis\.0: not a finite number at x = 0, which is in the domain"),
        ({**DATASETS["regression"], "basis": ["x1", "log(x2 - 0.9)"]}, "not a finite number at x1 = 0"),
    ],
)
def test_what_cannot_be_a_basis(dataset, message):
    with pytest.raises(ConfigError, match=message):
        nnintro.fit(config(dataset=dataset))


def test_steps_are_placed_along_the_input_itself():
    values = config(dataset={"basis": ["x**2"]}, model={"kind": "steps", "steps": [{"at": 0.5, "height": 1.0}]})
    values["model"] = {"kind": "steps", "steps": [{"at": 0.5, "height": 1.0}]}
    with pytest.raises(ConfigError, match=r"dataset\.basis: the places of model kind steps"):
        load_config(values)
    values = config(dataset={"basis": ["x**2"]}, model={"activation": "sigmoid", "initialization": "steps"})
    with pytest.raises(ConfigError, match=r"dataset\.basis: initialization: steps"):
        load_config(values)


def test_a_run_without_a_basis_is_described_as_before():
    fitted = nnintro.fit(config(training={"epochs": 0}))
    assert "basis" not in fitted.model.architecture()


@pytest.mark.parametrize("name", ["class", "lambda", "True", "None"])
def test_pythons_own_words_are_no_names(name):
    assert names_for_formulas(["a", name]) == ["a", "x2"]


def test_an_unknown_name_is_told_the_columns(tmp_path):
    (tmp_path / "t.csv").write_text("area,room count,y\n1,2,3\n2,3,5\n4,1,5\n5,5,9\n6,1,2\n", encoding="utf-8")
    dataset = {"kind": "table", "path": str(tmp_path / "t.csv"), "target": "y", "basis": ["rooms"]}
    with pytest.raises(ConfigError, match=r"unknown name 'rooms'.*; the inputs are 'area', 'x2'|did you mean"):
        nnintro.fit(config(dataset=dataset))


def logarithm(tmp_path, **dataset):
    values = config(
        dataset={"formula": "log(x)", "domain": [[0.1, 1]], "samples": 30, "basis": ["x", "log(x)"], **dataset},
        descent={"learning_rate": 0.01},
        name="log",
    )
    return nnintro.train(values, runs_dir=tmp_path)


def test_inputs_at_which_a_basis_function_has_no_value(tmp_path):
    run = logarithm(tmp_path)
    (tmp_path / "in.csv").write_text("x\n0.5\n0\n", encoding="utf-8")
    with pytest.raises(
        DataError, match=r"in\.csv:3: column 'x': expected inputs at which log\(x\) has a value, got '0'"
    ):
        predict_file(run, tmp_path / "in.csv", tmp_path / "out.csv")
    (tmp_path / "in.csv").write_text("x,y\n0.5,1\n-1,2\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"the basis function log\(x\) has no value at x = -1"):
        nnintro.evaluate(run, tmp_path / "in.csv")
    (tmp_path / "other.yaml").write_text(
        "dataset: {kind: function, formula: x, domain: [[-1, 1]], samples: 20}\n", encoding="utf-8"
    )
    with pytest.raises(DataError, match=r"other\.yaml: the basis function log\(x\) has no value at x = -1"):
        nnintro.evaluate(run, tmp_path / "other.yaml")


def test_a_pole_between_the_samples_is_the_basis_own(tmp_path):
    run = logarithm(tmp_path, basis=["x", "1/(x - 0.50031)"])
    with pytest.raises(ConfigError, match=r"dataset\.basis\.1: has no finite value at x = 0\.50031"):
        nnintro.certify(run, seconds=20)


def test_construct_says_so_before_it_begins():
    values = config(dataset={"basis": ["x**2"]})
    with pytest.raises(ConfigError, match=r"dataset\.basis: steps are placed along the input itself; leave it out"):
        nnintro.construct(values)


def test_what_the_precision_cannot_hold_is_the_basis_fault():
    values = config(dataset={"domain": [[1, 1000]], "formula": "x", "basis": ["x**20"]}, precision="float32")
    with pytest.raises(ConfigError, match=r"dataset\.basis: the inputs go beyond what float32 can hold"):
        nnintro.fit(values)


def test_the_bound_of_rounding_at_a_root(tmp_path):
    """|sqrt(a) - sqrt(b)| <= sqrt(|a - b|): the bound at 1 is some millionths, not the height of a box."""
    dataset = {"formula": "x", "domain": [[-1, 1]], "samples": 30, "basis": ["sqrt(1 - x**2)"]}
    run = nnintro.train(config(dataset=dataset, training={"epochs": 1}, name="root"), runs_dir=tmp_path)
    proved = nnintro.certify(run, tolerance=0.5, seconds=10)
    assert proved["rounding"] < 1e-6
