"""Every member of every family with every engine: served as autograd does, or refused in words."""

from __future__ import annotations

import dataclasses
from typing import Literal

import pytest
import torch
from torch import nn

from nnintro.config.load import load_config
from nnintro.config.losses import LOSSES as CONFIG_LOSSES
from nnintro.config.losses import LossFacts
from nnintro.config.section import Section
from nnintro.descent.optimizers import OPTIMIZERS
from nnintro.descent.optimizers import Row as OptimizerRow
from nnintro.engines.choose import ENGINES, choose_engine
from nnintro.errors import ConfigError
from nnintro.models import ACTIVATIONS, MODELS, Mlp
from nnintro.objectives.losses import LOSSES
from tests.engines.twin import distance, never, parameters, parts_with, work_of
from tests.support import assembled, config

DEVICES = {"fused": torch.device("cpu"), "graph": torch.device("cuda")}
CLASSES = {"kind": "classification", "generator": "blobs", "samples": 60, "classes": 3}
MOONS = {"kind": "classification", "generator": "moons", "samples": 40}
IMAGES = {"kind": "images", "generator": "cells", "samples": 8, "size": [32, 32]}
UNET = {"kind": "unet", "channels": [2, 4]}
STEPS = {"kind": "steps", "steps": [{"at": 0.4, "height": 1.0}], "activation": "sigmoid"}
FAMILIES = {
    "loss": {
        "mse": [{}, {"dataset": CLASSES}],
        "mae": [{}, {"dataset": CLASSES}],
        "huber": [{}, {"dataset": CLASSES}],
        "cross_entropy": [{"dataset": MOONS}, {"dataset": CLASSES}],
        "bce": [{"dataset": MOONS}],
        "perceptron": [{"dataset": MOONS}],
        "dice": [{"dataset": IMAGES, "model": UNET}],
        "bce+dice": [{"dataset": IMAGES, "model": UNET}],
    },
    "optimizer": {
        **{name: [{"descent": {"optimizer": name}}] for name in OPTIMIZERS},
        "lbfgs": [{"descent": {"optimizer": "lbfgs", "variant": "batch"}}],
    },
    "activation": {name: [{"model": {"activation": name}}] for name in ACTIVATIONS},
    "model": {
        "mlp": [{}],
        "steps": [{"model": {**STEPS, "steepness": 5.0}}],
        "unet": [{"dataset": IMAGES, "model": UNET}],
    },
}
REFUSED = {
    ("fused", "lbfgs"): "the optimizer lbfgs",
    ("fused", "steps"): "model kind steps",
    **{("fused", name): "model kind unet" for name in ("unet", "dice", "bce+dice")},
    ("graph", "perceptron"): "the loss perceptron",
    ("graph", "lbfgs"): "the optimizer lbfgs",
    **{("graph", name): "images" for name in ("unet", "dice", "bce+dice")},
}
CASES = [
    (family, name, number)
    for family, members in FAMILIES.items()
    for name, cases in members.items()
    for number in range(len(cases))
]


def test_the_families_are_whole():
    tables = {"loss": LOSSES, "optimizer": OPTIMIZERS, "activation": ACTIVATIONS, "model": MODELS}
    assert {family: set(members) for family, members in FAMILIES.items()} == {
        family: set(table) for family, table in tables.items()
    }
    assert set(ENGINES) == {"autograd", *DEVICES}
    assert len(CASES) == 32


@pytest.mark.parametrize(("family", "name", "number"), CASES)
@pytest.mark.parametrize("engine", DEVICES)
def test_served_or_refused(family, name, number, engine):
    values = config(**FAMILIES[family][name][number])
    if family == "loss":
        values["loss"] = name
    work = work_of(load_config(values, [f"training.engine={engine}"]))
    expected = REFUSED.get((engine, name))
    if expected is not None:
        with pytest.raises(ConfigError) as error:
            choose_engine(work, DEVICES[engine])
        assert str(error.value) == (f"training.engine: {engine} does not serve {expected}; expected auto or autograd")
        return
    assert choose_engine(work, DEVICES[engine]) == engine
    plain, other = parts_with(values, "autograd"), parts_with(values, engine)
    before = parameters(plain)
    for parts in (plain, other):
        assert parts.engine.advance(0, 5, never).step == 5
    assert distance(parameters(plain), parameters(other)) < 1e-12
    assert name == "step" or distance(before, parameters(plain)) > 1e-6


# --- what a family gains tomorrow ----------------------------------------------------------------


class Softsign(nn.Module):
    def forward(self, z):
        return z / (1 + z.abs())


