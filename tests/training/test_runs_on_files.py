"""Runs on tables: what they keep of their data, and what they do when it changes."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest

import nnintro
from nnintro.errors import CheckpointError, ConfigError, DataError
from nnintro.predict.evaluate import evaluate
from tests.comparing import Cut, assert_same_run, cut_before, train
from tests.support import config

CITIES = ["Bonn", "Kiel", "Ulm"]


def write_prices(path, rows=90, seed=0):
    """area, city -> price, and whether it is dear."""
    source = np.random.default_rng(seed)
    area, city = source.uniform(30, 200, rows), source.integers(3, size=rows)
    price = 2000 * area + 50_000 * (city == 2) + source.normal(0, 9000, rows)
    lines = ["area,city,price,dear"]
    lines += [
        f"{a:.1f},{CITIES[c]},{p:.0f},{'yes' if p > 340_000 else 'no'}"
        for a, c, p in zip(area, city, price, strict=True)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def experiment(path, **keys):
    dataset = {"kind": "table", "path": str(path), "target": "price", "exclude": ["dear"], **keys}
    return config(
        dataset=dataset,
        training={"epochs": 4, "checkpoint": {"every": "1 steps"}},
        descent={"batch_size": 7, "optimizer": "adam"},
        name="run",
    )


@pytest.fixture
def prices(tmp_path):
    return write_prices(tmp_path / "prices.csv")


def test_the_run_knows_its_columns(prices, tmp_path):
    run = nnintro.train(experiment(prices), runs_dir=tmp_path)
    assert run.features == ["area", "city=Bonn", "city=Kiel", "city=Ulm"]
    held = json.loads((run.directory / "data.json").read_text())
    assert held["task"]["inputs"] == 4
    assert [column["name"] for column in held["description"]["columns"]] == ["area", "city"]
    again = nnintro.load(run.directory)
    assert again.features == run.features
    assert again.predict([[100, 0, 0, 1]]).shape == (1, 1)


def test_its_config_trains_again_to_the_same_bits(prices, tmp_path):
    first = nnintro.train(experiment(prices), runs_dir=tmp_path / "a")
    again = nnintro.train(first.directory / "config.yaml", runs_dir=tmp_path / "b")
    assert_same_run(again.directory, first.directory)


@pytest.mark.parametrize("step", [1, 11, 30])
def test_cut_off_it_goes_on_to_the_same_bits(prices, tmp_path, monkeypatch, step):
    whole = train(experiment(prices), tmp_path / "whole").directory
    with cut_before(monkeypatch, step), pytest.raises(Cut):
        train(experiment(prices), tmp_path / "cut")
    assert_same_run(train(None, tmp_path / "cut", resume="run").directory, whole)


def test_it_is_measured_again_as_it_was(prices, tmp_path):
    run = nnintro.train(experiment(prices), runs_dir=tmp_path)
    found = evaluate(run.directory).metrics
    expected = run.summary["metrics"]
    assert found == {k.removeprefix("validation/"): v for k, v in expected.items() if "valid" in k}
    everything = evaluate(run.directory, str(prices))
    assert everything.samples == 90


def test_class_weights_count_in_every_measurement(prices, tmp_path):
    header, *rows = prices.read_text().splitlines()
    rows = [row for k, row in enumerate(rows) if k % 3 == 0 or row.endswith("no")]
    prices.write_text("\n".join([header, *rows]))  # both classes were 45, of weight 1
    values = experiment(prices, target="dear", exclude=["price"], class_weights="balanced")
    run = nnintro.train(values, runs_dir=tmp_path)
    assert evaluate(run.directory).metrics["loss"] == run.summary["metrics"]["validation/loss"]
    assert run.summary["metrics"]["validation/loss"] != pytest.approx(
        run.summary["metrics"]["validation/cross_entropy"], rel=1e-3
    )


def test_changed_data_is_noticed(prices, tmp_path):
    run = nnintro.train(experiment(prices), runs_dir=tmp_path)
    text = prices.read_text()
    prices.write_text(text.replace("Ulm", "Bonn", 1))
    with pytest.raises(DataError, match=r"has changed since the run in .* began"):
        nnintro.train(resume=run.directory, overrides=["training.epochs=9"])
    with pytest.raises(DataError, match="has changed"):
        evaluate(run.directory)
    assert nnintro.load(run.directory).predict([[100, 0, 0, 1]]).shape == (1, 1)
    prices.write_text(text)
    assert nnintro.train(resume=run.directory, overrides=["training.epochs=5"]).summary["epochs"] == 5


def test_data_that_is_gone_is_not_needed_to_predict(prices, tmp_path):
    run = nnintro.train(experiment(prices), runs_dir=tmp_path / "project/runs")
    prices.unlink()
    assert nnintro.load(run.directory).predict([[100, 0, 0, 1]]).shape == (1, 1)
    with pytest.raises(DataError, match=r"prices.csv: cannot be read: No such file"):
        evaluate(run.directory)


@pytest.mark.parametrize(
    "damage",
    [
        lambda held: held[: len(held) // 2],
        lambda _: "",
        lambda _: "[1, 2]",
        lambda held: held.replace('"inputs": 4', '"inputs": "four"'),
        lambda held: held.replace('"training_samples"', '"samples"'),
        lambda held: held.replace('"Ulm"', '"Aalen"'),
        lambda held: held.replace('"inputs": 4', '"inputs": 5'),
    ],
)
def test_damaged_data_json(prices, tmp_path, damage):
    run = nnintro.train(experiment(prices), runs_dir=tmp_path)
    path = run.directory / "data.json"
    damaged = damage(path.read_text())
    assert damaged != path.read_text()
    path.write_text(damaged)
    for use in (nnintro.load, evaluate):
        with pytest.raises(CheckpointError):
            use(run.directory)
    with pytest.raises(CheckpointError):
        nnintro.train(resume=run.directory, overrides=["training.epochs=9"])


def test_no_data_json(prices, tmp_path):
    run = nnintro.train(experiment(prices), runs_dir=tmp_path)
    (run.directory / "data.json").unlink()
    with pytest.raises(CheckpointError, match=r"data.json: cannot be read"):
        nnintro.load(run.directory)


def test_rules_that_need_the_data_are_told_with_their_place(prices, tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text(
        "dataset: {kind: table, path: prices.csv, target: price, exclude: [dear]}\n"
        "model: {kind: mlp}\n"
        "loss: cross_entropy\n"
        "descent: {batch_size: 1000}\n"
        "training: {stop_when: {validation/accuracy: 1}}\n"
    )
    with pytest.raises(ConfigError) as caught:
        nnintro.train(path, runs_dir=tmp_path)
    assert [(p.line, p.path) for p in caught.value.problems] == [
        (3, "loss"), (4, "descent.batch_size"), (5, "training.stop_when.validation/accuracy"),
    ]  # fmt: skip
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    ("target", "column"), [("y", "prediction"), ("c", "probability_a"), (["y", "z"], "prediction_z")]
)
def test_an_input_that_is_called_like_an_output_of_predict(tmp_path, target, column):
    rows = [f"{k},{k % 5},{'ab'[k % 2]},{k % 7}" for k in range(40)]
    (tmp_path / "a.csv").write_text("\n".join([f"{column},y,c,z", *rows]) + "\n")
    path = tmp_path / "a.yaml"
    dataset = f"dataset: {{kind: table, path: a.csv, target: {target}, exclude: [{'y' if target == 'c' else 'c'}]}}\n"
    path.write_text(f"{dataset}model: {{kind: mlp}}\ntraining: {{epochs: 1}}\n")
    with pytest.raises(ConfigError) as caught:
        nnintro.train(path, runs_dir=tmp_path)
    (problem,) = caught.value.problems
    assert (problem.line, problem.path) == (1, "dataset.path")
    assert problem.message == (
        f"column '{column}' is called like what predict writes; rename it in the file, or list it in dataset.exclude"
    )
    (tmp_path / "a.csv").write_text("\n".join([f"{column}s,y,c,z", *rows]) + "\n")
    nnintro.train(path, runs_dir=tmp_path)


def test_a_bounded_output_acts_in_the_targets_own_units(tmp_path):
    """Targets from 0 on: a relu on standardised ones could predict nothing below their mean."""
    (tmp_path / "a.csv").write_text("x,y\n" + "".join(f"{k / 40},{k / 40}\n" for k in range(40)))
    dataset = {"kind": "table", "path": str(tmp_path / "a.csv"), "target": "y", "standardize": "inputs"}
    model = {"kind": "mlp", "hidden": [], "output_activation": "softplus"}
    run = nnintro.train(config(dataset=dataset, model=model, training={"epochs": 300}), runs_dir=tmp_path)
    assert run.predict({"x": [0.0]})[0, 0] < 0.3 < run.predict({"x": [0.9]})[0, 0]


def test_the_file_is_beside_the_config_and_by_override_in_the_working_folder(prices, tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    path = tmp_path / "a.yaml"
    path.write_text(
        "dataset: {kind: table, path: prices.csv, target: price, exclude: [dear]}\n"
        "model: {kind: mlp}\ntraining: {epochs: 0}\n"
    )
    monkeypatch.chdir(elsewhere)
    run = nnintro.train("../a.yaml", runs_dir=elsewhere)
    assert run.setup.dataset.path == str(prices)
    write_prices(elsewhere / "others.csv", rows=40)
    run = nnintro.train("../a.yaml", ["dataset.path=others.csv"], runs_dir=elsewhere)
    assert run.setup.dataset.path == str(elsewhere / "others.csv")
    assert run.setup.training_samples == 32


def test_smoke_takes_few_rows_and_any_batch_size(tmp_path):
    prices = write_prices(tmp_path / "prices.csv", rows=3000)
    values = experiment(prices)
    values["descent"]["batch_size"] = 2000
    run = nnintro.train(values, runs_dir=tmp_path, smoke=True)
    assert run.summary["steps"] <= 20
    assert run.setup.training_samples == 205


def test_changed_validation_rows_are_noticed(prices, tmp_path):
    """What is measured counts as well as what is learned from."""
    run = nnintro.train(experiment(prices, split="time"), runs_dir=tmp_path)
    lines = prices.read_text().splitlines()
    area, city, price, dear = lines[-1].split(",")
    lines[-1] = f"{area},{city},{float(price) + 5},{dear}"
    prices.write_text("\n".join(lines) + "\n")
    with pytest.raises(DataError, match="has changed"):
        evaluate(run.directory)


@pytest.mark.parametrize(
    "change",
    [
        {"task": {"kind": "oracle"}}, {"task": {"image": [float("inf"), 3]}},
        {"training_samples": -1}, {"task": {"inputs": 2.5}},
        {"description": {"columns": [{"kind": "ether"}]}},
        {"description": {"columns": 5}},
    ],
)  # fmt: skip
def test_a_strangers_data_json(prices, tmp_path, change):
    """Its checksum is right, for whoever wrote it knows how that is made."""
    run = nnintro.train(experiment(prices), runs_dir=tmp_path)
    path = run.directory / "data.json"
    held = json.loads(path.read_text())
    for key, value in change.items():
        held[key] = {**held[key], **value} if isinstance(value, dict) else value
    del held["sha256"]
    text = json.dumps(held, sort_keys=True).encode()
    held["sha256"] = hashlib.sha256(text).hexdigest()
    path.write_text(json.dumps(held))
    with pytest.raises(CheckpointError):
        nnintro.load(run.directory)


def test_a_dataset_of_files_is_nothing_for_a_run_without(prices, tmp_path):
    run = nnintro.train(config(), runs_dir=tmp_path)
    path = tmp_path / "a.yaml"
    path.write_text("dataset: {kind: table, path: prices.csv, target: price}\n")
    with pytest.raises(ConfigError, match=r"a.yaml:1:17: dataset.kind: the run was not trained on"):
        evaluate(run.directory, str(path))


@pytest.mark.parametrize(
    ("columns", "keys", "samples"),
    [
        ({"x": range(900)}, {"target": "x", "window": 300, "horizon": 7}, 256),
        ({"x": range(900), "y": [f"k{k % 150}" for k in range(900)]}, {}, 300),
        ({"x": range(900), "y": ["a", "b"] * 300 + ["a"] * 300}, {"split": "time"}, 512),
        ({"x": range(900), "y": [k % 7 for k in range(900)],
          "c": [f"c{k // 5}" for k in range(900)]}, {"categorical": ["c"]}, 256),
    ],
)  # fmt: skip
def test_smoke_of_what_can_be_trained(tmp_path, columns, keys, samples):
    path = tmp_path / "a.csv"
    rows = zip(*columns.values(), strict=True)
    path.write_text("\n".join([",".join(columns), *(",".join(map(str, row)) for row in rows)]))
    dataset = {"kind": "table", "path": str(path), "target": "y", **keys}
    values = config(dataset=dataset, name="run", descent={"batch_size": 32})
    run = nnintro.train(values, runs_dir=tmp_path, smoke=True)
    held = run.setup.training_samples
    assert held == pytest.approx(0.8 * samples, abs=90 if samples == 300 else 1)
    assert 0 < run.summary["steps"] <= 20
    evaluate(run.directory)


@pytest.mark.parametrize("kind", ["table", "images"])
def test_a_name_longer_than_any_file_has(tmp_path, kind):
    dataset = {"kind": kind, "path": f"{tmp_path}/{'a' * 5000}"}
    model = {"kind": "mlp"}
    if kind == "images":
        model = {"kind": "unet", "channels": [2, 4]}
    else:
        dataset["target"] = "y"
    with pytest.raises(DataError, match=r"a: cannot be read: File name too long$"):
        nnintro.train({"dataset": dataset, "model": model}, runs_dir=tmp_path)


def test_a_run_goes_on_where_means_end_in_other_bits(prices, tmp_path, monkeypatch):
    """As on another processor: the file is the same, and so is the run."""
    values = experiment(prices, missing="mean")
    with cut_before(monkeypatch, 20), pytest.raises(Cut):
        train(values, tmp_path)
    path = tmp_path / "run/data.json"
    held = json.loads(path.read_text())
    column = held["description"]["columns"][0]
    column["mean"] = float(np.nextafter(column["mean"], np.inf))
    del held["sha256"]
    held["sha256"] = hashlib.sha256(json.dumps(held, sort_keys=True).encode()).hexdigest()
    path.write_text(json.dumps(held))
    for checkpoint in (tmp_path / "run/checkpoints").glob("*"):
        checkpoint.unlink()  # they are of the other bits
    run = train(None, tmp_path, resume="run")
    assert run.summary["status"] == "completed"
    assert evaluate(run.directory).metrics["rmse"] == run.summary["metrics"]["validation/rmse"]


def test_a_path_from_the_home_folder(prices, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(prices.parent))
    path = tmp_path / "a.yaml"
    dataset = "{kind: table, path: ~/prices.csv, target: price, exclude: [dear]}"
    path.write_text(f"dataset: {dataset}\nmodel: {{kind: mlp}}\ntraining: {{epochs: 0}}\n")
    assert nnintro.train(path, runs_dir=tmp_path).setup.dataset.path == str(prices)
