"""model kind ``steps``: two layers whose step neurons are placed by hand.

A neuron with the activation I{z > 0} switches at s = -b/w, and its weight in the layer behind it is
the height of the step that the output makes there.
"""

from __future__ import annotations

from typing import Self, cast

import torch
from torch import Tensor

from nnintro.config.models.steps import StepsModel
from nnintro.config.task import Task
from nnintro.models.mlp import Mlp
from nnintro.models.network import Box

MOST_SHOWN = 10
"""Neurons, or towers, that are printed one by one."""
BOTH = 1.5
"""A tower fires where the sum of its two bumps is above: where both of them are 1."""


class Steps(Mlp):
    """y(x) = offset + sum_h height_h s(w (x - place_h)), an ``Mlp`` with parameters given by hand.

    For s a step w is 1, so that x - place is compared with 0 without rounding: I{x > place}, 0 at the place itself.

    With two inputs a bump is made in each of them, and a neuron of a second hidden layer fires
    where both are there: a tower (Nielsen, Neural Networks and Deep Learning, 2015, chapter 4).
    In the first layer towers share the neurons whose place and input are the same.
    """

    kind = "steps"

    @classmethod
    def from_section(cls, section: StepsModel, task: Task) -> Self:  # type: ignore[override]
        names = [*section.activations, section.output_activation]
        return cls([task.inputs, *section.hidden, task.outputs], list(names))

    @torch.no_grad()
    def initialize_(self, section: StepsModel, _: Box, __: torch.Generator, /) -> None:  # type: ignore[override]
        """Put in what the section gives by hand: nothing is drawn."""
        first, *second, readout = self.affine
        neurons = section.places
        places = torch.tensor([place for _, place in neurons], dtype=torch.float64)
        first.weight.zero_()
        first.weight[torch.arange(len(places)), [i for i, _ in neurons]] = section.weight
        first.bias.copy_(-section.weight * places)
        for layer in second:
            layer.weight.copy_(section.weight * _corners(section))
            layer.bias.fill_(-BOTH * section.weight)
        readout.weight.copy_(torch.tensor([section.heights], dtype=torch.float64))
        readout.bias.fill_(section.offset)

    def places(self) -> Tensor:
        """(neurons,) s = -b/w of the first layer's neurons, each in the input it looks at most."""
        weight, bias = self.affine[0].weight.detach(), self.affine[0].bias.detach()
        largest = weight.gather(1, weight.abs().argmax(1, keepdim=True))[:, 0]
        return -bias / largest

    def heights(self) -> Tensor:
        """(neurons,) of one input: the output's weight of each; of two: of each tower."""
        return self.affine[-1].weight.detach()[0]

    def contributions(self, x: Tensor) -> Tensor:
        """(batch, 1) -> (batch, neurons): height * s(w x + b), which with the bias add up to y."""
        hidden, readout = self.affine
        return cast(Tensor, self.activations[0](hidden(x)) * readout.weight[0])

    def extra_repr(self) -> str:
        lines = [self._described(index) for index in range(min(len(self.heights()), MOST_SHOWN))]
        more = len(self.heights()) - len(lines)
        if more:
            lines.append(f"and {more:,} more")
        return "\n".join([*lines, f"offset {float(self.affine[-1].bias.detach()):.6g}"])

    def _described(self, index: int) -> str:
        places, height = self.places(), float(self.heights()[index])
        if len(self.layers) == 2:
            return f"{self.names[0]} at {float(places[index]):.6g}, weight {height:.6g}"
        row = self.affine[1].weight.detach()[index]
        rising = ", ".join(f"{place:.6g}" for place in places[row > 0].tolist())
        falling = ", ".join(f"{place:.6g}" for place in places[row < 0].tolist())
        return f"tower from ({rising}) to ({falling}), weight {height:.6g}"


def _corners(section: StepsModel) -> Tensor:
    """(towers, places): 1 where a tower begins, -1 where it ends, in each input."""
    column = {place: index for index, place in enumerate(section.places)}
    found = torch.zeros(len(section.towers), len(column), dtype=torch.float64)
    for row, tower in enumerate(section.towers):
        for i, (low, high) in enumerate(tower.sides):
            found[row, column[i, low]], found[row, column[i, high]] = 1.0, -1.0
    return found
