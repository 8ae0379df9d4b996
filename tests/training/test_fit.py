"""nnintro.fit from outside: the bits of train, and nothing left behind."""

from __future__ import annotations

import contextlib
import multiprocessing.process
import os
import random
import signal
import subprocess
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
import sklearn.datasets  # noqa: F401  its import sets environment variables
import torch

import nnintro
from tests.support import PATIENCE, config

ENGINES = ["autograd", "fused"]
TIMES = ("seconds", "speed/steps_per_second")
"""The columns of a history that depend on the clock."""
MOONS = {"kind": "classification", "generator": "moons", "samples": 60, "noise": 0.1}
BLOBS = {"kind": "classification", "generator": "blobs", "classes": 3, "samples": 90}
LINEAR = {"kind": "regression", "generator": "linear", "features": 3, "samples": 40}
IMAGES = {
    "dataset": {"kind": "images", "generator": "cells", "samples": 8, "size": [32, 32],
                "augmentation": ["flip", "crop"]},
    "model": {"kind": "unet", "channels": [2, 4]},
    "descent": {"learning_rate": 0.05, "batch_size": 3},
    "training": {"epochs": 3},
}  # fmt: skip
ENDLESS = config(training={"epochs": 10**9}, logging={"scalars": "every 1000000 steps"})
DIVERGING = config(
    dataset={"formula": "3*x"}, model={"hidden": []}, descent={"learning_rate": 60.0},
    training={"epochs": 500},
)  # fmt: skip
STOPPING = {"epochs": 60, "early_stopping": {"patience": 2, "minimum_improvement": 0.01}}


def on(engine, **sections):
    """A small config for an engine."""
    values = config(**sections)
    values["training"]["engine"] = engine
    return values


CASES = {
    **{f"function, {engine}": on(engine, precision="float32") for engine in ENGINES},
    **{f"float64, {engine}": on(engine, dataset={"noise": 0.1}) for engine in ENGINES},
    **{f"scalars off, {engine}": on(engine, logging={"scalars": "off"}) for engine in ENGINES},
    **{f"every 4 steps, {engine}": on(engine, logging={"scalars": "every 4 steps"})
       for engine in ENGINES},
    **{f"classes that stop early, {engine}": on(engine, dataset=BLOBS, training=STOPPING)
       for engine in ENGINES},
    **{f"standardized, {engine}":
       on(engine, dataset={**LINEAR, "standardize": "inputs"}, descent={"optimizer": "adam"})
       for engine in ENGINES},
    "dropout that stops early":
        config(dataset=MOONS, model={"dropout": 0.3}, training=STOPPING, precision="float32"),
    "scalars off that stop early": config(
        dataset=MOONS, training=STOPPING, logging={"scalars": "off"}, descent={"batch_size": 7}),
    "wanted values": config(
        training={"epochs": 500, "stop_when": {"train/loss": 0.05}}),
    "batch": config(descent={"variant": "batch", "batch_size": None, "optimizer": "lbfgs"}),
    "untrained": config(training={"epochs": 0}),
    "bfloat16": config(precision="bfloat16"),
    "images": IMAGES,
    "images that stop early": {
        **IMAGES,
        "training": {"epochs": 6, "early_stopping": {"patience": 1, "minimum_improvement": 10}},
    },
}  # fmt: skip
CASES["batch"]["descent"].pop("batch_size")


@pytest.fixture(autouse=True, scope="module")
def compiled_kernels():
    """The kernels are on disk from here on: compiling starts a process and takes seconds."""
    for precision in ("float32", "float64"):
        nnintro.fit(on("fused", precision=precision, training={"epochs": 1}))


@contextlib.contextmanager
def on_threads(count):
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def in_thread(work, *arguments):
    """What work returns, or raises, in a thread of its own."""
    found = []

    def run():
        try:
            found.append(work(*arguments))
        except BaseException as error:
            found.append(error)

    thread = threading.Thread(daemon=True, target=run)
    thread.start()
    thread.join(PATIENCE)
    if isinstance(found[0], BaseException):
        raise found[0]
    return found[0]


def assert_same_parameters(ones, others):
    assert list(ones) == list(others)
    for name, value in ones.items():
        assert torch.equal(value, others[name]), name


