"""``certify_network``: bounds that no sample is above, gaps as promised, jumps, poles, rounding."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
import torch

from nnintro.errors import ConfigError
from nnintro.formula import parse
from nnintro.models import ACTIVATIONS, Standardization, Standardized
from nnintro.proofs import difference, supremum
from nnintro.proofs.ranges import RANGES
from nnintro.proofs.supremum import certify_network
from tests.proofs.networks import DOMAINS, FORMULAS, errors_at, network, points_in, random_network, sampled

FLOAT = 1e-12
"""What the samples' own float64 arithmetic may add."""


def certify(model, formula, domain, **options):
    return certify_network(model, parse(formula, len(domain)), domain, **options)


def require_true(found, model, formula, domain):
    """No sample is above the bound, and the point named has the error that is said."""
    largest = sampled(model, formula, domain)
    assert found.lower <= found.bound
    assert largest <= found.bound + FLOAT
    there = float(errors_at(model, formula, torch.tensor([found.at], dtype=torch.float64))[0])
    assert there == pytest.approx(found.lower, rel=1e-9, abs=FLOAT)


CASES = [
    (activation, depth, inputs)
    for place, activation in enumerate(ACTIVATIONS)
    for inputs in (1, 2)
    for depth in {0, 1 + (place + inputs) % 3}
]


@pytest.mark.parametrize(("activation", "depth", "inputs"), CASES)
def test_no_sample_is_above_the_bound(activation, depth, inputs):
    seed = CASES.index((activation, depth, inputs))
    domain, formula = DOMAINS[inputs], FORMULAS[inputs][seed % 4]
    model = random_network(activation, depth, inputs, seed)
    found = certify(model, formula, domain)
    require_true(found, model, formula, domain)
    assert found.complete
    assert found.bound <= 1.05 * found.lower


def test_every_activation_is_among_the_cases():
    assert len(CASES) == 4 * len(ACTIVATIONS) == 44
    assert {depth for _, depth, _ in CASES} == {0, 1, 2, 3}


@pytest.mark.parametrize("attribute", ["slope", "bound"])
def test_a_wrong_bound_would_be_seen(monkeypatch, attribute):
    """Mutations: slopes of 0, or bounds a tenth too small, are below some sample."""
    if attribute == "slope":
        monkeypatch.setattr(difference, "_slopes", lambda _, jet: [0 * d for d in jet.slopes])
    else:
        real = difference.above
        monkeypatch.setattr(difference, "above", lambda ball: 0.9 * real(ball))
    model = random_network("tanh", 1, 1, seed=5)
    found = certify(model, "sin(3*x)*x", DOMAINS[1], tolerance=0.01)
    with pytest.raises(AssertionError):
        require_true(found, model, "sin(3*x)*x", DOMAINS[1])


def test_the_parameters_are_taken_as_they_are():
    model = random_network("gelu", 2, 1, seed=3, dtype=torch.float32)
    model = Standardized(model, Standardization(torch.tensor([0.3]), torch.tensor([0.7])))
    found = certify(model, "x**2", DOMAINS[1])
    exact = Standardized(model.network.double(), Standardization(model.mean, model.scale))
    require_true(found, exact, "x**2", DOMAINS[1])


# --- known answers -------------------------------------------------------------------------------

IDENTITY = network([1, 1], ["identity"], [[1.0]], [0.0])
ABSOLUTE = network([1, 2, 1], ["relu", "identity"], [[1.0], [-1.0]], [0.0, 0.0], [[1.0, 1.0]], [0.0])


def step(weight, bias):
    return network([1, 1, 1], ["step", "identity"], [[weight]], [bias], [[1.0]], [0.0])


@pytest.mark.parametrize("tolerance", [0.5, 0.05, 1e-3, 1e-8])
def test_x_against_its_square(tolerance):
    found = certify(IDENTITY, "x**2", [(0.0, 1.0)], tolerance=tolerance)
    assert found.complete
    assert found.lower <= 0.25 <= found.bound <= 0.25 * (1 + tolerance)
    assert found.gap <= tolerance


@pytest.mark.parametrize("domain", [(-1.0, 1.0), (-1.0, 1.3)])
def test_two_relus_are_the_absolute_value(domain):
    found = certify(ABSOLUTE, "abs(x)", [domain])
    assert found.complete
    assert found.lower <= found.bound < 2e-15


def test_two_inputs_have_a_known_largest_error():
    model = network([2, 1], ["identity"], [[1.0, 1.0]], [0.0])
    found = certify(model, "x1**2 + x2**2", [(0.0, 1.0), (0.0, 1.0)], tolerance=1e-4)
    assert found.lower <= 0.5 <= found.bound <= 0.5 * (1 + 1e-4)
    assert found.at == pytest.approx((0.5, 0.5), abs=0.01)


@pytest.mark.parametrize(
    ("weight", "bias", "formula", "supremum"),
    [
        (3.0, -1.0, "x", 2 / 3),  # at the jump, which is no float64 number
        (1.0, -0.25, "x", 0.75),
        (1.0, -0.5, "step(x - 0.75)", 1.0),  # they jump at different places
        (2.0, -1.0, "step(x - 0.5)", 0.0),  # at the same place
        (2.0, -1.0, "1 - step(0.5 - x)", 1.0),  # which counts to the other side
        (2.0, -1.0, "0.5 + 0.5*sign(x - 0.5)", 0.5),
        (-2.0, 1.0, "1 - step(x - 0.5)", 1.0),
        (8.0, -4.0, "floor(x + 0.5)", 1.0),
    ],
)
def test_jumps(weight, bias, formula, supremum):
    found = certify(step(weight, bias), formula, [(0.0, 1.0)], tolerance=1e-6)
    assert found.complete
    assert found.lower <= supremum <= found.bound
    assert found.bound == pytest.approx(supremum, rel=2e-6, abs=1e-15)


