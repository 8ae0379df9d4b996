"""``"0.2 + 0.4*x**2"``: text -> checked tree -> numbers. No formula is ever executed as Python."""

from nnintro.formula.floats import evaluate_float, first_non_finite
from nnintro.formula.parse import parse
from nnintro.formula.tensors import torch_function
from nnintro.formula.tree import FUNCTIONS, LECTURE, Formula, FormulaError

__all__ = ["FUNCTIONS", "LECTURE", "Formula", "FormulaError", "evaluate_float", "first_non_finite"]
__all__ += ["parse", "torch_function"]
