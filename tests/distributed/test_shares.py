"""One training in several processes ends at the parameters of one process, and leaves the same run."""

from __future__ import annotations

import pytest
import torch

import nnintro
from tests.distributed.launching import train_all
from tests.support import config

MOONS = {"kind": "classification", "generator": "moons", "samples": 40, "noise": 0.2}
IRIS = {"kind": "bundled", "name": "iris", "class_weights": "balanced", "standardize": "inputs"}
CELLS = {"kind": "images", "generator": "cells", "samples": 9, "size": [32, 32],
         "augmentation": ["flip", "rotate", "crop"]}  # fmt: skip


def unet(normalization: str, **sections):
    values = config(
        dataset=CELLS,
        model={"kind": "unet", "channels": [4, 8], "normalization": normalization},
        # Not adam: in front of a normalization a bias's gradient is rounding alone, which adam makes as large as any.
        descent={"batch_size": 4, "optimizer": {"kind": "sgd", "momentum": 0.9}, "learning_rate": 0.05},
    )
    return {**values, **{key: {**values[key], **keys} for key, keys in sections.items()}}


CONFIGS = {
    "batch": config(descent={"variant": "batch", "batch_size": 23}),
    "blocks": config(descent={"variant": "batch", "batch_size": 5, "optimizer": "adam"}),
    "ragged": config(descent={"batch_size": 4}),
    "few": config(descent={"batch_size": 2, "clip_norm": 0.3, "optimizer": {"kind": "sgd", "momentum": 0.9}}),
    "stochastic": config(descent={"variant": "stochastic", "batch_size": 1, "replacement": True}),
    "lbfgs": config(
        descent={"variant": "batch", "batch_size": 6, "optimizer": {"kind": "lbfgs", "iterations": 3}}
    ),
    "dropout": config(dataset=MOONS, model={"hidden": [8, 8], "dropout": 0.4}, descent={"weight_decay": 0.01}),
    "weights": config(dataset=IRIS, descent={"batch_size": 7}),
    "patience": config(
        descent={"learning_rate": 0.3},
        training={"epochs": 40, "early_stopping": {"patience": 3, "metric": "validation/mae"}},
    ),
    "goal": config(training={"epochs": 60, "stop_when": {"validation/rmse": 0.28}}),
    "unet": unet("group"),
    "normalized": unet("batch"),
    "normalized_in_blocks": unet("batch", descent={"variant": "batch", "batch_size": 4}),
}  # fmt: skip
for one in CONFIGS.values():
    one["training"].setdefault("epochs", 5)
    one["training"]["epochs"] = max(5, one["training"]["epochs"])
DIVERGES = config(
    dataset={"formula": "100*x"}, descent={"learning_rate": 1e5}, model={"hidden": []}, training={"epochs": 30}
)
REFUSED = config(training={"engine": "fused"})
IN_THREE = ("ragged", "few", "stochastic", "dropout", "unet", "normalized")
"""Those that are trained in three processes too."""
OWN = ("processes", "directory", "seconds", "steps_per_second", "engine", "metrics")
"""Keys of a summary that differ, or are compared by themselves."""


@pytest.fixture(scope="module", params=[2, 3])
def shared(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(f"shared-{request.param}")
    configs = CONFIGS if request.param == 2 else {name: CONFIGS[name] for name in IN_THREE}
    printed = train_all(request.param, {**configs, "diverges": DIVERGES, "refused": REFUSED}, folder)
    return request.param, folder, printed, configs


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alone")
    for name, one in CONFIGS.items():
        nnintro.train({**one, "name": name, "training": {**one["training"], "engine": "autograd"}}, runs_dir=folder)
    return folder


def test_the_parameters_and_the_records_are_those_of_one_process(shared, alone):
    processes, folder, _, configs = shared
    assert len(CONFIGS) == 13
    for name in configs:
        ours, theirs = nnintro.load(folder / name), nnintro.load(alone / name)
        for (key, a), b in zip(ours.model.state_dict().items(), theirs.model.state_dict().values(), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10, msg=lambda text, at=(name, key): f"{at}: {text}")
        assert ours.summary["processes"] == processes
        assert "processes" not in theirs.summary
        for key in {*ours.summary, *theirs.summary} - {*OWN}:
            assert ours.summary.get(key) == theirs.summary.get(key), (name, key)
        assert ours.summary["metrics"] == pytest.approx(theirs.summary["metrics"], rel=1e-7, abs=1e-9), name
        compare_histories(name, ours.history, theirs.history)


def compare_histories(name, ours, theirs):
    assert list(ours) == list(theirs), name
    for column in set(ours) - {"seconds", "speed/steps_per_second"}:
        assert [value is None for value in ours[column]] == [value is None for value in theirs[column]], (name, column)
        numbers = ([v for v in values[column] if v is not None] for values in (ours, theirs))
        assert next(numbers) == pytest.approx(next(numbers), rel=1e-7, abs=1e-9), (name, column)


def test_all_processes_end_alike_and_one_reports(shared):
    processes, folder, printed, configs = shared
    for name in configs:
        assert len({line for line in printed if line.startswith(f"{name}: ")}) == 1
        assert sum(line.startswith(f"{name}: ") for line in printed) == processes
    if processes == 2:
        assert sum("stopped" in line for line in printed if line.startswith(("patience", "goal"))) == 2 * processes
    diverged = [line for line in printed if line.startswith("diverges: DivergedError")]
    assert len(diverged) == processes
    assert sum("silent" in line for line in diverged) == processes - 1
    assert nnintro.load(folder / "diverges").summary["status"] == "diverged"
    refused = [line for line in printed if line.startswith("refused: ConfigError")]
    assert len(refused) == processes
    assert sum("silent" in line for line in refused) == processes - 1
    assert any("training.engine: fused does not serve a training in several processes" in line for line in refused)
    assert {path.name for path in folder.iterdir()} == {*configs, "diverges", "configs.json"}
