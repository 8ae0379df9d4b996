"""The MLP against torch's own modules, numpy, and the shapes of the lecture."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.special
import torch
from torch import nn

from nnintro.config.load import load_config
from nnintro.config.models.mlp import ActivationName, Initialization, MlpModel
from nnintro.models import ACTIVATIONS, INITIALIZATIONS, Mlp, Standardization, Standardized, statistics
from nnintro.models.initialization import torch_default_
from tests.support import assembled, config

Z = np.linspace(-4, 4, 81)
FORMULAS = {
    "identity": lambda z: z,
    "step": lambda z: (z > 0).astype(float),
    "sigmoid": scipy.special.expit,
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "elu": lambda z: np.where(z > 0, z, np.expm1(z)),
    "gelu": lambda z: z * scipy.special.ndtr(z),
    "silu": lambda z: z * scipy.special.expit(z),
    "softplus": lambda z: np.log1p(np.exp(z)),
    "sine": np.sin,
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_their_formulas(name):
    found = ACTIVATIONS[name]()(torch.tensor(Z)).numpy()
    np.testing.assert_allclose(found, FORMULAS[name](Z), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_gradients_are_finite_differences(name):
    z = torch.tensor(Z + 0.013, requires_grad=True)  # beside the kinks
    ACTIVATIONS[name]()(z).sum().backward()
    h = 1e-6
    f = FORMULAS[name]
    expected = (f(Z + 0.013 + h) - f(Z + 0.013 - h)) / (2 * h)
    np.testing.assert_allclose(z.grad.numpy(), expected, atol=1e-8)


def test_tables_and_config_know_the_same_names():
    names = ActivationName.__args__
    assert sorted(names) == sorted(ACTIVATIONS) == sorted(FORMULAS)
    kinds = [m.model_fields["kind"].annotation.__args__[0] for m in _members(Initialization)]
    assert sorted(kinds) == sorted(INITIALIZATIONS)
    assert (len(names), len(kinds)) == (11, 7)


def _members(annotation):
    return annotation.__origin__.__args__


@pytest.mark.parametrize("hidden", [[], [7], [7, 5], [3, 4, 5, 6]])
def test_outputs_are_a_sequence_of_torchs_layers(hidden):
    activations = ["tanh", "relu", "sine", "elu"][: len(hidden)]
    network = build(hidden, activations, inputs=2)
    parts = []
    for layer, name in zip(network.layers, [*activations, "identity"], strict=True):
        twin = nn.Linear(layer.in_features, layer.out_features, dtype=torch.float64)
        twin.load_state_dict(layer.state_dict())
        parts += [twin, ACTIVATIONS[name]()]
    x = torch.randn(9, 2, dtype=torch.float64)
    assert torch.equal(network(x), nn.Sequential(*parts)(x))


def build(hidden, activation="tanh", inputs=1, **model):
    domain = [[-1, 2]] * inputs
    formula = "x" if inputs == 1 else "x1"
    values = config(
        dataset={"formula": formula, "domain": domain, "samples": 3**inputs},
        model={"hidden": hidden, "activation": activation, **model},
        descent={"batch_size": 1},
    )
    return assembled(load_config(values)).network


def test_torchs_own_initialization_to_the_bit():
    theirs = nn.Linear(5, 3)
    state = torch.get_rng_state()
    torch.manual_seed(11)
    theirs.reset_parameters()
    torch.set_rng_state(state)
    ours = nn.Linear(5, 3)
    generator = torch.Generator().manual_seed(11)
    torch_default_([ours], ["identity"], (torch.zeros(5), torch.ones(5)), None, generator)
    assert torch.equal(ours.weight, theirs.weight)
    assert torch.equal(ours.bias, theirs.bias)


@pytest.mark.parametrize(
    ("kind", "variance"), [("torch", 1 / (3 * 400)), ("xavier", (5 / 3) ** 2 * 2 / 1000), ("he", 2 / 400)]
)
def test_variances(kind, variance):
    layer = build([400, 600], initialization={"kind": kind}).layers[1]
    assert float(layer.weight.detach().var()) == pytest.approx(variance, rel=0.02)
    assert float(layer.bias.detach().abs().max()) <= (1 / math.sqrt(400) if kind == "torch" else 0)


def test_zeros():
    assert all(not p.any() for p in build([4], initialization="zeros").parameters())


def test_spread_centres_cover_the_domain():
    network = build([10], initialization={"kind": "spread", "steepness": 30})
    first = network.layers[0]
    weight, bias = first.weight.detach()[:, 0], first.bias.detach()
    assert torch.allclose(weight, torch.full((10,), 30 / 3, dtype=torch.float64))
    centres = -bias / weight
    expected = -1 + 3 * (torch.arange(10, dtype=torch.float64) + 0.5) / 10
    assert torch.allclose(centres, expected)


def test_spread_in_several_dimensions_switches_inside_the_box():
    network = build([200], inputs=2, initialization={"kind": "spread", "steepness": 5})
    first = network.layers[0]
    weight, bias = first.weight.detach(), first.bias.detach()
    corners = torch.tensor([[-1, -1], [-1, 2], [2, -1], [2, 2]], dtype=torch.float64)
    z = corners @ weight.T + bias  # (4, units)
    # The line z = 0 of each unit passes through the box: its corners lie on both sides.
    assert bool(((z.amin(0) < 0) & (z.amax(0) > 0)).all())
    assert torch.allclose(weight.norm(dim=1) * 3, torch.full((200,), 5.0, dtype=torch.float64))


def test_step_trains_only_what_lies_behind_it():
    network = build([8], "step")
    x = torch.linspace(-1, 2, 20, dtype=torch.float64)[:, None]
    network(x).square().sum().backward()
    first, readout = network.layers
    assert not first.weight.grad.any()
    assert readout.weight.grad.any()


def test_dropout_scales_what_it_keeps_and_is_off_in_evaluation():
    network = build([5000], dropout=0.25)
    network.dropout.generator = torch.Generator().manual_seed(0)
    ones = torch.ones(4, 5000)
    kept = network.train().dropout(ones)
    assert kept.unique().tolist() == pytest.approx([0.0, 1 / 0.75])
    assert float((kept == 0).double().mean()) == pytest.approx(0.25, abs=0.02)
    assert network.eval().dropout(ones) is ones


def test_a_model_prints_as_a_table():
    text = str(build([3, 4], inputs=2))
    rows = [line.split() for line in text.splitlines()]
    assert rows[0] == ["layer", "shape", "activation", "parameters"]
    assert rows[1] == ["hidden", "1", "2", "->", "3", "tanh", "9"]
    assert rows[2] == ["hidden", "2", "3", "->", "4", "tanh", "16"]
    assert rows[3] == ["output", "4", "->", "1", "identity", "5"]
    assert rows[4] == ["total", "30"]


def test_standardized_carries_its_statistics():
    inputs = torch.tensor([[1.0, 5.0], [3.0, 5.0], [5.0, 5.0]], dtype=torch.float64)
    mean, scale = statistics(inputs)
    assert mean.tolist() == [3, 5]
    assert scale.tolist() == pytest.approx([math.sqrt(8 / 3), 1.0])  # a constant column keeps 1
    inner = nn.Linear(2, 1, dtype=torch.float64)
    model = Standardized(inner, Standardization(mean, scale))
    assert torch.equal(model(inputs), inner((inputs - mean) / scale))
    assert {"mean", "scale"} <= set(model.state_dict())


@pytest.mark.parametrize("size", [1e-300, 1e-200, 1e-50, 1e39, 1e200, 1e308])
def test_statistics_of_any_size(size):
    """Squares of most of these leave float64's range."""
    mean, scale = statistics(torch.linspace(0, 1, 5, dtype=torch.float64)[:, None] * size)
    assert float(mean / size) == pytest.approx(0.5)
    assert float(scale / size) == pytest.approx(math.sqrt(1 / 8))
    assert statistics(torch.zeros(3, 1, dtype=torch.float64))[1].tolist() == [1.0]


def test_section_defaults():
    section = MlpModel(kind="mlp")
    assert section.activations == ["sigmoid"]
    network = Mlp([2, 64, 1], ["sigmoid", "identity"])
    assert sum(p.numel() for p in network.parameters()) == 2 * 64 + 64 + 64 + 1
