"""Check that an exported file computes the same outputs as the network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.func import functional_call

from nnintro.errors import NnintroError
from nnintro.exports.onnx_graph import Size
from nnintro.models import Standardized, input_precision, precision_of
from nnintro.models.activations import Step
from nnintro.models.standardized import numpy_type

Program = Callable[[Tensor], Tensor]
"""(n, inputs) -> (n, outputs)."""
SIZES = (1, 2, 17, 64)
"""Rows of the batches that a file is tried on."""
IMAGE_SIZES = (1, 2)
"""Images of the batches that a file is tried on: each of them has thousands of outputs."""
TOLERANCE = {torch.float32: 1e-6, torch.float64: 1e-12}
"""Largest difference, relative to max(1, |output|)."""
ROUNDINGS = 8.0
"""How many times its own rounding two programs of one network may lie apart."""
MARGIN = 256 * torch.finfo(torch.float32).eps
"""Share of a layer's largest |z| within which a step's z counts as being on its threshold."""
_CANDIDATES = 4096


@dataclass(frozen=True)
class Agreement:
    """How far a file is from its network; differences are relative to max(1, |output|)."""

    rows: int
    inputs: torch.dtype
    """What the file takes."""
    difference: float
    allowed: float
    """The tolerance of the precision, or more where the network's own rounding is larger."""
    steps: bool
    """Whether inputs on a threshold of a step were left out."""
    sizes: tuple[int, ...] = SIZES
    """Inputs in each batch."""

    def __str__(self) -> str:
        *others, last = map(str, self.sizes)
        left_out = "; inputs on the threshold of a step left out" if self.steps else ""
        return (
            f"takes {numpy_type(self.inputs).name}; "
            f"read back and run on {self.rows} inputs, {', '.join(others)} and {last} at a time: "
            f"largest difference {self.difference:.1e}, allowed {self.allowed:.1e}{left_out}"
        )


def compare(model: nn.Module, program: Program, low: Tensor, high: Tensor, image: Size | None = None) -> Agreement:
    """Run both on fresh inputs, in the data's region and three times as far.

    At a step's threshold the output jumps, and rounding decides on which side an input falls: such
    inputs prove nothing about a file and are left out.

    Args:
        model: in evaluation mode, without gradients.
        low, high: (inputs,) corners of the data's region.
        image: of a network that takes images, the size that the file is for.

    Raises:
        NnintroError: the outputs differ by more than rounding can explain, or have another shape or
            type; or all inputs lie on thresholds.
    """
    steps = any(isinstance(module, Step) for module in model.modules())
    inputs = probes(model, low, high, image)
    allowed = max(TOLERANCE[precision_of(model)], ROUNDINGS * own_rounding(model, inputs))
    sizes = SIZES if image is None else IMAGE_SIZES
    largest = max(difference(program(batch), model(batch)) for batch in torch.split(inputs, list(sizes)))
    if not largest <= allowed:
        raise NnintroError(
            f"the file does not compute what the network computes: on {len(inputs)} inputs the "
            f"largest difference is {largest:.1e}, and rounding explains {allowed:.1e}"
        )
    return Agreement(len(inputs), inputs.dtype, largest, allowed, steps, sizes)


def probes(model: nn.Module, low: Tensor, high: Tensor, image: Size | None = None) -> Tensor:
    """(sum(SIZES), inputs): every other row in the box, the others in one three times as wide.

    Of a network on images (sum(IMAGE_SIZES), inputs, H, W), each pixel in the box of its channel.
    """
    generator = torch.Generator().manual_seed(0)
    low, high = low.double(), high.double()
    if image is not None:
        low, high = low[:, None, None], high[:, None, None]
    count = _CANDIDATES if image is None else sum(IMAGE_SIZES)
    unit = torch.rand(count, len(low), *(image or ()), generator=generator, dtype=torch.float64)
    unit[1::2] = 3 * unit[1::2] - 1
    candidates = (low + unit * (high - low)).to(input_precision(model))
    return candidates if image is not None else _clear_rows(model, candidates, sum(SIZES))


def _clear_rows(model: nn.Module, candidates: Tensor, wanted: int) -> Tensor:
    """(wanted, inputs): the first of the candidates that no step's threshold is near."""
    if not any(isinstance(module, Step) for module in model.modules()):
        return candidates[:wanted]
    # A wide network's layers on all of them at once would fill the memory.
    blocks = torch.split(candidates, 256)
    clear = candidates[torch.cat([clear_of_jumps(model, block) for block in blocks])]
    if len(clear) == 0:
        raise NnintroError(
            f"the file cannot be checked: each of {_CANDIDATES} inputs lies within rounding of a step's threshold"
        )
    # Fewer than wanted, where thresholds are everywhere: they are used again.
    return clear.repeat(-(-wanted // len(clear)), 1)[:wanted]


def clear_of_jumps(model: nn.Module, inputs: Tensor) -> Tensor:
    """(n,) whether no step's z is within rounding of its threshold 0."""
    clear = torch.ones(len(inputs), dtype=torch.bool)

    def look(_: nn.Module, arguments: tuple[Tensor, ...]) -> None:
        distance = arguments[0].abs()
        if distance.shape[1] == 0:
            return  # a layer without neurons jumps nowhere
        scale = distance.amax(1).clamp(min=1.0)
        clear.logical_and_(distance.amin(1) > MARGIN * scale)

    hooks = [m.register_forward_pre_hook(look) for m in model.modules() if isinstance(m, Step)]
    try:
        model(inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return clear


def own_rounding(model: nn.Module, inputs: Tensor) -> float:
    """How far rounding alone moves the network's outputs, relative to max(1, |output|).

    A standardisation and basis functions, which are in float64 always, have no part in it. Measured as the
    distance between the network in float32 and in float64; in float64 it is by the ratio of the two units of
    rounding smaller.
    """
    network, dtype = model, precision_of(model)
    if isinstance(model, Standardized):
        network, inputs = model.network, (model.features(inputs) - model.mean) / model.scale
    inputs = inputs.to(dtype)
    single, double = (_computed_in(other, network, inputs) for other in (torch.float32, torch.float64))
    if isinstance(model, Standardized):
        single, double = model.unscaled(single), model.unscaled(double)
    # What overflows in float32 says nothing of rounding.
    finite = single.isfinite().flatten(1).all(1)
    moved = difference(single[finite].double(), double[finite])
    return moved * torch.finfo(dtype).eps / torch.finfo(torch.float32).eps


def _computed_in(dtype: torch.dtype, model: nn.Module, inputs: Tensor) -> Tensor:
    tensors = {name: values.to(dtype) for name, values in model.state_dict().items()}
    return cast(Tensor, functional_call(model, tensors, (inputs.to(dtype),)))


def difference(found: Tensor, wanted: Tensor) -> float:
    """Largest |found - wanted| / max(1, |wanted|); infinite for another shape, type or infinity."""
    if found.shape != wanted.shape or found.dtype != wanted.dtype:
        return float("inf")
    same = (found == wanted) | (found.isnan() & wanted.isnan())
    apart = (found - wanted).abs() / wanted.abs().clamp(min=1.0)
    apart = apart.nan_to_num(nan=float("inf"), posinf=float("inf"))
    return float(torch.where(same, 0.0, apart).amax()) if len(apart) else 0.0
