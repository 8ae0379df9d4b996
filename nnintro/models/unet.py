"""model kind ``unet``: from images to maps (Ronneberger, Fischer and Brox, 2015)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal, Self, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from nnintro.config.models.unet import UnetModel
from nnintro.config.task import Task
from nnintro.errors import ConfigError
from nnintro.models.network import Box, Network, Row, Undrawn, parameter_count
from nnintro.models.normalization import BatchNormalization

Normalization = Literal["batch", "group", "none"]
GROUPS = 8
"""Of group normalization (Wu and He, 2018), where the channels fall into so many."""


class Convolution(Undrawn, nn.Conv2d):
    """A convolution."""


class Upsampling(Undrawn, nn.ConvTranspose2d):
    """A 2x2 transposed convolution of stride 2: twice the height and width, the same channels."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, channels, kernel_size=2, stride=2)


class DoubleConvolution(nn.Sequential):
    """Twice: 3x3 convolution, padding 1, with a bias; normalization; ReLU.

    The bias does nothing in front of batch normalization, which takes each channel's mean away; the
    lecture's network has it, and so it is here.
    """

    def __init__(self, inputs: int, outputs: int, normalization: Normalization) -> None:
        layers: list[nn.Module] = []
        for channels in (inputs, outputs):
            layers.append(Convolution(channels, outputs, kernel_size=3, padding=1))
            if normalization == "batch":
                layers.append(BatchNormalization(outputs))
            elif normalization == "group":
                layers.append(nn.GroupNorm(math.gcd(GROUPS, outputs), outputs))
            layers.append(nn.ReLU(inplace=True))
        super().__init__(*layers)