def without_times(history):
    return {name: values for name, values in history.items() if name not in TIMES}


def assert_same(fitted, other):
    """Two trainings of one config, bit by bit."""
    assert_same_parameters(fitted.model.state_dict(), other.model.state_dict())
    assert without_times(fitted.history) == without_times(other.history)


# --- the bits of train --------------------------------------------------------------------------


def assert_as_trained(values, tmp_path):
    fitted = nnintro.fit(values)
    values = {**values, "logging": {**values.get("logging", {}), "figures": "off"}}
    run = nnintro.train(values, runs_dir=tmp_path / "runs")
    assert_same(fitted, run)
    assert list(fitted.history) == list(run.history)
    assert fitted.metrics == run.summary["metrics"]
    assert (fitted.status, fitted.steps) == (run.summary["status"], run.summary["steps"])
    return fitted


@pytest.mark.parametrize("name", CASES)
def test_the_bits_are_those_of_train(name, tmp_path):
    fitted = assert_as_trained(CASES[name], tmp_path)
    assert fitted.status == ("stopped" if "stop" in name or "wanted" in name else "completed")
    assert len(fitted.history["step"]) >= (1 if fitted.steps == 0 else 2)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_table_has_the_bits_of_train(engine, tmp_path):
    rows = [f"{area},{city},{3 * area + 40 * (city == 'Ulm')}"
            for area in range(20, 60) for city in ("Ulm", "Bonn")]  # fmt: skip
    (tmp_path / "flats.csv").write_text("\n".join(["area,city,price", *rows]) + "\n")
    values = on(engine, dataset={"kind": "table", "path": "flats.csv", "target": "price"})
    path = tmp_path / "flats.yaml"
    path.write_text(repr(values).replace("'", '"'))
    fitted = assert_as_trained_from(path, tmp_path)
    assert fitted.features == ["area", "city=Bonn", "city=Ulm"]
    columns = {"area": [30.0], "city": ["Ulm"]}
    assert torch.equal(fitted.predict(columns), fitted.predict([[30.0, 0.0, 1.0]]))


def assert_as_trained_from(path, tmp_path):
    fitted, run = nnintro.fit(path), nnintro.train(path, runs_dir=tmp_path / "runs")
    assert_same(fitted, run)
    assert fitted.metrics == run.summary["metrics"]
    return fitted


@pytest.mark.parametrize("engine", ENGINES)
def test_a_network_of_several_threads_has_the_bits_of_train(engine, tmp_path):
    values = on(
        engine, dataset={"samples": 400}, model={"hidden": [150, 150]},
        descent={"batch_size": 200}, training={"epochs": 2}, precision="float32",
    )  # fmt: skip
    with on_threads(2):
        assert_as_trained(values, tmp_path)


def test_overrides_and_smoke_are_those_of_train(tmp_path):
    words = ["training.epochs=2", "descent.batch_size=23"]
    assert_same(nnintro.fit(config(), words), nnintro.train(config(), words, tmp_path))
    smoke = nnintro.fit(config(training={"epochs": 1000}), smoke=True)
    assert smoke.steps == 20


def test_the_callers_random_state_and_dtype_have_no_say():
    values = config(model={"dropout": 0.5}, precision="float32")
    first = nnintro.fit(values)
    torch.manual_seed(7)
    torch.set_default_dtype(torch.float64)
    try:
        second = nnintro.fit(values)
        assert_same(first, second)
        assert torch.equal(first.predict([0.3]), second.predict([0.3]))
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_the_callers_grad_mode_has_no_say(mode, engine):
    values = on(engine)
    with mode():
        fitted = nnintro.fit(values)
        assert not torch.is_grad_enabled()
    assert_same(fitted, nnintro.fit(values))


# --- what a Fitted has --------------------------------------------------------------------------