class Doubled(Mlp):
    """Derived from what the engines know, and not to be taken for it."""

    def forward(self, x):
        return 2 * super().forward(x)


class Signs(OPTIMIZERS["sgd"].type):
    """Along the signs of the gradient: derived from sgd, and not to be taken for it."""

    @torch.no_grad()
    def step(self):
        (group,) = self.param_groups
        for parameter in group["params"]:
            parameter.sub_(group["lr"] * parameter.grad.sign())


class SignsSection(Section):
    kind: Literal["toy"] = "toy"


def cosh(outputs, targets):
    return (outputs - targets).cosh().log().mean()


def focal(logits, targets):
    """A cross entropy under another rule: (1 - p)^2 of its plain value."""
    p = torch.softmax(logits, 1).gather(1, targets[:, None])
    return -((1 - p).square() * p.log()).mean()


def toy_loss(patch):
    patch.setitem(LOSSES, "toy", lambda _: (cosh, cosh))
    patch.setitem(CONFIG_LOSSES, "toy", LossFacts(("regression",)))
    return load_config(config()).experiment.model_copy(update={"loss": "toy"})


def toy_loss_of_logits(patch):
    patch.setitem(LOSSES, "toy", lambda _: (focal, focal))
    patch.setitem(CONFIG_LOSSES, "toy", LossFacts(("multiclass",), takes_logits=True))
    return load_config(config(dataset=CLASSES)).experiment.model_copy(update={"loss": "toy"})


def other_function_of_the_same_name(patch):
    patch.setitem(LOSSES, "cross_entropy", lambda _: (focal, focal))
    return load_config(config(dataset=CLASSES)).experiment


def toy_optimizer(patch):
    patch.setitem(OPTIMIZERS, "toy", OptimizerRow(Signs, lambda _: {}, lambda _: []))
    experiment = load_config(config()).experiment
    descent = experiment.descent.model_copy(update={"optimizer": SignsSection()})
    return experiment.model_copy(update={"descent": descent})


def toy_activation(patch):
    patch.setitem(ACTIVATIONS, "toy", Softsign)
    experiment = load_config(config()).experiment
    model = experiment.model.model_copy(update={"activation": "toy"})
    return experiment.model_copy(update={"model": model})


def toy_model(patch):
    patch.setitem(MODELS, "toy", Doubled)
    experiment = load_config(config()).experiment
    model = experiment.model.model_copy(update={"kind": "toy"})
    return experiment.model_copy(update={"model": model})


TOYS = {
    toy_loss: "the loss toy",
    toy_loss_of_logits: "the loss toy",
    toy_optimizer: "the optimizer toy",
    toy_activation: "the activation toy",
    toy_model: "model kind toy",
}


def asking_for(experiment, engine):
    update = {"engine": engine, "epochs": None, "steps": 10**8}
    training = experiment.training.model_copy(update=update)
    changed = experiment.model_copy(update={"training": training})
    return dataclasses.replace(load_config(config()), experiment=changed)


def refusal(experiment, engine):
    with pytest.raises(ConfigError) as error:
        choose_engine(work_of(asking_for(experiment, engine)), DEVICES[engine])
    assert error.value.exit_code == 3
    (problem,) = error.value.problems
    assert problem.path == "training.engine"
    return problem.message


@pytest.mark.parametrize("toy", TOYS)
@pytest.mark.parametrize("engine", DEVICES)
def test_what_an_engine_does_not_know_it_refuses(toy, engine, monkeypatch):
    message = refusal(toy(monkeypatch), engine)
    assert message == f"{engine} does not serve {TOYS[toy]}; expected auto or autograd"


def test_the_kernel_knows_a_loss_by_its_function_and_not_by_its_name(monkeypatch):
    message = refusal(other_function_of_the_same_name(monkeypatch), "fused")
    assert message == "fused does not serve the loss cross_entropy; expected auto or autograd"


@pytest.mark.parametrize("toy", TOYS)
def test_auto_trains_it_with_autograd(toy, monkeypatch):
    """However long it takes; of the same config without the toy, fused is the choice."""
    parts = assembled(asking_for(toy(monkeypatch), "auto"))
    assert parts.engine.name == "autograd"
    before = parameters(parts)
    advance = parts.engine.advance(0, 20, never)
    assert (advance.step, advance.diverged) == (20, False)
    assert distance(before, parameters(parts)) > 1e-6
    known = asking_for(load_config(config()).experiment, "auto")
    assert assembled(known).engine.name == "fused"