class Unet(Network):
    """Down to coarser maps of more channels, up again, and across by skip connections.

    With channels c_0 .. c_L: a double convolution to c_0; L times max pooling by 2 and a double
    convolution c_(i-1) -> c_i; a double convolution c_L -> c_(L-1) in the middle; for i = L-1 .. 0
    a transposed convolution that keeps the channels c_i, the skip of that size in front of it, and
    a double convolution c_i + c_i -> c_(i-1) (c_0 for i = 0); a 1x1 convolution to the outputs.

    Images whose sides 2^L does not divide are padded by their outermost pixels, evenly on both sides (an odd one more
    at the bottom and on the right), and the outputs cropped back. Zeros would put an edge around every image, where
    edges are what is looked for; reflection cannot reach further than the image is large.

    Args:
        inputs, outputs: channels of the images and of the maps.
        channels: c_0 .. c_L, two or more.
        normalization: behind each 3x3 convolution; ``group`` has 8 groups, or the largest number
            that divides both 8 and the channels.
        image: height and width, where they are known; for the table of layers alone.
    """

    kind = "unet"
    takes = "images"
    standardizes_itself = True

    def __init__(
        self,
        inputs: int,
        outputs: int,
        channels: Sequence[int],
        normalization: Normalization = "batch",
        image: tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        self.inputs, self.outputs, self.image = inputs, outputs, image
        self.channels, self.normalization = list(channels), normalization
        self.down = nn.ModuleList(DoubleConvolution(a, b, normalization) for a, b in pairwise([inputs, *channels]))
        *finer, deepest = channels
        self.middle = DoubleConvolution(deepest, finer[-1], normalization)
        rising = finer[::-1]
        self.upsample = nn.ModuleList(Upsampling(c) for c in rising)
        pairs = zip(rising, [*rising[1:], finer[0]], strict=True)
        self.up = nn.ModuleList(DoubleConvolution(2 * a, b, normalization) for a, b in pairs)
        self.readout = Convolution(finer[0], outputs, kernel_size=1)
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("scale", torch.ones(inputs))

    @classmethod
    def from_section(cls, section: UnetModel, task: Task) -> Self:
        return cls(task.inputs, task.outputs, section.channels, section.normalization, task.image)

    @classmethod
    def from_architecture(cls, architecture: Mapping[str, Any]) -> Self:
        names = ("inputs", "outputs", "channels", "normalization")
        network = cls(**{name: architecture[name] for name in names}, image=tuple(architecture["image"]))
        network.lay_out_()
        return network

    def initialize_(self, _: UnetModel, __: Box, generator: torch.Generator, /) -> None:
        """torch's own distribution (Conv2d.reset_parameters), layer by layer from one stream.

        Uniform with bound 1/sqrt(fan_in), weights and biases; the normalizations' are 1 and 0.

        Raises:
            ConfigError: the coarsest map of the task's images is a single pixel, and there is a
                normalization, which has no deviation to measure then.
        """
        self._require_pixels()
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.kaiming_uniform_(layer.weight, a=math.sqrt(5), generator=generator)
                fan_in = layer.weight[0].numel()  # as torch counts it, for transposed ones too
                bias = cast(Tensor, layer.bias)
                nn.init.uniform_(bias, -1 / math.sqrt(fan_in), 1 / math.sqrt(fan_in), generator)
        # Only now: numbers are drawn in the order of memory.
        self.lay_out_()

    def _require_pixels(self) -> None:
        if self.image is None or self.normalization == "none" or max(self.image) > self.divisor:
            return
        height, width = self.image
        raise ConfigError.at(
            "model.channels",
            f"{len(self.upsample)} halvings leave a single pixel of {height} x {width}, which "
            "cannot be normalized; expected fewer channels, or normalization: none",
        )

    @property
    def divisor(self) -> int:
        """2^L, by which height and width are divided on the way down."""
        return int(2 ** len(self.upsample))

    def architecture(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "inputs": self.inputs,
            "channels": list(self.channels),
            "normalization": self.normalization,
            "outputs": self.outputs,
            "image": list(self.image or ()),
        }

    def forward(self, x: Tensor) -> Tensor:  # (b, inputs, H, W) -> (b, outputs, H, W)
        height, width = x.shape[-2:]
        x = (x.to(self.mean.dtype) - self.mean[:, None, None]) / self.scale[:, None, None]
        left, _, top, _ = padding = self.padding(height, width)
        if any(padding):
            x = functional.pad(x, padding, mode="replicate")
        maps = self._maps(x.contiguous(memory_format=torch.channels_last))
        return maps[..., top : top + height, left : left + width] if any(padding) else maps

    def _maps(self, x: Tensor) -> Tensor:
        """On sizes that 2^L divides; in memory as ``lay_out_`` has the parameters."""
        skips = []
        for block in self.down[:-1]:
            skips.append(block(x))
            x = functional.max_pool2d(skips[-1], 2)
        x = self.middle(self.down[-1](x.contiguous()))
        x = x.contiguous(memory_format=torch.channels_last)
        for upsample, block in zip(self.upsample, self.up, strict=True):
            x = block(torch.cat([skips.pop(), upsample(x)], dim=1))
        return cast(Tensor, self.readout(x))

    def lay_out_(self) -> None:
        """Order the parameters in memory as the convolutions compute fastest.

        Channels last, so that none has to convert its maps, but for the coarsest maps: there the
        weights are what is large, and torch makes a second copy of a channels-last gradient (docs/LOG.md).
        """
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        for block in (self.down[-1], self.middle):
            block.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]

    def padding(self, height: int, width: int) -> tuple[int, int, int, int]:
        """Pixels put on the left, right, top and bottom of images of that size."""
        beside, above = -width % self.divisor, -height % self.divisor
        return beside // 2, beside - beside // 2, above // 2, above - above // 2

    def rows(self) -> list[Row]:
        levels, inputs = len(self.upsample), [self.inputs, *self.channels]
        rows = []
        if bool((self.mean != 0).any() or (self.scale != 1).any()):
            rows.append(self._row("standardize", inputs[0], inputs[0], 0))
        for i, block in enumerate(self.down):
            rows.append(self._row(f"down {i + 1}", inputs[i], inputs[i + 1], i, block))
        rows.append(self._row("middle", self.channels[-1], self.channels[-2], levels, self.middle))
        for i, upsample, block in zip(reversed(range(levels)), self.upsample, self.up, strict=True):
            here, finer = self.channels[i], self.channels[max(i - 1, 0)]
            rows.append(self._row(f"upsample {i + 1}", here, here, i, upsample))
            rows.append(self._row(f"up {i + 1}", f"{here} + {here}", finer, i, block))
        rows.append(self._row("output", self.channels[0], self.outputs, 0, self.readout))
        return rows

    def _row(self, layer: str, inputs: object, outputs: int, level: int, module: nn.Module | None = None) -> Row:
        """A line of the table; the size is that of the layer's outputs."""
        size = ""
        if self.image is not None:
            height, width = (side + -side % self.divisor for side in self.image)
            size = f", {height >> level} x {width >> level}"
        activation = "relu" if isinstance(module, DoubleConvolution) else "identity"
        return Row(
            layer,
            f"{inputs} -> {outputs}{size}",
            activation if module is not None else "",
            parameter_count(module) if module is not None else 0,
        )
