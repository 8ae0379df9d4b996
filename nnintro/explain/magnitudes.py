"""How large the numbers are that cancel in each number of an update: what a rounding is relative to.

A sum is rounded relative to the sum of its terms' absolute values, however small it is itself (Higham, Accuracy and
Stability of Numerical Algorithms, 2002, chapter 3). Here these are carried through both passes. They are generous: all
activations and their derivatives are taken to be as steep as 1, losses as curved as 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nnintro.explain.equations import Array
from nnintro.explain.update import Update

Magnitudes = Mapping[str, Array]
"""z, u, delta, dW, db -> in the shape of those."""


@dataclass(frozen=True)
class _Upwards:
    """Of a layer, on the way forward."""

    u_below: Array
    z: Array
    u: Array


def magnitudes(update: Update) -> tuple[Array, list[Magnitudes]]:
    """Of the loss, (), and of each layer's numbers."""
    upwards = _forward(update)
    y = upwards[-1].u
    loss = np.abs(update.L) + (np.abs(update.dL_dy) * y).sum()
    found: list[Magnitudes] = []
    dL_du, spread = update.dL_dy, np.abs(update.dL_dy) + 2 * y / len(y)
    for layer, passed, up, back in reversed(
        list(zip(update.layers, update.forward, upwards, update.backward, strict=True))
    ):
        delta = spread * np.abs(passed.slope) + np.abs(dL_du) * (1 + up.z)
        found.append({"z": up.z, "u": up.u, "delta": delta, "dW": delta.T @ up.u_below, "db": delta.sum(0)})
        dL_du, spread = back.delta @ layer.W, delta @ np.abs(layer.W)
    return loss, found[::-1]


def _forward(update: Update) -> list[_Upwards]:
    below, upwards = np.abs(update.x), []
    for layer, passed in zip(update.layers, update.forward, strict=True):
        z = below @ np.abs(layer.W).T + np.abs(layer.b)
        u = np.abs(passed.u) + z
        upwards.append(_Upwards(below, z, u))
        below = u
    return upwards
