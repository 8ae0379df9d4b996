"""Every update is the one that training makes: rows, rate, optimizer, and what a run goes on with."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
import yaml

import nnintro
from nnintro.descent.optimizers import OPTIMIZERS
from nnintro.errors import CheckpointError, ConfigError, UsageError
from nnintro.explain import optimizers
from nnintro.explain.explain import explain
from tests.explain.truth import ACTIVATIONS, loss_of, require_close, samples_of, tensors_of
from tests.support import config

optim = torch.optim
SETTINGS = {
    "sgd": ({"kind": "sgd"}, lambda p, decay: optim.SGD(p, weight_decay=decay)),
    "momentum": ({"kind": "sgd", "momentum": 0.9}, lambda p, decay: optim.SGD(p, momentum=0.9, weight_decay=decay)),
    "nesterov": (
        {"kind": "sgd", "momentum": 0.8, "nesterov": True},
        lambda p, decay: optim.SGD(p, momentum=0.8, nesterov=True, weight_decay=decay),
    ),
    "adagrad": ({"kind": "adagrad", "epsilon": 1e-3}, lambda p, decay: optim.Adagrad(p, eps=1e-3, weight_decay=decay)),
    "rmsprop": (
        {"kind": "rmsprop", "smoothing": 0.9, "epsilon": 1e-4},
        lambda p, decay: optim.RMSprop(p, alpha=0.9, eps=1e-4, weight_decay=decay),
    ),
    "rmsprop with momentum": (
        {"kind": "rmsprop", "momentum": 0.5},
        lambda p, decay: optim.RMSprop(p, momentum=0.5, weight_decay=decay),
    ),
    "adam": (
        {"kind": "adam", "betas": [0.8, 0.99], "epsilon": 1e-5},
        lambda p, decay: optim.Adam(p, betas=(0.8, 0.99), eps=1e-5, weight_decay=decay),
    ),
    "adamw": ({"kind": "adamw"}, lambda p, decay: optim.AdamW(p, weight_decay=decay)),
}
RATES = {"constant": [0.1, 0.1, 0.1], "exponential": [0.1, 0.1 * 0.01 ** (1 / 17), 0.1 * 0.01 ** (2 / 17)]}
"""Of 18 updates."""


def all_of(explanation):
    first = explanation.as_dict()
    return [first, *first.get("following", ())]


def parameters_after(update):
    return [np.array(layer[f"{name}_after"]) for layer in update["layers"] for name in ("W", "b")]


@pytest.mark.parametrize("schedule", RATES)
@pytest.mark.parametrize(("decay", "clip"), [(0.0, None), (0.1, None), (0.0, 0.05), (0.02, 0.05), (0.0, 1000.0)])
@pytest.mark.parametrize("name", SETTINGS)
def test_three_updates_in_a_row_are_torchs(explained, name, decay, clip, schedule):
    section, build = SETTINGS[name]
    descent = {"optimizer": section, "weight_decay": decay, "learning_rate": 0.1, "schedule": schedule}
    descent |= {"clip_norm": clip} if clip else {}
    updates = all_of(explained(descent=descent, updates=3))
    parameters = tensors_of(updates[0])
    optimizer = build(parameters, decay)
    clipped = []
    for update, rate in zip(updates, RATES[schedule], strict=True):
        # Each update begins where the one before ended.
        starts = [np.array(layer[name]) for layer in update["layers"] for name in ("W", "b")]
        for ours, parameter in zip(starts, parameters, strict=True):
            require_close(ours, parameter, "start", 1e-11)
        optimizer.zero_grad()
        u, t = samples_of(update)
        for layer, W, b in zip(update["layers"], parameters[::2], parameters[1::2], strict=True):
            u = ACTIVATIONS[layer["s"]](u @ W.T + b)
        loss_of("mse", u, t).backward()
        length = torch.nn.utils.clip_grad_norm_(parameters, clip or float("inf"))
        assert update["update"]["gradient_norm"] == pytest.approx(float(length), rel=1e-11)
        assert update["update"]["learning_rate"] == pytest.approx(rate, rel=1e-12)
        clipped.append(clip is not None and float(length) > clip)
        optimizer.param_groups[0]["lr"] = rate
        optimizer.step()
        for ours, parameter in zip(parameters_after(update), parameters, strict=True):
            require_close(ours, parameter, name, 1e-11)
        for layer, *pair in zip(update["layers"], parameters[::2], parameters[1::2], strict=True):
            for memory, parameter in zip(layer["memory_after"].values(), pair, strict=True):
                kept = {key for key, value in optimizer.state[parameter].items() if value is not None} - {"step"}
                assert set(memory) == kept
                for key, values in memory.items():
                    require_close(values, optimizer.state[parameter][key], key, 1e-11)
        assert update["check"]["largest_difference"] <= 1e-12
    assert all(clipped) == (clip == 0.05)


def test_every_optimizer_is_tried_or_refused(explained):
    tried = {section["kind"] for section, _ in SETTINGS.values()}
    assert tried == set(optimizers.RULES)
    for kind in set(OPTIMIZERS) - tried:
        with pytest.raises(ConfigError, match=rf"descent\.optimizer: explain does not serve the optimizer {kind}; "):
            explained(descent={"optimizer": kind, "variant": "batch"})


DESCENTS = {
    "batch": {"variant": "batch", "batch_size": None},
    "batch in blocks": {"variant": "batch", "batch_size": 5},
    "mini-batch": {"variant": "mini-batch", "batch_size": 9},
    "in its own order": {"variant": "mini-batch", "batch_size": 9, "shuffle": False},
    "stochastic": {"variant": "stochastic", "batch_size": None},
    "adam": {"variant": "mini-batch", "batch_size": 6, "optimizer": "adam", "schedule": "cosine", "weight_decay": 0.1},
}


@pytest.mark.parametrize("name", DESCENTS)
def test_updates_are_those_of_a_training(tmp_path, name):
    """``fit`` by the autograd engine in float64, which has no part in what ``explain`` computes."""
    values = config(descent=DESCENTS[name], training={"epochs": 3, "engine": "autograd"})
    values["descent"] = {key: value for key, value in values["descent"].items() if value is not None}
    path = tmp_path / "a.yaml"
    path.write_text(yaml.safe_dump(values))
    count = 3 if values["descent"]["variant"] == "batch" else 5
    fitted = nnintro.fit(values, snapshots=range(count + 1))
    updates = all_of(explain(path, updates=count))
    per_epoch = len(fitted.order(0)) // len(updates[0]["rows"]) + (len(fitted.order(0)) % len(updates[0]["rows"]) > 0)
    walked = list(itertools.chain.from_iterable(fitted.order(epoch).tolist() for epoch in range(5)))
    assert (
        list(itertools.chain.from_iterable(update["rows"] for update in updates))
        == (walked[: sum(len(update["rows"]) for update in updates)])
    )
    assert name == "stochastic" or per_epoch < count
    for number, update in enumerate(updates):
        before, after = ([*fitted.snapshots[at].values()] for at in (number, number + 1))
        starts = [np.array(layer[key]) for layer in update["layers"] for key in ("W", "b")]
        assert number or all(np.array_equal(a, b.numpy()) for a, b in zip(starts, before, strict=True))
        for ours, theirs in zip(parameters_after(update), after, strict=True):
            require_close(ours, theirs, name, 1e-12)
        assert any(not torch.equal(a, b) for a, b in zip(before, after, strict=True))
        inputs = fitted.training.inputs[update["rows"]]
        assert np.array_equal(update["inputs"], inputs.numpy())


def trained(tmp_path, **sections):
    values = config(**sections)
    return nnintro.train(values, runs_dir=tmp_path / "runs", name="a")


RUNS = {
    "momentum": {"optimizer": {"kind": "sgd", "momentum": 0.9}},
    "adam": {"optimizer": "adam", "schedule": "exponential"},
    "adagrad": {"optimizer": "adagrad", "clip_norm": 0.1},
    "rmsprop": {"optimizer": {"kind": "rmsprop", "momentum": 0.3}},
}


@pytest.mark.parametrize("name", RUNS)
def test_a_runs_next_updates_are_those_that_it_goes_on_with(tmp_path, name):
    run = trained(tmp_path, descent={**RUNS[name], "learning_rate": 0.02}, training={"epochs": None, "steps": 8})
    longer = ["training.steps=10"]
    updates = all_of(explain(run.directory, longer, updates=2))
    assert [update["step"] for update in updates] == [8, 9]
    before = run.model.state_dict()
    resumed = nnintro.train(resume=run.directory, overrides=longer)
    assert resumed.summary["steps"] == 10
    starts = [np.array(layer[key]) for layer in updates[0]["layers"] for key in ("W", "b")]
    assert all(np.array_equal(a, b.numpy()) for a, b in zip(starts, before.values(), strict=True))
    for ours, theirs in zip(parameters_after(updates[1]), resumed.model.state_dict().values(), strict=True):
        require_close(ours, theirs, name)
    assert updates[1]["update"]["learning_rate"] <= updates[0]["update"]["learning_rate"]


def test_a_run_in_float32_is_converted_exactly(tmp_path):
    dataset = {"kind": "bundled", "name": "diabetes", "standardize": "both"}
    run = trained(tmp_path, precision="float32", descent={"optimizer": "adam"}, dataset=dataset)
    update = explain(run.directory).as_dict()
    network = run.model.network
    assert np.array_equal(update["layers"][0]["W"], network.layers[0].weight.detach().double().numpy())
    assert np.array(update["layers"][0]["W"]).astype(np.float32).tolist() == update["layers"][0]["W"]
    assert update["standardized"] == "both"
    fitted = nnintro.fit(run.directory / "config.yaml", ["training.epochs=0"])
    assert float(fitted.training.inputs.mean(0).abs().max()) < 1e-6
    assert update["inputs"] == fitted.training.inputs[update["rows"]].double().tolist()
    assert update["targets"] == fitted.training.targets[update["rows"]].double().tolist()


def test_the_network_to_go_on_with_is_not_the_best_one_of_early_stopping(tmp_path):
    stopped = trained(
        tmp_path, descent={"learning_rate": 0.9}, training={"epochs": 50, "early_stopping": {"patience": 1}}
    )
    assert stopped.summary["status"] == "stopped"
    update = explain(stopped.directory).as_dict()
    assert update["step"] == stopped.summary["steps"]
    best = stopped.model.state_dict()
    assert not np.allclose(update["layers"][0]["W"], best["layers.0.weight"].numpy(), rtol=1e-6)


def test_changes_that_nothing_can_go_on_under(tmp_path):
    run = trained(tmp_path)
    with pytest.raises(ConfigError, match=r"descent\.optimizer: the run has the state of sgd, which is of no use"):
        explain(run.directory, ["descent.optimizer=adam"])
    with pytest.raises(ConfigError, match=r"descent\.batch_size: the run's epochs are of 23 samples"):
        explain(run.directory, ["descent.batch_size=3"])
    with pytest.raises(CheckpointError, match="another model"):
        explain(run.directory, ["model.activation=relu"])
    halved = explain(run.directory, ["descent.learning_rate=0.025"]).as_dict()
    assert halved["update"]["learning_rate"] == 0.025


def test_a_damaged_checkpoint_is_passed_over_with_a_note(tmp_path):
    run = trained(tmp_path, training={"epochs": 3, "checkpoint": {"every": "5 steps", "keep": 3}})
    newest = max((run.directory / "checkpoints").glob("*.pt"), key=lambda path: int(path.stem.split("-")[1]))
    newest.write_bytes(newest.read_bytes()[:-9])
    explanation = explain(run.directory)
    (note,) = explanation.subject.notes
    assert newest.name in note
    assert explanation.updates[0].number < run.summary["steps"]


@pytest.mark.parametrize("sample", [-1, 23, 10**9])
def test_a_sample_that_is_not_there(explained, sample):
    with pytest.raises(UsageError, match=rf"--sample: expected a training sample from 0 to 22, got {sample}"):
        explained(sample=sample)


@pytest.mark.parametrize("elsewhere", [{"device": "cuda:99"}, {"training": {"engine": "graph"}}])
def test_neither_the_device_nor_the_engine_of_a_training_is_needed(explained, elsewhere):
    assert explained(**elsewhere).as_dict() == explained().as_dict()
    # ``auto`` would load the compiled engine for so many, which takes a minute on a new machine.
    assert explained(training={"epochs": 10**6}).subject.parts.engine.name == "autograd"


def test_a_sample_alone_makes_all_updates(explained):
    updates = all_of(explained(sample=22, updates=3))
    assert [update["rows"] for update in updates] == [[22]] * 3
    assert updates[0]["inputs"] == updates[2]["inputs"]
    assert updates[0]["loss"] > updates[2]["loss"]
    assert [update["step"] for update in updates] == [0, 1, 2]


@pytest.mark.parametrize(
    "model",
    [
        {"kind": "mlp", "hidden": []},
        {"kind": "mlp", "hidden": [3, 4, 5, 6], "activation": ["relu", "sine", "elu", "gelu"]},
        {"kind": "steps", "steps": [{"at": 0.2, "height": 1.0}, {"from": 0.3, "to": 0.6, "height": -2}]},
        {"kind": "steps", "steps": [{"at": 0.2, "height": 1.0}], "activation": "sigmoid", "steepness": 50},
    ],
)
def test_networks_of_any_depth_and_by_hand(explained, model):
    update = explained(model=model).as_dict()
    assert update["check"]["largest_difference"] <= 1e-12
    assert [np.array(layer["delta"]).shape for layer in update["layers"]] == [
        np.array(layer["z"]).shape for layer in update["layers"]
    ]


def test_numbers_far_apart_are_equal_but_for_their_rounding(explained):
    """Targets of 1e8 on a saturated tanh: 1 - u^2 is rounded by 1e-16, and multiplied by 1e5."""
    dataset = {"formula": "3e6*sin(x/100) + 1e5*x", "domain": [[0, 1000]], "samples": 300}
    explanation = explained(
        dataset=dataset, model={"hidden": [20, 20]}, descent={"variant": "batch", "batch_size": 300}, updates=2
    )
    assert not explanation.checks[0].is_close
    assert [check.holds for check in explanation.checks] == [True, True]
    assert explanation.checks[0].of_terms < 1e-14


def test_numbers_that_leave_the_finite_ones_are_compared_too(explained):
    """A learning rate that blows up: where torch has no number, neither is there one here."""
    explanation = explained(
        model={"activation": "identity"}, descent={"learning_rate": 1e6}, precision="float64", updates=60
    )
    assert explanation.failed is None
    assert not np.isfinite(explanation.updates[-1].L)
