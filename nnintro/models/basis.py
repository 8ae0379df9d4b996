"""Basis functions: what a network takes in place of its inputs, phi_1(x), ..., phi_k(x)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import torch
from torch import Tensor

from nnintro.formula import Formula
from nnintro.formula.tensors import tensor_algebra
from nnintro.formula.tree import evaluate
from nnintro.wording import MOST_NAMED


def basis_functions(formulas: Sequence[Formula], x: Tensor) -> Tensor:
    """(n, inputs) -> (n, formulas), in the type of ``x``.

    Not finite where a formula has no finite value.
    """
    columns = [x[:, index : index + 1] for index in range(x.shape[1])]  # each (n, 1)
    algebra = tensor_algebra(x)
    values = [evaluate(formula, algebra, columns) for formula in formulas]  # (n, 1), of a constant ()
    return torch.cat([value.expand(x.shape[0], 1) for value in values], dim=1)


def first_not_finite(formulas: Sequence[Formula], x: Tensor) -> tuple[int, int, str] | None:
    """(row, formula, the row in words) of the first value that is not finite at (n, inputs); None where all are."""
    bad = (~basis_functions(formulas, x).isfinite()).nonzero()
    if not len(bad):
        return None
    row, index = bad[0].tolist()
    named = zip(formulas[0].variables, x[row].tolist(), strict=True)
    return row, index, ", ".join(f"{name} = {value:g}" for name, value in islice(named, MOST_NAMED))
