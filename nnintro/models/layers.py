"""A model as a table: its layers, their shapes and their numbers of parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import nn


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    layer: str
    shape: str
    activation: str
    parameters: int


class Tabulated(Protocol):
    """A model that can say what it consists of."""

    def rows(self) -> list[Row]: ...


def as_text(rows: Sequence[Row]) -> str:
    """The table in plain characters, a line a layer and one for the sum."""
    lines = [("layer", "shape", "activation", "parameters")]
    lines += [(row.layer, row.shape, row.activation, f"{row.parameters:,}") for row in rows]
    lines.append(("total", "", "", f"{sum(row.parameters for row in rows):,}"))
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    return "\n".join(
        f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:<{widths[2]}}  {d:>{widths[3]}}"
        for a, b, c, d in lines
    )


def parameter_count(model: nn.Module) -> int:
    """Trainable numbers."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