def test_what_a_fitted_network_has():
    fitted = nnintro.fit(config(name="curve"))
    assert isinstance(fitted, nnintro.Fitted)
    assert not fitted.model.training
    assert {p.device.type for p in fitted.model.parameters()} == {"cpu"}
    assert tuple(fitted.training.inputs.shape) == tuple(fitted.training.targets.shape) == (23, 1)
    assert len(fitted.validation) == 2001
    assert fitted.setup.batch_size == 4
    assert 0 < fitted.seconds < PATIENCE
    assert fitted.history["seconds"][-1] == fitted.seconds
    assert repr(fitted) == "Fitted('curve', completed after 18 updates)"
    loss = float(((fitted.predict(fitted.training.inputs) - fitted.training.targets) ** 2).mean())
    assert fitted.metrics["train/loss"] == pytest.approx(loss, rel=1e-12)


DIABETES = {"kind": "bundled", "name": "diabetes", "standardize": "both"}


@pytest.mark.parametrize("values", [config(), config(dataset=DIABETES)], ids=["function", "standardized-targets"])
def test_the_history_is_that_of_the_training_whatever_becomes_of_the_model(values):
    fitted, untouched = nnintro.fit(values), nnintro.fit(values)
    with torch.no_grad():
        for tensor in fitted.model.state_dict().values():  # parameters, and the units of inputs and targets
            tensor.zero_()
    fitted.model.float()
    assert without_times(fitted.history) == without_times(untouched.history)


def test_the_order_is_what_the_training_walked():
    """Plain gradient descent by hand, along the orders that are told."""
    fitted = nnintro.fit(config(model={"hidden": []}), snapshots=[0])
    w, b = (value.clone().requires_grad_() for value in fitted.snapshots[0].values())
    for epoch in range(3):
        order = fitted.order(epoch)
        assert sorted(order.tolist()) == list(range(23))
        for rows in order.split(4):
            x, y = fitted.training.inputs[rows], fitted.training.targets[rows]
            loss = ((x @ w.T + b - y) ** 2).mean()
            for value, gradient in zip((w, b), torch.autograd.grad(loss, (w, b)), strict=True):
                value.data -= 0.05 * gradient
    for found, wanted in zip(fitted.model.parameters(), (w, b), strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-12, atol=1e-12)


def test_without_shuffling_the_order_is_the_datas_own():
    for descent in ({"shuffle": False}, {"variant": "batch"}):
        fitted = nnintro.fit(config(descent=descent, training={"epochs": 1}))
        assert fitted.order(5).tolist() == list(range(23))


# --- snapshots ----------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ENGINES)
def test_snapshots_are_the_parameters_after_those_updates(engine):
    values = on(engine)
    fitted = nnintro.fit(values, snapshots=[18, 0, 7, 7, 19, 1000])
    assert sorted(fitted.snapshots) == [0, 7, 18]
    assert_same(fitted, nnintro.fit(values))  # taking them changes nothing
    assert_same_parameters(fitted.snapshots[18], dict(fitted.model.named_parameters()))
    for update in (0, 7):
        short = nnintro.fit({**values, "training": {"engine": engine, "steps": update}})
        assert_same_parameters(fitted.snapshots[update], dict(short.model.named_parameters()))
    assert not torch.equal(*(fitted.snapshots[k]["layers.0.weight"] for k in (0, 7)))


def test_snapshots_have_the_names_of_the_model():
    values = config(dataset={**LINEAR, "standardize": "inputs"})
    fitted = nnintro.fit(values, snapshots=range(3))
    names = [name for name, _ in fitted.model.named_parameters()]
    assert [list(snapshot) for snapshot in fitted.snapshots.values()] == 3 * [names]
    fitted.model.load_state_dict(fitted.snapshots[0], strict=False)


def test_early_stopping_goes_back_behind_the_last_snapshot():
    values = config(dataset=BLOBS, training=STOPPING)
    fitted = nnintro.fit(values)
    again = nnintro.fit(values, snapshots=[fitted.steps])
    assert_same(fitted, again)
    last = again.snapshots[fitted.steps]
    assert any(not torch.equal(p, last[name]) for name, p in again.model.named_parameters())


@pytest.mark.parametrize("snapshots", [[-1], [1.5], [True], ["3"], "3", [None], [0, float("nan")]])
def test_what_is_no_number_of_updates_is_refused(snapshots):
    with pytest.raises(nnintro.NnintroError, match="snapshots: expected numbers of updates from 0"):
        nnintro.fit(config(), snapshots=snapshots)


