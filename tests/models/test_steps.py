"""Networks given by hand, against sums of indicator functions in numpy."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from nnintro.config.load import load_config
from nnintro.config.models.steps import StepsModel
from nnintro.models import Steps
from nnintro.models.build import Region, build_model

LINE = {"kind": "function", "formula": "x"}
PLANE = {"kind": "function", "formula": "x1", "domain": [[0, 1], [0, 1]]}
FIGURE_5 = [
    {"from": 0.35, "to": 0.7, "height": 0.8},
    {"at": 0.7, "height": 1.5},
    {"from": 0, "to": 0.35, "height": 0.4},
]
TOWERS = [
    {"from": [0, 0], "to": [0.5, 0.5], "height": 1.0},
    {"from": [0.5, 0], "to": [1, 0.5], "height": -2.0},
    {"from": [0.25, 0.25], "to": [0.75, 1], "height": 0.5},
]


def build(steps, dataset=None, precision="float64", **model) -> Steps:
    dataset = dataset or (PLANE if any(isinstance(s.get("from"), list) for s in steps) else LINE)
    section = {"kind": "steps", "steps": steps, **model}
    config = load_config({"dataset": dataset, "model": section, "precision": precision})
    network, model = build_model(config.setup(), Region.unknown(config.setup()))
    assert network is model
    return network


def values(network, x):
    x = torch.as_tensor(np.array(x), dtype=next(network.parameters()).dtype)
    with torch.no_grad():
        return network(x if x.dim() == 2 else x[:, None])[:, 0].numpy()


def sum_of_indicators(steps, x, offset=0.0):
    """offset + sum of height [from < x <= to], each in float64."""
    x = np.asarray(x, dtype=np.float64)
    y = np.full(len(x), offset)
    for step in steps:
        if "at" in step:
            y += step["height"] * (x > step["at"])
        else:
            low, high = np.atleast_1d(step["from"]), np.atleast_1d(step["to"])
            points = x.reshape(len(x), -1)
            y += step["height"] * ((low < points) & (points <= high)).all(1)
    return y


def around(places, dtype=np.float64):
    """Each place and its two neighbours among the numbers of a type."""
    places = np.asarray(places, dtype=dtype)
    return np.concatenate([np.nextafter(places, -np.inf), places, np.nextafter(places, np.inf)])


# --- one input -------------------------------------------------------------------------------

eighths = st.integers(-800, 800).map(lambda n: n / 8)
"""Sums of them are exact in either precision."""
entries = st.one_of(
    st.builds(lambda at, height: {"at": at, "height": height}, eighths, eighths),
    st.builds(
        lambda low, size, height: {"from": low, "to": low + size, "height": height},
        eighths,
        st.integers(1, 80).map(lambda n: n / 8),
        eighths,
    ),
)


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(entries, max_size=12), offset=eighths, precision=st.sampled_from([32, 64])
)  # fmt: skip
def test_it_is_the_sum_of_its_steps_at_every_place_and_beside_it(steps, offset, precision):
    network = build(steps, precision=f"float{precision}", offset=offset)
    places = [s[key] for s in steps for key in ("at", "from", "to") if key in s]
    x = around([*places, -200.0, 0.0, 200.0], f"float{precision}")
    np.testing.assert_array_equal(values(network, x), sum_of_indicators(steps, x, offset))


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("place", [0.1, 1 / 3, -0.7, 0.0, 1e-30, -3e20, 12345.678])
def test_a_step_is_0_at_its_place_and_1_at_the_next_number(place, precision):
    network = build([{"at": place, "height": 1}], precision=precision)
    assert values(network, around([place], precision)).tolist() == [0, 0, 1]


def test_the_lectures_last_figure():
    x = [0.0, 1e-9, 0.2, 0.35, 0.3500001, 0.5, 0.7, 0.7000001, 1.0]
    wanted = [0, 0.4, 0.4, 0.4, 0.8, 0.8, 0.8, 1.5, 1.5]
    np.testing.assert_allclose(values(build(FIGURE_5), x), wanted, atol=1e-15)


def test_neurons_stand_in_the_order_of_the_file_equal_places_apart():
    network = build(FIGURE_5)
    hidden, readout = network.layers
    assert (-hidden.bias / hidden.weight[:, 0]).tolist() == [0.35, 0.7, 0.7, 0, 0.35]
    assert hidden.weight[:, 0].tolist() == [1] * 5
    assert readout.weight[0].tolist() == [0.8, -0.8, 1.5, 0.4, -0.4]
    assert readout.bias.tolist() == [0]
    assert network.places().tolist() == [0.35, 0.7, 0.7, 0, 0.35]
    assert network.heights().tolist() == [0.8, -0.8, 1.5, 0.4, -0.4]


def test_sigmoids_switch_at_minus_b_over_w():
    network = build(FIGURE_5, activation="sigmoid", steepness=80, offset=0.1)
    x = np.linspace(-0.5, 1.5, 201)
    w, b = (p.detach().numpy() for p in network.layers[0].parameters())
    assert (w == 80).all()
    np.testing.assert_allclose(-b / w[:, 0], [0.35, 0.7, 0.7, 0, 0.35], atol=1e-15)
    wanted = 0.1 + sum(
        h * expit(80 * (x - s)) for s, h in [(0.35, 0.8), (0.7, -0.8), (0.7, 1.5), (0, 0.4), (0.35, -0.4)]
    )
    np.testing.assert_allclose(values(network, x), wanted, atol=1e-13)


def test_a_sigmoid_is_steep_if_nothing_is_said():
    loaded = load_config({"dataset": LINE, "model": {"kind": "steps", "activation": "sigmoid"}}).experiment
    assert loaded.model.steepness == 1000
    plain = load_config({"dataset": LINE, "model": {"kind": "steps"}}).experiment
    assert plain.model.steepness is None
    assert build([{"at": 0.3, "height": 1}], activation="sigmoid").layers[0].weight.item() == 1000


@pytest.mark.parametrize("dataset", [LINE, PLANE])
def test_without_steps_it_is_the_offset(dataset):
    network = build([], dataset, offset=-0.75)
    x = np.random.default_rng(0).normal(size=(7, 1 if dataset is LINE else 2))
    assert values(network, x).tolist() == [-0.75] * 7
    assert network.places().tolist() == network.heights().tolist() == []


def test_contributions_add_up():
    network = build(FIGURE_5, offset=0.25)
    x = torch.linspace(-1, 2, 50, dtype=torch.float64)[:, None]
    found = network.contributions(x)
    assert found.shape == (50, 5)
    assert found[:, 2].unique().tolist() == [0, 1.5]
    np.testing.assert_allclose(found.sum(1).detach() + 0.25, network(x)[:, 0].detach())


# --- two inputs ------------------------------------------------------------------------------


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_towers_are_boxes_edges_included(precision):
    network = build(TOWERS, precision=precision, offset=0.125)
    side = around([0, 0.25, 0.5, 0.75, 1, 0.3, -1], precision)
    points = np.stack(np.meshgrid(side, side), -1).reshape(-1, 2)
    found = values(network, points)
    np.testing.assert_array_equal(found, sum_of_indicators(TOWERS, points, 0.125))
    assert len(set(found.tolist())) > 4


def test_towers_share_their_places():
    network = build(TOWERS)
    first, second, readout = network.layers
    assert first.weight.shape == (9, 2)  # x1: 0, 1/4, 1/2, 3/4, 1; x2: 0, 1/4, 1/2, 1
    assert sorted(map(tuple, first.weight.tolist())) == [(0, 1)] * 4 + [(1, 0)] * 5
    assert second.weight.shape == (3, 9)
    assert second.weight.sort(1).values.tolist() == [[-1, -1, 0, 0, 0, 0, 0, 1, 1]] * 3
    assert second.bias.tolist() == [-1.5] * 3
    assert readout.weight.tolist() == [[1, -2, 0.5]]


def test_a_grid_of_towers_covers_the_square_once():
    n = 7
    towers = [
        {"from": [i / n, j / n], "to": [(i + 1) / n, (j + 1) / n], "height": float(n * i + j + 1)}
        for i in range(n)
        for j in range(n)
    ]
    network = build(towers, precision="float64")
    assert [layer.out_features for layer in network.layers] == [2 * (n + 1), n * n, 1]
    x = np.random.default_rng(1).uniform(0, 1, (500, 2))
    x = np.concatenate([x, np.stack([np.arange(1, n + 1) / n] * 2, 1)])
    i, j = (np.ceil(x * n).T - 1).astype(int)
    np.testing.assert_array_equal(values(network, x), n * i + j + 1)


def test_sigmoid_towers_are_boxes_away_from_the_edges():
    network = build(TOWERS, activation="sigmoid", steepness=500)
    x = np.random.default_rng(2).uniform(-0.2, 1.2, (2000, 2))
    clear = (np.abs(x[:, :, None] - np.array([0, 0.25, 0.5, 0.75, 1])) > 0.03).all((1, 2))
    assert clear.sum() > 800
    wanted = sum_of_indicators(TOWERS, x)
    np.testing.assert_allclose(values(network, x)[clear], wanted[clear], atol=1e-5)


# --- as a module -----------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [FIGURE_5, TOWERS], ids=["line", "plane"])
@pytest.mark.parametrize("activation", ["step", "sigmoid"])
def test_steps_leave_only_heights_and_offset_to_train(steps, activation):
    settings = {} if activation == "step" else {"steepness": 8}
    network = build(steps, activation=activation, **settings)
    inputs = network.layers[0].in_features
    x = torch.rand(40, inputs, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    network(x).square().sum().backward()
    moved = [bool(p.grad.any()) for p in network.parameters()]
    trained = [activation == "sigmoid"] * (len(moved) - 2) + [True, True]
    assert moved == trained


def test_it_prints_what_it_is():
    text = repr(build(FIGURE_5, offset=0.5))
    assert "  step at 0.35, weight 0.8\n  step at 0.7, weight -0.8\n" in text
    assert "  offset 0.5\n" in text
    assert "tower from (0, 0) to (0.5, 0.5), weight 1\n" in repr(build(TOWERS))
    assert "sigmoid at 0.35, weight 0.8" in repr(build(FIGURE_5, activation="sigmoid"))
    many = repr(build([{"at": i, "height": 1} for i in range(2000)]))
    assert many.count(" at ") == 10
    assert "and 1,990 more" in many
    rows = str(build(TOWERS)).splitlines()
    assert [row.split()[-1] for row in rows[1:]] == ["27", "30", "4", "61"]


def test_what_an_entry_says_of_itself():
    section = StepsModel.model_validate({"kind": "steps", "steps": FIGURE_5})
    assert section.hidden == [5]
    assert section.activations == ["step"]
    assert section.places == [(0, 0.35), (0, 0.7), (0, 0.7), (0, 0.0), (0, 0.35)]
    assert section.heights == [0.8, -0.8, 1.5, 0.4, -0.4]
    assert [entry.is_tower for entry in section.steps] == [False] * 3
    towers = StepsModel.model_validate({"kind": "steps", "steps": TOWERS})
    assert towers.hidden == [9, 3]
    assert towers.places[:2] == [(0, 0.0), (0, 0.25)]
    assert towers.heights == [1.0, -2.0, 0.5]


def test_1600_steps_follow_a_sine():
    n = 1600
    heights = np.diff(np.sin(np.arange(n) / n * 2 * np.pi), prepend=0.0)
    steps = [{"at": i / n, "height": float(h)} for i, h in enumerate(heights)]
    network = build(steps, precision="float32")
    x = np.linspace(0, 1, 5001)
    apart = np.abs(values(network, x) - np.sin(2 * np.pi * x)).max()
    assert apart < 2 * math.pi / n + 1e-4
