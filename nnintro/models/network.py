"""The interface of every network in this package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import torch
from torch import Tensor, nn

from nnintro.config.task import Task

Box = tuple[Tensor, Tensor]
"""Lower and upper corner, (inputs,) each."""


@dataclass(frozen=True)
class Row:
    """One line of the table of layers."""

    layer: str
    shape: str
    activation: str
    parameters: int


class Undrawn:
    """A base of layers whose parameters ``Network.initialize_`` draws, from a stream of its own."""

    def reset_parameters(self) -> None:
        """Draw nothing: torch's global stream belongs to the user."""


class Network(nn.Module):
    """A kind of model: besides ``forward`` it says what it takes and what it consists of.

    Nothing outside asks which class a network is of. A new kind is a class with these methods and a row in ``MODELS``.
    """

    kind: ClassVar[str]
    """The ``model.kind`` of its section."""
    takes: ClassVar[Literal["rows", "images"]]
    """(batch, inputs), or (batch, channels, height, width)."""
    standardizes_itself: ClassVar[bool] = False
    """Whether it has ``mean`` and ``scale`` and takes raw inputs; others get ``Standardized``."""
    mean: Tensor
    scale: Tensor

    @property
    def depends_on_mode(self) -> bool:
        """Whether it computes something else in training than in evaluation."""
        return True

    @property
    def widest(self) -> int:
        """The largest number of outputs that a layer has for one input; 1 without layers."""
        return max((p.shape[0] for p in self.parameters() if p.dim() > 1), default=1)

    @classmethod
    def from_section(cls, section: Any, task: Task) -> Self:
        """The network that a model section of its kind describes, its parameters not drawn yet."""
        raise NotImplementedError

    @classmethod
    def from_architecture(cls, architecture: Mapping[str, Any]) -> Self:
        """The network of which this is the ``architecture()``, its parameters to be loaded."""
        raise NotImplementedError

    def initialize_(self, section: Any, box: Box, generator: torch.Generator, /) -> None:
        """Draw all parameters from the generator, or put in those that the section gives.

        Args:
            section: the model section that the network was made from.
            box: the region that the network's inputs fill.

        Raises:
            ConfigError: the network cannot be trained on the task's data.
        """
        raise NotImplementedError

    def standardize_(self, mean: Tensor, scale: Tensor) -> None:
        """Have inputs become (x - mean) / scale, (inputs,) each, if it ``standardizes_itself``."""
        self.mean.copy_(mean)
        self.scale.copy_(scale)

    def architecture(self) -> dict[str, Any]:
        """All that decides which function a set of parameters is, in plain values.

        Checkpoints hold it and are compared with it: keys, their order and values stay as they are.
        """
        raise NotImplementedError

    def rows(self) -> list[Row]:
        """Its layers, from inputs to outputs."""
        raise NotImplementedError

    def __str__(self) -> str:
        return as_text(self.rows())


def as_text(rows: Sequence[Row]) -> str:
    """The table in plain characters, a line a layer and one for the sum."""
    lines = [("layer", "shape", "activation", "parameters")]
    lines += [(row.layer, row.shape, row.activation, f"{row.parameters:,}") for row in rows]
    lines.append(("total", "", "", f"{sum(row.parameters for row in rows):,}"))
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    return "\n".join(f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:<{widths[2]}}  {d:>{widths[3]}}" for a, b, c, d in lines)


def parameter_count(model: nn.Module) -> int:
    """Trainable numbers."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
