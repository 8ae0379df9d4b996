"""The fused engine beside its plain twin over generated configs, and beside finite differences."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest
import torch

from nnintro.config.descent import Descent
from nnintro.config.load import load_config
from nnintro.descent.optimizers import build_optimizer
from nnintro.engines.backpropagation import codes
from nnintro.engines.choose import choose_engine
from nnintro.engines.flat import OptimizerMemory
from nnintro.engines.fused import LOSSES
from nnintro.errors import ConfigError
from nnintro.models.activations import ACTIVATIONS
from tests.engines.twin import compared, distance, never, parameters, parts_with, trained, work_of
from tests.support import assembled, config

SETTINGS = {
    "sgd": [{}, {"momentum": 0.9}, {"momentum": 0.8, "nesterov": True}],
    "adagrad": [{}],
    "rmsprop": [{}, {"momentum": 0.5}],
    "adam": [{}, {"betas": [0.8, 0.99]}],
    "adamw": [{}],
}
OPTIMIZERS = [{"kind": kind, **more} for kind, all_ in SETTINGS.items() for more in all_]
SCHEDULES = [
    "constant",
    {"kind": "step", "every": 50, "factor": 0.5},
    {"kind": "exponential", "final": 0.1},
    {"kind": "cosine", "warmup_steps": 20, "final": 0.05},
]
RATES = {"sgd": 0.02, "adagrad": 0.02, "rmsprop": 0.001, "adam": 0.002, "adamw": 0.002}
TASKS = ["curve", "regression", "vector", "binary", "multiclass"]
CASES = 320


def dataset(task, source):
    samples = source.randint(5, 60)
    if task == "curve":
        return {"kind": "function", "formula": "sin(3*x)", "samples": samples, "noise": 0.1}
    if task in ("regression", "vector"):
        outputs = 1 if task == "regression" else source.randint(2, 4)
        return {
            "kind": "regression", "generator": "linear", "features": source.randint(1, 6),
            "outputs": outputs, "samples": samples, "noise": 0.1,
            "standardize": "inputs",
        }  # fmt: skip
    generator = "moons" if task == "binary" else "blobs"
    found = {"kind": "classification", "generator": generator, "samples": samples + 30}
    return found if task == "binary" else {**found, "classes": 3, "features": 2}


def generated(number):
    """The ``number``-th config: every family in turn, sizes at random."""
    source = random.Random(number)
    names = list(ACTIVATIONS)
    depth = number % 5
    widths = [source.choice([1, 2, 5, source.randint(1, 300)]) for _ in range(depth)]
    if sum(widths) > 400:
        widths = [min(width, 80) for width in widths]
    task = TASKS[number % len(TASKS)]
    optimizer = OPTIMIZERS[number % len(OPTIMIZERS)]
    classes = task in ("binary", "multiclass")
    loss = source.choice(["mse", "mae", "huber", *(["cross_entropy"] * 3 if classes else [])])
    data = dataset(task, source)
    kept = load_config(config(dataset=data, descent={"batch_size": 1})).setup()
    n = kept.training_samples
    variant = ["batch", "mini-batch", "mini-batch", "stochastic"][number % 4]
    # Several blocks in a batch, but not dozens: autograd takes them one by one.
    least = -(-n // 4) if variant == "batch" else 1
    size = 1 if variant == "stochastic" else source.randint(least, n)
    return config(
        dataset=data,
        model={
            "hidden": widths,
            "activation": [names[(number + layer) % len(names)] for layer in range(depth)],
            "initialization": source.choice(["torch", "xavier", "he"]),
            "output_activation": "identity"
            if loss == "cross_entropy"
            else source.choice(["identity", "identity", "sigmoid", "tanh"]),
        },
        loss=loss,
        descent={
            "variant": variant,
            "batch_size": size,
            "shuffle": source.random() < 0.8,
            "optimizer": optimizer,
            "learning_rate": RATES[optimizer["kind"]],
            "schedule": source.choice(SCHEDULES),
            "weight_decay": source.choice([0.0, 0.0, 0.01]),
            "clip_norm": source.choice([None, None, 0.5]),
        },
        training={"epochs": None, "steps": 200},
    )


@pytest.mark.parametrize("first", range(0, CASES, 40))
def test_equal_to_autograd_in_float64(first):
    """All but a few: 300 of all 320 at least hold the tolerance as it is."""
    blown_up = 0
    for number in range(first, first + 40):
        both = compared(generated(number), "fused", 200, 1e-10, 2e-16)
        if both is None:
            blown_up += 1
        elif both[0].gradient_norm > 1e-6:
            expected, found = both
            assert found.gradient_norm == pytest.approx(expected.gradient_norm, rel=1e-6)
            assert found.update_ratio == pytest.approx(expected.update_ratio, rel=1e-6, abs=1e-14)
    assert blown_up <= 2


@pytest.mark.parametrize("first", range(0, CASES, 40))
def test_equal_to_autograd_in_float32(first):
    """A quarter of them; those that differ do so no more than by roundings blown up."""
    cases = [{**generated(number), "precision": "float32"} for number in range(first, first + 40, 4)]
    assert sum(compared(values, "fused", 100, 1e-4, 1e-7) is None for values in cases) <= 1


@pytest.mark.parametrize("first", range(0, CASES, 80))
def test_hardly_any_differ_in_float32(first):
    """All of them: 300 of 320 at least hold the tolerance, and all are the same in float64."""
    cases = [{**generated(number), "precision": "float32"} for number in range(first, first + 80)]
    pairs = [[trained(values, engine, 200)[0] for engine in ("autograd", "fused")] for values in cases]
    assert sum(distance(*pair) < 1e-4 for pair in pairs) >= 75


def test_the_cases_meet_everything():
    cases = [generated(number) for number in range(CASES)]
    seen = {name for case in cases for name in case["model"]["activation"]}
    assert seen == set(ACTIVATIONS)
    assert {case["loss"] for case in cases} == {"mse", "mae", "huber", "cross_entropy"}
    assert {str(case["descent"]["optimizer"]) for case in cases} == set(map(str, OPTIMIZERS))
    assert {len(case["model"]["hidden"]) for case in cases} == set(range(5))
    assert max(max(case["model"]["hidden"], default=0) for case in cases) > 250
    variants = {"batch", "mini-batch", "stochastic"}
    pairs = {(case["descent"]["variant"], str(case["descent"]["schedule"])) for case in cases}
    assert pairs == set(itertools.product(variants, map(str, SCHEDULES)))


CASES_OF_LOSSES = {
    "mse": ("curve", "mse"),
    "mae": ("curve", "mae"),
    "huber": ("vector", "huber"),
    "binary": ("binary", "cross_entropy"),
    "multiclass": ("multiclass", "cross_entropy"),
    "one_hot": ("multiclass", "mse"),
    "perceptron": ("binary", "perceptron"),
}


@pytest.mark.parametrize("loss", CASES_OF_LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients_against_finite_differences(activation, loss):
    """The one derivative that needs no derivation: (L(t + h) - L(t - h)) / 2h, in float64."""
    task, name = CASES_OF_LOSSES[loss]
    values = config(
        dataset=dataset(task, random.Random(1)),
        model={"hidden": [4, 3], "activation": activation},
        loss=name,
        descent={"variant": "batch", "batch_size": 5, "learning_rate": 1e-9},
        training={"epochs": 1, "engine": "fused"},
        seed=3,
    )
    parts = assembled(load_config(values))
    start = parts.engine.parameters.copy()
    parts.engine.advance(0, 1, never)
    gradient = parts.engine._gradients[0].copy()
    plain = assembled(load_config(values, ["training.engine=autograd"]))
    flat = list(plain.network.parameters())

    def loss_at(parameters):
        with torch.no_grad():
            at = 0
            for p in flat:
                p.copy_(torch.as_tensor(parameters[at : at + p.numel()]).reshape(p.shape))
                at += p.numel()
            return float(plain.engine.loss(plain.network(plain.train.inputs), plain.train.targets))

    h = 1e-6
    differences = np.empty_like(gradient)
    for i in range(len(start)):
        ahead, behind = start.copy(), start.copy()
        ahead[i] += h
        behind[i] -= h
        differences[i] = (loss_at(ahead) - loss_at(behind)) / (2 * h)
    assert np.linalg.norm(gradient) > 1e-4
    assert np.allclose(gradient, differences, rtol=1e-5, atol=1e-8)


def test_the_modules_storage_is_trained_in_place():
    parts = assembled(load_config(config(training={"engine": "fused"})))
    weight = next(parts.network.parameters())
    before = weight.detach().clone()
    assert weight.data_ptr() == parts.engine.parameters.ctypes.data
    parts.engine.advance(0, 3, never)
    assert weight.data_ptr() == parts.engine.parameters.ctypes.data
    assert not torch.equal(weight, before)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_either_engine_goes_on_with_the_others_state(optimizer):
    values = config(descent={"optimizer": optimizer, "learning_rate": 0.01})
    whole, _ = trained(values, "autograd", 18)
    for first, second in (("autograd", "fused"), ("fused", "autograd")):
        one, other = parts_with(values, first), parts_with(values, second)
        one.engine.advance(0, 7, never)
        other.network.load_state_dict(one.network.state_dict())
        other.optimizer.load_state_dict(one.optimizer.state_dict())
        other.engine.advance(7, 18, never)
        assert distance(whole, parameters(other)) < 1e-13


def test_the_codes_are_those_of_the_kernel():
    """Each name of a table stands where the kernel has the constant of that name."""
    for names in (codes.ACTIVATIONS, codes.LOSSES, codes.OPTIMIZERS):
        assert [getattr(codes, name.upper()) for name in names] == list(range(len(names)))
    assert {name for name, _ in LOSSES.values()} == set(codes.LOSSES)
    for code, kind in enumerate(codes.OPTIMIZERS):
        parameter = torch.nn.Parameter(torch.zeros(2))
        descent = Descent.model_validate({"optimizer": kind})
        memory = OptimizerMemory(build_optimizer(descent, [parameter]), [parameter], parameter.data)
        assert memory.code == code


@pytest.mark.parametrize(
    ("sections", "reason"),
    [
        (
            {"descent": {"variant": "batch", "batch_size": 23, "optimizer": "lbfgs"}},
            "the optimizer lbfgs",
        ),
        ({"precision": "bfloat16"}, "precision bfloat16"),
        ({"model": {"dropout": 0.1}}, "dropout"),
        (
            {"dataset": {"kind": "bundled", "name": "iris", "class_weights": "balanced"}},
            "class weights",
        ),
    ],
)  # fmt: skip
def test_what_is_not_served_says_why(sections, reason):
    values = config(**sections)
    assert choose_engine(work_of(load_config(values)), torch.device("cpu")) == "autograd"
    with pytest.raises(ConfigError) as error:
        assembled(load_config(values, ["training.engine=fused"]))
    assert str(error.value) == (f"training.engine: fused does not serve {reason}; expected auto or autograd")


def test_auto_takes_what_is_faster():
    short = work_of(load_config(config()))
    long = work_of(load_config(config(training={"epochs": 5000})))
    assert choose_engine(short, torch.device("cpu")) == "autograd"
    assert choose_engine(long, torch.device("cpu")) == "fused"
