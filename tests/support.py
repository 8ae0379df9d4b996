"""What several tests need: small configs, and an MLP written out in numpy."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from nnintro.config.load import Config
from nnintro.training.setup import Parts, assemble, build_data

PATIENCE = 120.0
"""Seconds after which something is taken to hang: several tests at a time keep all cores busy."""


def config(**sections: Any) -> dict[str, Any]:
    """A small valid config; keyword arguments are laid over it, section by section."""
    base: dict[str, Any] = {
        "dataset": {"kind": "function", "formula": "sin(3*x)", "samples": 23},
        "model": {"kind": "mlp", "hidden": [5], "activation": "tanh"},
        "descent": {"learning_rate": 0.05, "batch_size": 4},
        "training": {"epochs": 3},
        "logging": {"figures": "off", "histograms": "off"},
        "precision": "float64",
    }
    result = copy.deepcopy(base)
    for name, value in sections.items():
        if isinstance(value, dict) and isinstance(result.get(name), dict):
            replaced = "kind" in value and value["kind"] != result[name].get("kind")
            result[name] = dict(value) if replaced else {**result[name], **value}
        else:
            result[name] = value
    return result


def assembled(config: Config, **options: Any) -> Parts:
    """The parts of a training, its data built (see ``training.setup.assemble``)."""
    splits = build_data(config.experiment)
    return assemble(config.setup(splits.found), splits, **options)


class NumpyMlp:
    """tanh layers and a linear readout, with gradients of the mean squared error by hand."""

    def __init__(self, weights: list[np.ndarray], biases: list[np.ndarray]) -> None:
        self.weights = [w.copy() for w in weights]  # (outputs, inputs), as torch has them
        self.biases = [b.copy() for b in biases]

    def forward(self, x: np.ndarray) -> list[np.ndarray]:
        layers = [x]
        for w, b in zip(self.weights[:-1], self.biases[:-1], strict=True):
            layers.append(np.tanh(layers[-1] @ w.T + b))
        layers.append(layers[-1] @ self.weights[-1].T + self.biases[-1])
        return layers

    def gradient(self, x: np.ndarray, y: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Of (1/n) sum (f(x) - y)^2, by the chain rule."""
        layers = self.forward(x)
        delta = 2 * (layers[-1] - y) / y.size
        weights, biases = [], []
        for index in reversed(range(len(self.weights))):
            weights.insert(0, delta.T @ layers[index])
            biases.insert(0, delta.sum(0))
            if index:
                delta = delta @ self.weights[index] * (1 - layers[index] ** 2)
        return weights, biases

    def step(self, x: np.ndarray, y: np.ndarray, rate: float) -> None:
        weights, biases = self.gradient(x, y)
        for values, gradients in ((self.weights, weights), (self.biases, biases)):
            for value, gradient in zip(values, gradients, strict=True):
                value[...] = value - rate * gradient
