"""The letters of an update: what its layers' numbers are called in the formulas, and which of them are shown."""

from __future__ import annotations

import re

from nnintro.explain.blackboard import INDENT, fitting
from nnintro.explain.equations import ACTIVATIONS
from nnintro.explain.update import Update
from nnintro.wording import counted

MOST_LAYERS = 3
"""Of more layers the first and the last are shown."""
MOST_WIDTHS = 8
MOST_SAMPLES = 3
"""Rows that are shown of many."""


class Notation:
    """Names by the layer's index, from 0: in a network of two layers z1, z2, u1 and y; in one of a single layer z, y.

    Attributes:
        n: rows of samples in the update.
        last: index of the last layer.
        tags: ``1``, ``2``, ... behind the letters of each layer.
        outputs: u1, u2, ..., and y, as in the lecture.
        inputs: x, u1, u2, ...
        shown: the layers that are shown.
        most: rows of samples that are shown.
    """

    def __init__(self, update: Update) -> None:
        self.update = update
        depth, self.n = len(update.layers), len(update.rows)
        self.last = depth - 1
        self.tags = [str(number + 1) for number in range(depth)] if depth > 1 else [""]
        self.outputs = [*(f"u{tag}" for tag in self.tags[:-1]), "y"]
        self.inputs = ["x", *self.outputs[:-1]]
        self.shown = range(depth) if depth <= MOST_LAYERS else (0, self.last)
        self.most = fitting(self.n, MOST_SAMPLES)

    def z(self, index: int) -> str:
        """``x W1^T + b1``."""
        tag = self.tags[index]
        return f"{self.inputs[index]} W{tag}^T + b{tag}"

    def s(self, index: int) -> str:
        """``tanh(z1)``, or ``z1`` itself."""
        s, z = self.update.layers[index].s, f"z{self.tags[index]}"
        return z if s == "identity" else f"{s}({z})"

    def s_explained(self, index: int) -> str:
        """``sigmoid(z1) = 1/(1 + e^-z1)``, where the name does not say it."""
        s = self.update.layers[index].s
        meaning = ACTIVATIONS[s].formula
        return self.s(index) if meaning == f"{s}(z)" else f"{self.s(index)} = {self.in_layer(meaning, index)}"

    def in_layer(self, formula: str, index: int) -> str:
        """A formula in z and u, in this layer's."""
        named = re.sub(r"\bz\b", f"z{self.tags[index]}", formula)
        return re.sub(r"\bu\b", self.outputs[index], named)

    def widths(self) -> str:
        """``2 -> 4 -> 1``."""
        layers = self.update.layers
        widths = [str(width) for width in (layers[0].W.shape[1], *(len(layer.b) for layer in layers))]
        if len(widths) <= MOST_WIDTHS:
            return " -> ".join(widths)
        return " -> ".join([*widths[:3], "...", widths[-1]]) + f", {counted(len(layers), 'layer')}"

    def gap(self, neighbour: int) -> str:
        """Between the text of two layers: a blank line, or how many are left out where the neighbour is not shown."""
        if neighbour in self.shown:
            return ""
        left_out = counted(len(self.tags) - len(self.shown), "more layer")
        return f"{INDENT}... {left_out} between, of the same kind; --json has their numbers"
