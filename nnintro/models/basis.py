"""Basis functions: what a network takes in place of its inputs, phi_1(x), ..., phi_k(x)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from nnintro.formula import Formula
from nnintro.formula.tensors import tensor_algebra
from nnintro.formula.tree import evaluate


def basis_functions(formulas: Sequence[Formula], x: Tensor) -> Tensor:
    """(n, inputs) -> (n, formulas), in the type of ``x``.

    Not finite where a formula has no finite value.
    """
    columns = [x[:, index : index + 1] for index in range(x.shape[1])]  # each (n, 1)
    algebra = tensor_algebra(x)
    values = [evaluate(formula, algebra, columns) for formula in formulas]  # (n, 1), of a constant ()
    return torch.cat([value.expand(x.shape[0], 1) for value in values], dim=1)


def first_not_finite(features: Tensor) -> tuple[int, int] | None:
    """(row, formula) of the first value that is not finite; None where all are."""
    bad = (~features.isfinite()).nonzero()
    return (int(bad[0, 0]), int(bad[0, 1])) if len(bad) else None
