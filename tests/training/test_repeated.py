"""Training again and again in memory: the bits of ``fit``, data that is built once, and what ends it early."""

from __future__ import annotations

import math
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

import nnintro
from nnintro.config.load import load_config
from nnintro.training import repeated
from nnintro.training.loop import Point
from nnintro.training.repeated import KnownData, Trained, train_again

FUNCTION = {
    "dataset": {"kind": "function", "formula": "lecture", "samples": 100},
    "model": {"kind": "mlp", "hidden": [8]},
    "descent": {"batch_size": 32},
    "training": {"epochs": 10, "engine": "fused"},
}
CLASSES = {
    "dataset": {"kind": "classification", "generator": "moons", "samples": 120, "noise": 0.2},
    "model": {"kind": "mlp", "hidden": [6], "activation": "tanh"},
    "training": {"epochs": 40, "engine": "autograd", "early_stopping": {"patience": 2}},
}
CASES = [
    (FUNCTION, ["descent.batch_size=1", "descent.replacement=true"]),
    (FUNCTION, ["descent.variant=batch", "descent.optimizer=adam"]),
    (FUNCTION, ["training.engine=autograd", "precision=float64"]),
    (FUNCTION, ["training.stop_when={validation/loss: 0.05}", "descent.learning_rate=0.5"]),
    (CLASSES, ["descent.learning_rate=1"]),
    (CLASSES, ["dataset.standardize=inputs", "seed=3"]),
]


@pytest.mark.parametrize(("config", "overrides"), CASES)
@pytest.mark.parametrize("is_watched", [False, True])
def test_a_training_has_the_bits_and_the_metrics_of_fit(config, overrides, is_watched):
    watch = (lambda _: True) if is_watched else None
    trained = train_again(load_config(config, overrides), KnownData(), watch=watch)
    fitted = nnintro.fit(config, overrides)
    ours, theirs = dict(trained.model.named_parameters()), dict(fitted.model.named_parameters())
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert (trained.metrics, trained.status, trained.steps) == (fitted.metrics, fitted.status, fitted.steps)


def test_threads_train_as_one_does():
    known = KnownData()
    configs = [
        load_config(FUNCTION, [f"descent.learning_rate={seed / 10}", f"seed={seed}"]) for seed in (1, 2, 3, 4)
    ] * 3

    def train(config: object) -> Trained:
        return train_again(config, known)

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(train, configs))
    alone = [train(config) for config in configs]
    assert [t.metrics for t in together] == [t.metrics for t in alone]
    assert len({t.metrics["train/loss"] for t in alone}) == 4


def test_data_is_built_once_for_each_dataset_and_seed(monkeypatch):
    built = []
    original = repeated.build_data
    monkeypatch.setattr(repeated, "build_data", lambda experiment: built.append(experiment) or original(experiment))
    known = KnownData()
    for overrides in ([], ["descent.learning_rate=1"], ["seed=1"], ["dataset.samples=50"], []):
        train_again(load_config(FUNCTION, overrides), known)
    assert [(e.seed, e.dataset.samples) for e in built] == [(0, 100), (1, 100), (0, 50)]


def test_of_large_data_the_latest_alone_is_kept(monkeypatch):
    monkeypatch.setattr(repeated, "MOST_BYTES", 1)
    known = KnownData()
    one, other = load_config(FUNCTION, []).experiment, load_config(FUNCTION, ["seed=1"]).experiment
    first = known.of(one)
    assert known.of(one) is first
    known.of(other)
    assert known.of(one) is not first


def test_divergence_is_a_result():
    overrides = ["dataset.formula=3*x", "model.hidden=[]", "descent.learning_rate=600"]
    trained = train_again(load_config(FUNCTION, overrides), KnownData())
    assert trained.status == "diverged"
    assert trained.metrics == {}
    assert trained.steps < 40


def test_a_training_that_is_given_up_at_a_look_ends_there_with_its_metrics():
    seen: list[Point] = []

    def watch(point: Point) -> bool:
        seen.append(point)
        return len(seen) < 3

    trained = train_again(load_config(FUNCTION, ["logging.scalars=every 4 steps"]), KnownData(), watch=watch)
    assert [point.step for point in seen] == [0, 4, 8]
    assert (trained.status, trained.steps) == ("given up", 8)
    assert trained.metrics["validation/loss"] == pytest.approx(seen[-1].scalars["validation/loss"])
    assert math.isfinite(trained.metrics["train/loss"])


def test_an_interruption_ends_it_without_metrics():
    stop = threading.Event()
    stop.set()
    trained = train_again(load_config(FUNCTION, ["training.epochs=100000"]), KnownData(), stop.is_set)
    assert (trained.status, trained.steps, trained.metrics) == ("interrupted", 0, {})


def test_the_data_of_many_seeds_is_not_all_kept(monkeypatch):
    monkeypatch.setattr(repeated, "MOST_KEPT", 3)
    known = KnownData()
    for seed in range(10):
        latest = load_config(FUNCTION, [f"seed={seed}"]).experiment
        assert known.of(latest) is known.of(latest)
    assert len(known._known) == 3
