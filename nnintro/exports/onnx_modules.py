"""Translate each module into ONNX operators; a module with a row in the table can be exported."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from torch import nn

from nnintro.errors import NnintroError
from nnintro.exports.onnx_formulas import with_basis
from nnintro.exports.onnx_graph import (
    Graph,
    by_channel,
    cropped,
    erf_in_double,
    neighbourhoods,
    product_by_pixel,
    where_above,
)
from nnintro.models import Mlp, Standardized, Steps, Unet
from nnintro.models.activations import Sine, Step
from nnintro.models.mlp import Affine
from nnintro.models.normalization import BatchNormalization
from nnintro.models.unet import Convolution, DoubleConvolution, Upsampling

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
    standard = with_basis(graph, module.basis, x) if module.basis else x
    if module.has_inputs:
        centred = graph.node("Sub", standard, graph.tensor(module.mean))
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
    return graph.node("Gemm", x, graph.tensor(module.weight), graph.tensor(module.bias), transB=1)


def _operator(name: str) -> Translation:
    return lambda graph, _, z: graph.node(name, z)


def _step(graph: Graph, _: Step, z: str) -> str:
    on = graph.node("Cast", graph.node("Greater", z, graph.number(0.0)), to=graph.element)
    # NaN > 0 is false, and NaN must not come out as "off".
    return graph.node("Where", graph.node("IsNaN", z), z, on)


def _leaky_relu(graph: Graph, module: nn.LeakyReLU, z: str) -> str:
    if not graph.double:
        return graph.node("LeakyRelu", z, alpha=module.negative_slope)
    below = graph.node("Mul", z, graph.number(module.negative_slope))
    return where_above(graph, z, 0.0, z, below)


def _elu(graph: Graph, _: nn.ELU, z: str) -> str:
    """z above 0, exp(z) - 1 below (torch's alpha is 1)."""
    if not graph.double:
        return graph.node("Elu", z)
    falling = graph.node("Exp", graph.node("Min", z, graph.number(0.0)))
    return where_above(graph, z, 0.0, z, graph.node("Sub", falling, graph.number(1.0)))


def _softplus(graph: Graph, module: nn.Softplus, z: str) -> str:
    """max(z, 0) + log(1 + exp(-|z|)): ONNX's own, log(1 + exp(z)), overflows where z is large."""
    tail = graph.node("Exp", graph.node("Neg", graph.node("Abs", z)))
    log = graph.node("Log", graph.node("Add", tail, graph.number(1.0)))
    smooth = graph.node("Add", graph.node("Relu", z), log)
    return where_above(graph, z, module.threshold, z, smooth)


def _gelu(graph: Graph, _: nn.GELU, z: str) -> str:
    """z (1 + erf(z / sqrt 2)) / 2."""
    scaled = graph.node("Mul", z, graph.number(math.sqrt(0.5)))
    erf = erf_in_double(graph, scaled) if graph.double else graph.node("Erf", scaled)
    twice = graph.node("Mul", z, graph.node("Add", erf, graph.number(1.0)))
    return graph.node("Mul", twice, graph.number(0.5))


def _unet(graph: Graph, module: Unet, x: str) -> str:
    """(batch, inputs, H, W) -> (batch, outputs, H, W) with the module's H and W."""
    assert module.image is not None, "a file is for images of one size"
    height, width = module.image
    left, right, top, bottom = padding = module.padding(height, width)
    x = graph.node("Sub", x, by_channel(graph, module.mean))
    x = graph.node("Div", x, by_channel(graph, module.scale))
    if any(padding):
        pads = graph.integers(0, 0, top, left, 0, 0, bottom, right)
        x = graph.node("Pad", x, pads, mode="edge")
    graph.size = height + top + bottom, width + left + right
    y = _maps(graph, module, x)
    if any(padding):
        y = cropped(graph, y, (top, left), (top + height, left + width))
    return y


def _maps(graph: Graph, module: Unet, x: str) -> str:
    skips = []
    for block in module.down[:-1]:
        skips.append(translate(graph, block, x))
        x = graph.node("MaxPool", skips[-1], kernel_shape=[2, 2], strides=[2, 2])
        graph.size = graph.size[0] // 2, graph.size[1] // 2
    x = translate(graph, module.middle, translate(graph, module.down[-1], x))
    for upsample, block in zip(module.upsample, module.up, strict=True):
        x = translate(graph, upsample, x)
        x = translate(graph, block, graph.node("Concat", skips.pop(), x, axis=1))
    return translate(graph, module.readout, x)


def _sequence(graph: Graph, module: DoubleConvolution, x: str) -> str:
    for layer in module:
        x = translate(graph, layer, x)
    return x


def _convolution(graph: Graph, layer: Convolution, x: str) -> str:
    weight, bias = layer.weight, layer.bias
    assert bias is not None
    kernel = weight.shape[-1]
    if not graph.double:
        border, names = kernel // 2, (graph.tensor(weight), graph.tensor(bias))
        return graph.node("Conv", x, *names, kernel_shape=[kernel] * 2, pads=[border] * 4)
    if kernel > 1:
        x = neighbourhoods(graph, x)
    # (outputs, 9 inputs): the neighbours one after another, each with all channels.
    matrix = weight.detach().permute(0, 2, 3, 1).reshape(len(weight), -1)
    y = product_by_pixel(graph, f"{graph.name_of(weight)} as a matrix", matrix, x, graph.size)
    return graph.node("Add", y, by_channel(graph, bias))


def _upsampling(graph: Graph, layer: Upsampling, x: str) -> str:
    weight, bias = layer.weight, layer.bias
    assert bias is not None
    height, width = graph.size
    graph.size = 2 * height, 2 * width
    if not graph.double:
        names = graph.tensor(weight), graph.tensor(bias)
        return graph.node("ConvTranspose", x, *names, kernel_shape=[2, 2], strides=[2, 2])
    channels = len(bias)
    # Each pixel becomes 2x2: (outputs 2 2, inputs), and the small squares put side by side.
    matrix = weight.detach().permute(1, 2, 3, 0).reshape(-1, channels)
    y = product_by_pixel(graph, f"{graph.name_of(weight)} as a matrix", matrix, x, (height, width))
    y = graph.node("Reshape", y, graph.integers(-1, channels, 2, 2, height, width))
    y = graph.node("Transpose", y, perm=[0, 1, 4, 2, 5, 3])
    y = graph.node("Reshape", y, graph.integers(-1, channels, *graph.size))
    return graph.node("Add", y, by_channel(graph, bias))


def _batch_normalization(graph: Graph, layer: BatchNormalization, x: str) -> str:
    tensors = layer.weight, layer.bias, layer.running_mean, layer.running_var
    weight, bias, mean, variance = (values for values in tensors if values is not None)
    if not graph.double:
        names = map(graph.tensor, (weight, bias, mean, variance))
        return graph.node("BatchNormalization", x, *names, epsilon=layer.eps)
    factor = weight.detach() / (variance + layer.eps).sqrt()
    name = graph.name_of(weight).removesuffix(".weight")
    y = graph.node("Mul", x, graph.constant(f"{name} factor", factor[:, None, None]))
    shift = bias.detach() - mean * factor
    return graph.node("Add", y, graph.constant(f"{name} shift", shift[:, None, None]))


def _group_normalization(graph: Graph, layer: nn.GroupNorm, x: str) -> str:
    """(x - mean) / sqrt(variance + epsilon) of each image's groups, in ONNX's plain operators."""
    numbers = layer.num_channels // layer.num_groups * math.prod(graph.size)  # in a group
    grouped = graph.node("Reshape", x, graph.integers(-1, layer.num_groups, numbers))
    centred = graph.node("Sub", grouped, graph.node("ReduceMean", grouped, axes=[2], keepdims=1))
    square = graph.node("Mul", centred, centred)
    variance = graph.node("ReduceMean", square, axes=[2], keepdims=1)
    deviation = graph.node("Sqrt", graph.node("Add", variance, graph.number(layer.eps)))
    standard = graph.node("Div", centred, deviation)
    y = graph.node("Reshape", standard, graph.integers(-1, layer.num_channels, *graph.size))
    scaled = graph.node("Mul", y, by_channel(graph, layer.weight))
    return graph.node("Add", scaled, by_channel(graph, layer.bias))


TRANSLATIONS: dict[type[nn.Module], Translation] = {
    Standardized: _standardized,
    Mlp: _mlp,
    Steps: _mlp,
    Unet: _unet,
    DoubleConvolution: _sequence,
    Convolution: _convolution,
    Upsampling: _upsampling,
    BatchNormalization: _batch_normalization,
    nn.GroupNorm: _group_normalization,
    Affine: _affine,
    nn.Identity: lambda _, __, z: z,
    Step: _step,
    nn.Sigmoid: _operator("Sigmoid"),
    nn.Tanh: _operator("Tanh"),
    nn.ReLU: _operator("Relu"),
    nn.LeakyReLU: _leaky_relu,
    nn.ELU: _elu,
    nn.GELU: _gelu,
    nn.SiLU: lambda graph, _, z: graph.node("Mul", z, graph.node("Sigmoid", z)),
    nn.Softplus: _softplus,
    Sine: _operator("Sin"),
}
