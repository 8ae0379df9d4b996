"""Formulas over tensors: all points at once, differentiable wherever torch is.

torch is imported only when a function is asked for: checking a formula must not wait for it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import TYPE_CHECKING

from nnintro.formula.tree import Algebra, Formula, evaluate

if TYPE_CHECKING:
    from torch import Tensor


_SAME_IN_TORCH = ("sin", "cos", "tan", "exp", "log", "sqrt", "abs", "tanh", "floor")


def torch_function(formula: Formula) -> Callable[[Tensor], Tensor]:
    """The formula as a function of points, (n, inputs) -> (n, 1), of their dtype and device.

    The values are new tensors, never views of the points. The function raises ValueError for
    points of another shape and TypeError for points that are not floating point.
    """
    import torch

    inputs = len(formula.variables)

    def function(points: Tensor) -> Tensor:
        if points.ndim != 2 or points.shape[1] != inputs:
            raise ValueError(f"expected points of shape (n, {inputs}), got {tuple(points.shape)}")
        if not points.is_floating_point():
            raise TypeError(f"expected floating-point points, got {points.dtype}")
        columns = [points[:, index : index + 1] for index in range(inputs)]  # each (n, 1)
        values = evaluate(formula, tensor_algebra(points), columns)
        return values.expand(len(points), 1).clone(memory_format=torch.contiguous_format)

    return function


def tensor_algebra(like: Tensor) -> Algebra[Tensor]:
    """The algebra of tensors that broadcast with (n, 1), of the dtype and device of ``like``."""
    import torch

    def number(value: float) -> Tensor:
        # A tensor, not a plain number: for plain exponents torch takes shortcuts, by which
        # (-inf)**0.5 is nan; and a number too large for the dtype must be inf, not an error.
        return torch.tensor(value, dtype=like.dtype, device=like.device)

    def sign(z: Tensor) -> Tensor:
        return torch.where(z.isnan(), z, torch.sign(z))  # torch's own sign of nan is 0

    return Algebra(
        number=number,
        operations={
            "add": lambda *terms: reduce(torch.add, terms),
            "multiply": torch.mul,
            "divide": torch.div,
            "power": torch.pow,
            "negative": torch.neg,
            **{name: getattr(torch, name) for name in _SAME_IN_TORCH},
            # Of 0 and -0 torch takes either; adding 0 leaves 0, whichever it was.
            "min": lambda *values: reduce(torch.minimum, values) + 0.0,
            "max": lambda *values: reduce(torch.maximum, values) + 0.0,
            "sign": sign,
            "step": lambda z: sign(z).clamp(min=0),  # not z > 0, which would leave the graph
        },
    )
