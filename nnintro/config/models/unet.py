"""model kind ``unet``: the U-Net of Ronneberger, Fischer and Brox (2015), in the lecture's form."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from nnintro.config.section import ModelSection

Channels = Annotated[int, Field(ge=1, le=8192)]


class UnetModel(ModelSection):
    """A network from images to maps: down, up again, and across by skip connections."""

    takes: ClassVar[Literal["rows", "images"]] = "images"

    kind: Literal["unet"]
    channels: Annotated[list[Channels], Field(min_length=2, max_length=10)] = Field(default=[16, 32, 64])
    """Channels at each resolution, the full one first; each further one is half as fine.
    The lecture's network has [64, 128, 256, 512, 1024]."""
    normalization: Literal["batch", "group", "none"] = "batch"
    """Behind each convolution. batch looks at all images of a block together, so the block's size
    is part of the mathematics; group (8 groups) and none look at each image alone."""

    @property
    def mixes_samples(self) -> bool:
        return self.normalization == "batch"
