"""nnintro.train from Python: what goes in, what comes out, and what it leaves as it was."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
import sklearn.datasets  # noqa: F401  its import sets environment variables
import torch
import yaml

import nnintro
from tests.support import PATIENCE, config

ENDLESS = config(training={"epochs": 10**9}, logging={"scalars": "every 1000000 steps"})


def test_a_dict_and_a_file_are_the_same_experiment(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(config()))
    runs = [
        nnintro.train(config(), runs_dir=tmp_path / "runs"),
        nnintro.train(path, runs_dir=tmp_path / "runs"),
        nnintro.train(str(path), runs_dir=str(tmp_path / "runs")),
    ]
    assert [run.directory.name for run in runs] == ["run", "small", "small-2"]
    x = torch.linspace(0, 1, 7)
    for run in runs[1:]:
        assert torch.equal(run.predict(x), runs[0].predict(x))


def test_overrides_name_and_smoke(tmp_path):
    words = ["training.epochs=2", "descent.batch_size=23"]
    run = nnintro.train(config(), words, tmp_path, name="mine")
    assert (run.summary["name"], run.summary["steps"]) == ("mine", 2)
    smoke = nnintro.train(config(training={"epochs": 1000}), runs_dir=tmp_path, smoke=True)
    assert smoke.summary["steps"] == 20


def test_the_dict_is_not_changed(tmp_path):
    values, before = config(), config()
    nnintro.train(values, ["training.epochs=1"], tmp_path)
    assert values == before


def test_what_a_run_has(tmp_path):
    run = nnintro.train(config(), runs_dir=tmp_path)
    assert run.directory == tmp_path / "run"
    assert isinstance(run.directory, Path)
    assert isinstance(run.model, torch.nn.Module)
    assert not run.model.training
    assert {p.device.type for p in run.model.parameters()} == {"cpu"}
    assert run.summary == json.loads((tmp_path / "run/summary.json").read_text())
    assert {type(column) for column in run.history.values()} == {list}
    assert {len(column) for column in run.history.values()} == {len(run.history["step"])}
    assert repr(run) == f"Run('{tmp_path}/run', completed)"


def test_it_is_silent(tmp_path, capfd):
    nnintro.train(config(), runs_dir=tmp_path)
    assert capfd.readouterr() == ("", "")


def test_a_bad_dict_is_told_by_its_keys(tmp_path):
    with pytest.raises(nnintro.ConfigError) as caught:
        nnintro.train(config(model={"hiden": [3]}, training={"epochs": -1}), runs_dir=tmp_path)
    assert [problem.path for problem in caught.value.problems] == ["model.hiden", "training.epochs"]
    assert all(problem.line is None for problem in caught.value.problems)
    assert list(tmp_path.iterdir()) == []


def test_every_error_is_a_nnintro_error():
    for name in ("ConfigError", "DataError", "DivergedError", "CheckpointError"):
        assert issubclass(getattr(nnintro, name), nnintro.NnintroError)
        assert name in nnintro.__all__


def test_nothing_global_is_left_changed(tmp_path):
    torch.manual_seed(5)
    np.random.seed(5)
    random.seed(5)

    def state():
        return (
            torch.get_rng_state().tolist(),
            np.random.get_state()[1].tolist(),
            random.getstate(),
            torch.get_num_threads(),
            torch.get_default_dtype(),
            torch.is_grad_enabled(),
            torch.are_deterministic_algorithms_enabled(),
            signal.getsignal(signal.SIGINT),
            signal.getsignal(signal.SIGTERM),
            Path.cwd(),
            dict(os.environ),
            list(warnings.filters),
        )

    before = state()
    values = config(
        dataset={"kind": "classification", "generator": "moons", "samples": 60, "noise": 0.1},
        model={"dropout": 0.3},
        precision="float32",
        logging={"figures": "auto", "histograms": "auto"},
    )
    nnintro.train(values, runs_dir=tmp_path)
    for now, then in zip(state(), before, strict=True):
        assert now == then


def test_the_callers_random_state_has_no_say(tmp_path):
    runs = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        runs.append(nnintro.train(config(model={"dropout": 0.5}), runs_dir=tmp_path))
    assert torch.equal(runs[0].predict([0.3]), runs[1].predict([0.3]))


def test_the_callers_default_dtype_has_no_say(tmp_path):
    values = config(precision="float32")
    first = nnintro.train(values, runs_dir=tmp_path)
    torch.set_default_dtype(torch.float64)
    try:
        second = nnintro.train(values, runs_dir=tmp_path)
        third = nnintro.load(second.directory)
    finally:
        torch.set_default_dtype(torch.float32)
    for run in (second, third):
        assert torch.equal(run.predict([0.3]), first.predict([0.3]))


def test_it_works_from_a_thread(tmp_path):
    found = []
    values = config(logging={"figures": "auto"})
    thread = threading.Thread(target=lambda: found.append(nnintro.train(values, runs_dir=tmp_path)))
    thread.start()
    thread.join(PATIENCE)
    assert found[0].summary["status"] == "completed"
    assert (tmp_path / "run/figures/fit.png").exists()


def test_several_threads_get_a_folder_each(tmp_path):
    threads = [threading.Thread(target=nnintro.train, args=(config(), (), tmp_path)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    runs = [nnintro.load(tmp_path / name) for name in ("run", "run-2", "run-3")]
    assert len({float(run.predict([0.3])) for run in runs}) == 1


def test_ctrl_c_is_a_keyboard_interrupt_after_saving(tmp_path):
    def press():
        while not list(tmp_path.glob("run/events*")):
            time.sleep(0.01)
        time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        nnintro.train(ENDLESS, runs_dir=tmp_path)
    thread.join()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    run = nnintro.load(tmp_path / "run")
    assert run.summary["status"] == "interrupted"
    assert run.history["step"] == [0, run.summary["steps"]]
    assert run.summary["steps"] > 0


@pytest.mark.parametrize("engine", ["autograd", "fused"])
def test_diverged_carries_the_run(engine, tmp_path):
    values = config(dataset={"formula": "3*x"}, model={"hidden": []}, training={"epochs": 500})
    overrides = ["descent.learning_rate=60", f"training.engine={engine}"]
    with pytest.raises(nnintro.DivergedError, match="try a smaller learning rate") as caught:
        nnintro.train(values, overrides, runs_dir=tmp_path)
    error = caught.value
    assert error.directory == tmp_path / "run"
    assert error.summary is not None
    assert (error.summary["status"], error.summary["engine"]) == ("diverged", engine)
    run = nnintro.load(error.directory)
    assert run.predict([0.5]).isfinite().all()
    assert run.history["step"][-1] == error.summary["steps"]


def test_data_that_cannot_be_split_is_a_config_error_or_a_data_error(tmp_path):
    values = config(dataset={"kind": "classification", "generator": "moons", "samples": 2})
    with pytest.raises((nnintro.ConfigError, nnintro.DataError), match="samples"):
        nnintro.train(values, runs_dir=tmp_path)
    assert list(tmp_path.iterdir()) == []