def test_jumps_between_the_same_two_numbers_are_told_apart_by_nobody():
    found = certify(step(3.0, -1.0), "step(3*x - 1)", [(0.0, 1.0)])
    assert not found.complete
    assert 1 <= found.bound < 1.001
    ((low, high),) = found.undecided
    assert low == 1 / 3  # a little less than a third
    assert high == math.nextafter(low, 1)


def test_layers_of_steps_are_followed_state_by_state():
    """One neuron of the second layer fires before the jump, the other behind it: always one."""
    model = network(
        [1, 1, 2, 1], ["step", "step", "identity"],
        [[3.0]], [-1.0], [[1.0], [-1.0]], [-0.5, 0.5], [[1.0, 1.0]], [0.0],
    )  # fmt: skip
    found = certify(model, "x**2", [(0.0, 1.0)], tolerance=1e-6)
    assert found.complete
    assert found.bound == pytest.approx(1.0, rel=2e-6)
    assert certify(model, "1", [(0.0, 1.0)]).bound < 1e-14


# --- promises ------------------------------------------------------------------------------------


def test_the_formula_has_to_be_bounded():
    for formula, where in {
        "1/(x - 0.3)": "x = 0.3,",
        "1/(3*x - 1)": "x = 0.3333333333333333,",
        "log(x)": "x = 0.0,",
        "sqrt(x - 0.3)": "x = ",
        "sin(x)/x": "x = 0.0,",
    }.items():
        with pytest.raises(ConfigError, match=r"dataset\.formula: has no finite value") as caught:
            certify(IDENTITY, formula, [(0.0, 1.0)])
        assert where in str(caught.value)


def test_a_line_of_poles_in_the_plane():
    model = network([2, 1], ["identity"], [[1.0, 1.0]], [0.0])
    with pytest.raises(ConfigError, match=r"x1 = .*, x2 = ") as caught:
        certify(model, "1/(x1 + x2 - 0.7)", [(0.0, 1.0), (0.0, 1.0)])
    assert "unbounded" in str(caught.value)


def test_time_ends_with_a_true_bound():
    model = random_network("tanh", 3, 2, seed=11, width=12)
    start = time.perf_counter()
    found = certify(model, "sin(30*x1)*cos(30*x2)", DOMAINS[2], tolerance=1e-9, seconds=0.3)
    assert time.perf_counter() - start < 10
    assert not found.complete
    assert found.undecided == ()
    require_true(found, model, "sin(30*x1)*cos(30*x2)", DOMAINS[2])


def test_every_box_is_reported():
    seen = []
    found = certify(IDENTITY, "x**2", [(0.0, 1.0)], watch=lambda *pair: seen.append(pair))
    bounds, lowers = zip(*seen, strict=True)
    assert sorted(bounds, reverse=True) == list(bounds)
    assert sorted(lowers) == list(lowers)
    assert seen[-1] == (found.bound, found.lower)
    assert found.boxes == 2 * len(seen) + 1


def test_the_search_gives_the_bound_of_all_boxes_that_are_left(monkeypatch):
    """A search that forgot boxes would be below a sample."""
    monkeypatch.setattr(supremum.Search, "_meet", lambda *_: None)
    model = random_network("sigmoid", 1, 1, seed=2)
    found = certify(model, "x**2", DOMAINS[1], seconds=0.2)
    assert sampled(model, "x**2", DOMAINS[1], 10_000) <= found.bound + FLOAT


# --- rounding ------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", sorted(set(ACTIVATIONS) - {"step"}))
@pytest.mark.parametrize("inputs", [1, 2])
def test_float32_outputs_are_within_rounding(activation, inputs):
    model = random_network(activation, 2, inputs, seed=7, dtype=torch.float32)
    found = certify(model, "0*x" if inputs == 1 else "0*x1", DOMAINS[inputs], seconds=0.01)
    points = torch.from_numpy(points_in(DOMAINS[inputs], 100_000).astype(np.float32))
    with torch.no_grad():
        floats = model(points).double()
        exact = model.double()(points.double())
    off = float((floats - exact).abs().max())
    assert 0 < off <= found.rounding or activation in ("identity", "relu")
    assert off <= found.rounding
    size = float(exact.abs().max())
    assert found.rounding < 1e-3 * (1 + size)


def test_standardised_inputs_round_too():
    inner = random_network("tanh", 1, 1, seed=7, dtype=torch.float32)
    model = Standardized(inner, Standardization(torch.tensor([1e6]), torch.tensor([3.0])))
    domain = [(1e6 - 5, 1e6 + 5)]
    found = certify(model, "0*x", domain, seconds=0.01)
    points = torch.from_numpy(points_in(domain, 100_000))
    with torch.no_grad():
        floats = model(points).double()
        exact = inner.double()((points - model.mean) / model.scale)
    assert 0 < float((floats - exact).abs().max()) <= found.rounding < 1e-4


def test_a_step_may_come_a_rounding_early():
    model = network([1, 1, 1], ["step", "identity"], [[3.0]], [-1.0], [[0.25]], [0.0])
    assert 0.25 <= certify(model, "x", [(0.0, 1.0)]).rounding < 0.2501


def test_what_no_range_is_known_of_is_refused(monkeypatch):
    monkeypatch.delitem(RANGES, "gelu")
    with pytest.raises(ConfigError, match=r"^model.activation: certify does not serve gelu; exp"):
        certify(random_network("gelu", 1, 1, seed=0), "x", DOMAINS[1])
    with pytest.raises(ConfigError, match=r"^model.kind: certify takes layers of neurons"):
        certify(torch.nn.Linear(1, 1), "x", DOMAINS[1])
