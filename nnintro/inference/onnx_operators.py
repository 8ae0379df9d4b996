"""Each module of ours in ONNX's operators.

onnxruntime computes Elu and Erf in float32 alone, and the slope of LeakyRelu is a float32 in every
file; in float64 these are spelled out in operators that every program has.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.polynomial import chebyshev
from torch import nn

from nnintro.errors import NnintroError
from nnintro.inference.onnx_graph import Graph
from nnintro.inference.onnx_unet import unet
from nnintro.models import Mlp, Standardized, Steps, Unet
from nnintro.models.activations import Sine, Step
from nnintro.models.mlp import Affine

Translation = Callable[[Graph, Any, str], str]
"""(graph, module, name of its input) -> name of its output."""


def translate(graph: Graph, module: nn.Module, x: str) -> str:
    """Add what computes ``module``; the name of its output.

    Raises:
        NnintroError: there is no translation.
    """
    if type(module) not in TRANSLATIONS:
        kind = type(module).__name__
        raise NnintroError(f"{kind} has no translation to ONNX; export torch or safetensors")
    return TRANSLATIONS[type(module)](graph, module, x)


def _standardized(graph: Graph, module: Standardized, x: str) -> str:
    centred = graph.node("Sub", x, graph.tensor(module.mean))
    standard = graph.node("Div", centred, graph.tensor(module.scale))
    if not graph.double:
        standard = graph.node("Cast", standard, to=graph.element)
    output = translate(graph, module.network, standard)
    if not module.has_targets:
        return output
    if not graph.double:
        output = graph.node("Cast", output, to=graph.output_element)
    scaled = graph.node("Mul", output, graph.tensor(module.target_scale))
    return graph.node("Add", scaled, graph.tensor(module.target_mean))


def _mlp(graph: Graph, module: Mlp, x: str) -> str:
    for layer, activation in zip(module.layers, module.activations, strict=True):
        x = translate(graph, activation, translate(graph, layer, x))
    return x


def _affine(graph: Graph, module: Affine, x: str) -> str:
    weight, bias = graph.tensor(module.weight), graph.tensor(module.bias)
    return graph.node("Gemm", x, weight, bias, transB=1)


def _identity(_: Graph, __: nn.Module, z: str) -> str:
    return z


def _operator(name: str) -> Translation:
    return lambda graph, _, z: graph.node(name, z)


def _step(graph: Graph, _: Step, z: str) -> str:
    on = graph.node("Cast", graph.node("Greater", z, graph.number(0.0)), to=graph.element)
    # NaN > 0 is false, and what is no number must not come out as "off".
    return graph.node("Where", graph.node("IsNaN", z), z, on)


def _silu(graph: Graph, _: nn.SiLU, z: str) -> str:
    return graph.node("Mul", z, graph.node("Sigmoid", z))


def _where_above(graph: Graph, z: str, threshold: float, above: str, below: str) -> str:
    return graph.node("Where", graph.node("Greater", z, graph.number(threshold)), above, below)


def _leaky_relu(graph: Graph, module: nn.LeakyReLU, z: str) -> str:
    if not graph.double:
        return graph.node("LeakyRelu", z, alpha=module.negative_slope)
    below = graph.node("Mul", z, graph.number(module.negative_slope))
    return _where_above(graph, z, 0.0, z, below)


def _elu(graph: Graph, _: nn.ELU, z: str) -> str:
    """z above 0, exp(z) - 1 below (torch's alpha is 1)."""
    if not graph.double:
        return graph.node("Elu", z)
    falling = graph.node("Exp", graph.node("Min", z, graph.number(0.0)))
    return _where_above(graph, z, 0.0, z, graph.node("Sub", falling, graph.number(1.0)))


def _softplus(graph: Graph, module: nn.Softplus, z: str) -> str:
    """max(z, 0) + log(1 + exp(-|z|)): ONNX's own, log(1 + exp(z)), overflows where z is large."""
    tail = graph.node("Exp", graph.node("Neg", graph.node("Abs", z)))
    log = graph.node("Log", graph.node("Add", tail, graph.number(1.0)))
    smooth = graph.node("Add", graph.node("Relu", z), log)
    return _where_above(graph, z, module.threshold, z, smooth)


def _gelu(graph: Graph, _: nn.GELU, z: str) -> str:
    """z (1 + erf(z / sqrt 2)) / 2."""
    scaled = graph.node("Mul", z, graph.number(math.sqrt(0.5)))
    erf = _erf_in_double(graph, scaled) if graph.double else graph.node("Erf", scaled)
    twice = graph.node("Mul", z, graph.node("Add", erf, graph.number(1.0)))
    return graph.node("Mul", twice, graph.number(0.5))


_FAR = 6.0
"""Where 1 - erf is below float64's rounding."""
_MIDDLE, _HALF = 0.625, 0.375
"""The interval that 2 / (2 + a) fills for 0 <= a <= 6."""
_DEGREE = 18


@functools.cache
def _erfcx_coefficients() -> list[float]:
    """Of the polynomial p, lowest power first: p(u) = exp(a^2) erfc(a), within 2e-15.

    2 / (2 + a) = 0.625 + 0.375 u maps [0, 6] to [-1, 1], and makes the function so smooth that
    degree 18 is enough (Numerical Recipes, 3rd edition, section 6.2.2).
    """
    u = chebyshev.chebpts1(_DEGREE + 1)
    places = 2 / (_MIDDLE + _HALF * u) - 2
    erfcx = np.array([math.erfc(a) * math.exp(a * a) for a in places])
    through = chebyshev.chebfit(u, erfcx, _DEGREE)
    return [float(c) for c in chebyshev.cheb2poly(through)]


def _erf_in_double(graph: Graph, x: str) -> str:
    """sign(x) (1 - exp(-a^2) p(u)) with a = min(|x|, 6)."""
    a = graph.node("Min", graph.node("Abs", x), graph.number(_FAR))
    fraction = graph.node("Div", graph.number(2.0), graph.node("Add", a, graph.number(2.0)))
    centred = graph.node("Sub", fraction, graph.number(_MIDDLE))
    u = graph.node("Div", centred, graph.number(_HALF))
    *lower, highest = _erfcx_coefficients()
    polynomial = graph.number(highest)
    for coefficient in reversed(lower):
        product = graph.node("Mul", polynomial, u)
        polynomial = graph.node("Add", product, graph.number(coefficient))
    bell = graph.node("Exp", graph.node("Neg", graph.node("Mul", a, a)))
    size = graph.node("Sub", graph.number(1.0), graph.node("Mul", bell, polynomial))
    return graph.node("Mul", graph.node("Sign", x), size)


TRANSLATIONS: dict[type[nn.Module], Translation] = {
    Standardized: _standardized,
    Mlp: _mlp,
    Steps: _mlp,
    Unet: unet,
    Affine: _affine,
    nn.Identity: _identity,
    Step: _step,
    nn.Sigmoid: _operator("Sigmoid"),
    nn.Tanh: _operator("Tanh"),
    nn.ReLU: _operator("Relu"),
    nn.LeakyReLU: _leaky_relu,
    nn.ELU: _elu,
    nn.GELU: _gelu,
    nn.SiLU: _silu,
    nn.Softplus: _softplus,
    Sine: _operator("Sin"),
}
