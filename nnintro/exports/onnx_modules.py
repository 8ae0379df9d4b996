"""Each module of ours in ONNX's operators.

onnxruntime computes Elu and Erf in float32 alone, and the slope of LeakyRelu is a float32 in every
file; in float64 these are spelled out in operators that every program has.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.polynomial import chebyshev
from torch import Tensor, nn

from nnintro.errors import NnintroError
from nnintro.exports.onnx_graph import Graph
from nnintro.models import Mlp, Standardized, Steps, Unet
from nnintro.models.activations import Sine, Step
from nnintro.models.mlp import Affine
from nnintro.models.unet import Convolution, Upsampling

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


Size = tuple[int, int]
"""Height and width of the maps that go into a layer."""


def unet(graph: Graph, module: Unet, x: str) -> str:
    """(batch, inputs, H, W) -> (batch, outputs, H, W) with the module's H and W."""
    assert module.image is not None, "a file is for images of one size"
    height, width = module.image
    left, right, top, bottom = padding = module.padding(height, width)
    x = graph.node("Sub", x, _by_channel(graph, "mean by channel", module.mean))
    x = graph.node("Div", x, _by_channel(graph, "scale by channel", module.scale))
    if any(padding):
        pads = graph.integers(0, 0, top, left, 0, 0, bottom, right)
        x = graph.node("Pad", x, pads, mode="edge")
    y = _maps(graph, module, x, (height + top + bottom, width + left + right))
    if any(padding):
        y = _slice(graph, y, (top, left), (top + height, left + width))
    return y


def _maps(graph: Graph, module: Unet, x: str, size: Size) -> str:
    skips = []
    for block in module.down[:-1]:
        skips.append(_layers(graph, block, x, size))
        x = graph.node("MaxPool", skips[-1], kernel_shape=[2, 2], strides=[2, 2])
        size = size[0] // 2, size[1] // 2
    x = _layers(graph, module.down[-1], x, size)
    x = _layers(graph, module.middle, x, size)
    for upsample, block in zip(module.upsample, module.up, strict=True):
        x = _layers(graph, [upsample], x, size)
        size = 2 * size[0], 2 * size[1]
        x = _layers(graph, block, graph.node("Concat", skips.pop(), x, axis=1), size)
    return _layers(graph, [module.readout], x, size)


def _layers(graph: Graph, layers: Any, x: str, size: Size) -> str:
    for layer in layers:
        x = LAYERS[type(layer)](graph, layer, x, size)
    return x


def _convolution(graph: Graph, layer: Convolution, x: str, size: Size) -> str:
    weight, bias = layer.weight, layer.bias
    assert bias is not None
    kernel = weight.shape[-1]
    if not graph.double:
        border, names = kernel // 2, (graph.tensor(weight), graph.tensor(bias))
        return graph.node("Conv", x, *names, kernel_shape=[kernel] * 2, pads=[border] * 4)
    if kernel > 1:
        x = _neighbourhoods(graph, x, size)
    # (outputs, 9 inputs): the neighbours one after another, each with all channels.
    matrix = weight.detach().permute(0, 2, 3, 1).reshape(len(weight), -1)
    y = _product(graph, f"{graph.name_of(weight)} as a matrix", matrix, x, size)
    return graph.node("Add", y, _by_channel(graph, f"{graph.name_of(bias)} by channel", bias))


def _neighbourhoods(graph: Graph, x: str, size: Size) -> str:
    """(b, c, H, W) -> (b, 9 c, H, W): the pixels around each, zeros beyond the edge."""
    padded = graph.node("Pad", x, graph.integers(0, 0, 1, 1, 0, 0, 1, 1))
    shifted = [
        _slice(graph, padded, (i, j), (i + size[0], j + size[1]))
        for i, j in itertools.product(range(3), repeat=2)
    ]
    return graph.node("Concat", *shifted, axis=1)


def _product(graph: Graph, name: str, matrix: Tensor, x: str, size: Size) -> str:
    """(b, inputs, H, W) -> (b, outputs, H, W) by a matrix (outputs, inputs) at each pixel."""
    outputs, inputs = matrix.shape
    flat = graph.node("Reshape", x, graph.integers(-1, inputs, size[0] * size[1]))
    y = graph.node("MatMul", graph.constant(name, matrix), flat)
    return graph.node("Reshape", y, graph.integers(-1, outputs, *size))