def test_numpys_numbers_are_numbers():
    assert list(nnintro.fit(config(), snapshots=np.arange(3)).snapshots) == [0, 1, 2]


# --- stopping -----------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ENGINES)
def test_another_thread_ends_it(engine):
    values, stop, found = on(engine, **ENDLESS), threading.Event(), []
    thread = threading.Thread(daemon=True, target=lambda: found.append(nnintro.fit(values, stop=stop)))
    thread.start()
    time.sleep(0.3)
    assert thread.is_alive()
    stop.set()
    thread.join(PATIENCE)
    (fitted,) = found
    assert fitted.status == "interrupted"
    assert fitted.steps > 0
    assert fitted.history["step"] == [0, fitted.steps]
    again = nnintro.fit({**values, "training": {"engine": engine, "steps": fitted.steps + 1}}, snapshots=[fitted.steps])
    parameters = dict(fitted.model.named_parameters())
    assert_same_parameters(parameters, again.snapshots[fitted.steps])


@pytest.mark.parametrize("engine", ENGINES)
def test_stopped_beforehand_it_does_nothing(engine):
    stop = threading.Event()
    stop.set()
    fitted = nnintro.fit(on(engine, **ENDLESS), stop=stop, snapshots=[0])
    assert (fitted.status, fitted.steps, fitted.history["step"]) == ("interrupted", 0, [0])
    assert_same_parameters(dict(fitted.model.named_parameters()), fitted.snapshots[0])


# --- nothing is left behind ---------------------------------------------------------------------


def global_state():
    return {
        "torch": torch.get_rng_state().tolist(),
        "numpy": np.random.get_state()[1].tolist(),
        "random": random.getstate(),
        "threads": torch.get_num_threads(),
        "new threads": in_thread(torch.get_num_threads),
        "libraries": [(pool["filepath"], pool["num_threads"]) for pool in libraries()],
        "dtype": torch.get_default_dtype(),
        "grad": torch.is_grad_enabled(),
        "denormals": float(np.float32(1e-40) * np.float32(0.5)),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "signals": (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)),
        "folder": Path.cwd(),
        "environment": dict(os.environ),
        "warnings": list(warnings.filters),
    }


def libraries():
    from threadpoolctl import threadpool_info

    return threadpool_info()


def raising(values):
    try:
        nnintro.fit(values)
    except nnintro.NnintroError as error:
        return type(error)
    return None


ENDINGS = {
    **{f"function, {engine}": (on(engine, model={"hidden": [9]}), None) for engine in ENGINES},
    "dropout": (config(dataset=MOONS, model={"dropout": 0.3}), None),
    "images": (IMAGES, None),
    **{f"diverged, {engine}": (on(engine, **DIVERGING), nnintro.DivergedError)
       for engine in ENGINES},
    "no config": (config(training={"epochs": -1}), nnintro.ConfigError),
    "not finite": (config(dataset={"formula": "1/x"}), nnintro.ConfigError),
    "no data": (config(dataset={"kind": "table", "path": "nowhere.csv", "target": "y"}),
                nnintro.DataError),
}  # fmt: skip


@pytest.mark.parametrize("name", ENDINGS)
def test_nothing_global_is_left_changed(name):
    values, wanted = ENDINGS[name]
    with on_threads(2):
        before = global_state()
        assert raising(values) is wanted
        assert global_state() == before
        assert in_thread(lambda: (raising(values), global_state()))[1] == before
        assert global_state() == before


@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_global_is_changed_while_several_go_on(engine):
    """Whichever ends first: the others' number of threads, and a new thread's, stay."""
    with on_threads(2):
        before, stops, found = global_state(), [threading.Event() for _ in range(3)], []
        values = on(engine, **ENDLESS)
        threads = [
            threading.Thread(daemon=True, target=lambda stop=stop: found.append(nnintro.fit(values, stop=stop)))
            for stop in stops
        ]
        for thread in threads:
            thread.start()
            time.sleep(0.1)
        nnintro.fit(values, ["training.epochs=3"])  # here, meanwhile
        assert torch.get_num_threads() == 2
        assert in_thread(torch.get_num_threads) == 2
        for stop, thread in zip(stops, threads, strict=True):
            stop.set()
            thread.join(PATIENCE)
        assert len(found) == 3
        assert global_state() == before


