"""Small networks with random or given parameters, and their errors at very many points."""

from __future__ import annotations

import numpy as np
import torch

from nnintro.formula import parse, torch_function
from nnintro.models import Mlp

SAMPLES = 1_000_000
FORMULAS = {
    1: ["sin(3*x)*x", "x**2 - abs(x - 0.2)", "exp(x)/(1.5 + cos(4*x))", "max(x, 0.3) + 0.2*x"],
    2: ["sin(3*x1)*x2", "x1**2 - abs(x2 - x1)", "exp(x1)/(1.5 + cos(2*x2))", "min(x1, x2) + 0.1"],
}
DOMAINS = {1: [(-1.0, 1.5)], 2: [(-1.0, 1.0), (0.0, 1.25)]}


def network(widths, activations, *parameters, dtype=torch.float64):
    """An Mlp with these weights and biases, layer by layer; drawn by numpy if none are given."""
    model = Mlp(widths, activations).to(dtype).eval()
    with torch.no_grad():
        for place, value in zip(model.parameters(), parameters, strict=True):
            place.copy_(torch.as_tensor(value, dtype=torch.float64))
    return model


def random_network(activation, depth, inputs, seed, dtype=torch.float64, width=6):
    source = np.random.default_rng(seed)
    widths = [inputs, *[width] * depth, 1]
    parameters = []
    for rows, columns in zip(widths[1:], widths[:-1], strict=True):
        parameters.append(source.normal(0, 2.5 / np.sqrt(columns), (rows, columns)))
        parameters.append(source.normal(0, 1, rows))
    names = [activation] * (depth + 1) if depth == 0 else [*[activation] * depth, "identity"]
    return network(widths, names, *parameters, dtype=dtype)


def sampled(model, formula, domain, count=SAMPLES):
    """The largest |network - formula| at random points and at the corners, in float64."""
    points = torch.from_numpy(points_in(domain, count))
    return float(errors_at(model, formula, points).max())


def points_in(domain, count):
    low, high = np.array(domain).T
    inside = np.random.default_rng(1).uniform(low, high, (count, len(domain)))
    corners = np.stack(np.meshgrid(*domain), -1).reshape(-1, len(domain))
    return np.concatenate([corners, inside])


def errors_at(model, formula, points):
    with torch.no_grad():
        outputs = model.double()(points)[:, 0]
    return (outputs - torch_function(parse(formula, points.shape[1]))(points)[:, 0]).abs()