def _upsampling(graph: Graph, layer: Upsampling, x: str, size: Size) -> str:
    weight, bias = layer.weight, layer.bias
    assert bias is not None
    if not graph.double:
        names = graph.tensor(weight), graph.tensor(bias)
        return graph.node("ConvTranspose", x, *names, kernel_shape=[2, 2], strides=[2, 2])
    channels = len(bias)
    # Each pixel becomes 2x2: (outputs 2 2, inputs), and the small squares put side by side.
    matrix = weight.detach().permute(1, 2, 3, 0).reshape(-1, channels)
    y = _product(graph, f"{graph.name_of(weight)} as a matrix", matrix, x, size)
    y = graph.node("Reshape", y, graph.integers(-1, channels, 2, 2, *size))
    y = graph.node("Transpose", y, perm=[0, 1, 4, 2, 5, 3])
    y = graph.node("Reshape", y, graph.integers(-1, channels, 2 * size[0], 2 * size[1]))
    return graph.node("Add", y, _by_channel(graph, f"{graph.name_of(bias)} by channel", bias))


def _batch_normalization(graph: Graph, layer: nn.BatchNorm2d, x: str, _: Size) -> str:
    tensors = layer.weight, layer.bias, layer.running_mean, layer.running_var
    weight, bias, mean, variance = (values for values in tensors if values is not None)
    if not graph.double:
        names = map(graph.tensor, (weight, bias, mean, variance))
        return graph.node("BatchNormalization", x, *names, epsilon=layer.eps)
    factor = weight.detach() / (variance + layer.eps).sqrt()
    name = graph.name_of(weight).removesuffix(".weight")
    y = graph.node("Mul", x, _by_channel(graph, f"{name} factor", factor))
    shift = bias.detach() - mean * factor
    return graph.node("Add", y, _by_channel(graph, f"{name} shift", shift))


def _group_normalization(graph: Graph, layer: nn.GroupNorm, x: str, size: Size) -> str:
    """(x - mean) / sqrt(variance + epsilon) of each image's groups, in ONNX's plain operators."""
    grouped = graph.node("Reshape", x, graph.integers(-1, layer.num_groups, _size(layer, size)))
    centred = graph.node("Sub", grouped, graph.node("ReduceMean", grouped, axes=[2], keepdims=1))
    square = graph.node("Mul", centred, centred)
    variance = graph.node("ReduceMean", square, axes=[2], keepdims=1)
    deviation = graph.node("Sqrt", graph.node("Add", variance, graph.number(layer.eps)))
    standard = graph.node("Div", centred, deviation)
    y = graph.node("Reshape", standard, graph.integers(-1, layer.num_channels, *size))
    weight, bias = (
        _by_channel(graph, f"{graph.name_of(values)} by channel", values)
        for values in (layer.weight, layer.bias)
    )
    return graph.node("Add", graph.node("Mul", y, weight), bias)


def _size(layer: nn.GroupNorm, size: Size) -> int:
    """Numbers in a group."""
    return layer.num_channels // layer.num_groups * size[0] * size[1]


def _relu(graph: Graph, _: nn.ReLU, x: str, __: Size) -> str:
    return graph.node("Relu", x)


def _slice(graph: Graph, x: str, start: Size, stop: Size) -> str:
    return graph.node(
        "Slice", x, graph.integers(*start), graph.integers(*stop), graph.integers(2, 3)
    )


def _by_channel(graph: Graph, name: str, values: Tensor) -> str:
    """(channels,) as it meets (b, channels, H, W)."""
    return graph.constant(name, values.detach()[:, None, None])


LAYERS: dict[type[nn.Module], Callable[[Graph, Any, str, Size], str]] = {
    Convolution: _convolution,
    Upsampling: _upsampling,
    nn.BatchNorm2d: _batch_normalization,
    nn.GroupNorm: _group_normalization,
    nn.ReLU: _relu,
}
"""Kind of layer -> (graph, layer, name of its input, the input's size) -> name of its output."""


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