def test_nothing_is_printed_no_file_is_made_no_process_starts(tmp_path, monkeypatch, capfd):
    def refused(*_, **__):
        raise AssertionError("a process was started")

    monkeypatch.chdir(tmp_path)
    for place, name in ((subprocess.Popen, "__init__"), (os, "fork"), (os, "posix_spawn"),
                        (multiprocessing.process.BaseProcess, "start")):  # fmt: skip
        monkeypatch.setattr(place, name, refused)
    values = {"logging": {"figures": "auto", "histograms": "auto"}}
    for engine in ENGINES:
        fitted = nnintro.fit(on(engine, **values), snapshots=[3])
        assert fitted.history["step"][-1] == 18
    nnintro.fit({**IMAGES, **values})
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


# --- several at once ----------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ENGINES)
def test_four_at_once_have_the_bits_of_one_by_one(engine):
    several = [
        on(engine, seed=1, training={"epochs": 40}),
        on(engine, seed=2, dataset=BLOBS, training=STOPPING, precision="float32"),
        on(engine, seed=3, dataset={"samples": 400}, model={"hidden": [150, 150]},
           descent={"batch_size": 200, "optimizer": "adam"}, training={"epochs": 5},
           precision="float32"),
        on(engine, seed=4, dataset={"samples": 300}, model={"hidden": [100]},
           descent={"variant": "batch", "learning_rate": 0.01}, training={"epochs": 50}),
    ]  # fmt: skip
    for values in several:
        if values["descent"].get("variant") == "batch":
            del values["descent"]["batch_size"]
    with on_threads(2):
        wanted = [nnintro.fit(values, snapshots=[5]) for values in several]
        for _ in range(2):
            for one, other in zip(wanted, all_at_once(several), strict=True):
                assert_same(one, other)
                assert one.metrics == other.metrics
                assert_same_parameters(one.snapshots[5], other.snapshots[5])


def all_at_once(several):
    found, begin = {}, threading.Barrier(len(several))

    def fit(index, values):
        begin.wait(PATIENCE)
        found[index] = nnintro.fit(values, snapshots=[5])

    threads = [threading.Thread(daemon=True, target=fit, args=pair) for pair in enumerate(several)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    return [found[index] for index in range(len(several))]


# --- errors -------------------------------------------------------------------------------------


def test_a_config_error_has_the_place_of_every_problem(tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text(
        "dataset: {kind: function, formula: x, samples: 5}\n"
        "model: {kind: mlp, hiden: [3]}\n"
        "descent:\n  learning_rate: -1\n"
    )
    with pytest.raises(nnintro.ConfigError) as caught:
        nnintro.fit(path)
    places = [(p.path, p.file, p.line, p.column) for p in caught.value.problems]
    assert places == [("model.hiden", str(path), 2, 20), ("descent.learning_rate", str(path), 4, 18)]


def test_a_problem_that_only_the_data_shows_has_its_place_too(tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text("dataset: {kind: function, formula: 1/x, samples: 5}\nmodel: {kind: mlp, hidden: [3]}\n")
    with pytest.raises(nnintro.ConfigError, match="not a finite number at x = 0") as caught:
        nnintro.fit(path)
    (problem,) = caught.value.problems
    assert (problem.path, problem.line) == ("dataset.formula", 1)


def test_a_dict_is_told_by_its_keys():
    with pytest.raises(nnintro.ConfigError) as caught:
        nnintro.fit(config(model={"hiden": [3]}), ["training.epochs=-1"])
    assert [problem.path for problem in caught.value.problems] == ["model.hiden", "training.epochs"]


def test_data_that_is_not_there(tmp_path):
    table = {"kind": "table", "path": str(tmp_path / "nowhere.csv"), "target": "y"}
    with pytest.raises(nnintro.DataError, match=r"nowhere\.csv"):
        nnintro.fit(config(dataset=table))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_diverged_training_raises_and_says_what_to_try(engine):
    with pytest.raises(nnintro.DivergedError, match="try a smaller learning rate") as caught:
        nnintro.fit(on(engine, **DIVERGING))
    assert (caught.value.directory, caught.value.summary) == (None, None)
