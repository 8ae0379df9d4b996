"""What counts as the same function, and where it is looked for."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from nnintro.errors import NnintroError
from nnintro.exports import agreement
from nnintro.models import ACTIVATIONS

CORNERS = (torch.tensor([0.0]), torch.tensor([1.0]))


def neuron(activation, weight, bias=0.0):
    layer = nn.Linear(1, 1).requires_grad_(False)
    layer.weight.fill_(weight)
    layer.bias.fill_(bias)
    return nn.Sequential(layer, ACTIVATIONS[activation]()).eval()


def test_probes_fill_the_region_and_go_beyond():
    x = agreement.probes(neuron("tanh", 1.0), torch.tensor([2.0]), torch.tensor([4.0]))
    assert len(x) == sum(agreement.SIZES) == len(x.unique())
    assert x.dtype == torch.float32
    assert x[::2].min() >= 2
    assert x[::2].max() <= 4
    assert x.min() < 1
    assert x.max() > 5


def test_inputs_on_a_threshold_are_left_out():
    step = neuron("step", 1.0, -0.5)
    inputs = torch.tensor([[0.5], [0.5 + 1e-7], [0.5 + 1e-3], [0.0], [2.0]])
    assert agreement.clear_of_jumps(step, inputs).tolist() == [False, False, True, True, True]
    found = agreement.compare(step, step, *CORNERS)
    assert str(found).endswith("allowed 1.0e-06; inputs on the threshold of a step left out")
    assert not agreement.compare(neuron("relu", 1.0), neuron("relu", 1.0), *CORNERS).steps


def test_a_threshold_on_another_side_of_the_inputs_is_found():
    with pytest.raises(NnintroError, match=r"largest difference is 1\.0e\+00"):
        agreement.compare(neuron("step", 1.0, -0.5), neuron("step", 1.0, -0.55), *CORNERS)


def test_thresholds_everywhere():
    with pytest.raises(NnintroError, match="cannot be checked: each of 4096 inputs lies with"):
        agreement.compare(neuron("step", 0.0), neuron("step", 0.0), *CORNERS)


def test_a_steep_network_may_lie_as_far_away_as_its_own_rounding():
    gentle, steep = neuron("sine", 1.0), neuron("sine", 1e5, 0.3)
    assert agreement.compare(gentle, gentle, *CORNERS).allowed == 1e-6
    allowed = agreement.compare(steep, steep, *CORNERS).allowed
    # z is up to 2e5, where float32 numbers lie 2^-6 apart.
    assert 2**-8 < allowed < 2**-3
    double = agreement.compare(steep.double(), steep, *CORNERS).allowed
    assert double == pytest.approx(allowed * 2**-29, rel=0.5)


@pytest.mark.parametrize(
    ("found", "wanted", "apart"),
    [
        ([[1.0]], [[1.5]], 0.5 / 1.5),
        ([[0.25]], [[0.5]], 0.25),
        ([[np.inf], [np.nan]], [[np.inf], [np.nan]], 0.0),
        ([[np.inf]], [[1.0]], np.inf),
        ([[1.0]], [[np.nan]], np.inf),
        ([[1.0]], [[-np.inf]], np.inf),
        ([[1.0, 1.0]], [[1.0]], np.inf),
    ],
)
def test_difference(found, wanted, apart):
    assert agreement.difference(
        torch.tensor(found, dtype=torch.float64), torch.tensor(wanted, dtype=torch.float64)
    ) == pytest.approx(apart)


def test_another_type_is_a_difference():
    assert agreement.difference(torch.zeros(1, 1), torch.zeros(1, 1).double()) == np.inf
