"""The lecture's U-Net in full size, written out in plain torch; knows nothing of nnintro."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

Norm = Callable[[int], nn.Module]


class Double(nn.Module):
    """Twice 3x3 convolution, batch norm, ReLU."""

    def __init__(self, inputs: int, outputs: int, norm: Norm = nn.BatchNorm2d) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, padding=1),
            norm(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1),
            norm(outputs),
            nn.ReLU(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class LectureUnet(nn.Module):
    """3 channels in, 1 logit out, with the lecture's numbers."""

    def __init__(self, norm: Norm = nn.BatchNorm2d) -> None:
        super().__init__()
        self.pool = nn.MaxPool2d(2)
        self.down1 = Double(3, 64, norm)
        self.down2 = Double(64, 128, norm)
        self.down3 = Double(128, 256, norm)
        self.down4 = Double(256, 512, norm)
        self.down5 = Double(512, 1024, norm)
        self.middle = Double(1024, 512, norm)
        self.rise4 = nn.ConvTranspose2d(512, 512, 2, stride=2)
        self.up4 = Double(512 + 512, 256, norm)
        self.rise3 = nn.ConvTranspose2d(256, 256, 2, stride=2)
        self.up3 = Double(256 + 256, 128, norm)
        self.rise2 = nn.ConvTranspose2d(128, 128, 2, stride=2)
        self.up2 = Double(128 + 128, 64, norm)
        self.rise1 = nn.ConvTranspose2d(64, 64, 2, stride=2)
        self.up1 = Double(64 + 64, 64, norm)
        self.last = nn.Conv2d(64, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        a = self.down1(x)
        b = self.down2(self.pool(a))
        c = self.down3(self.pool(b))
        d = self.down4(self.pool(c))
        x = self.middle(self.down5(self.pool(d)))
        x = self.up4(torch.cat([d, self.rise4(x)], dim=1))
        x = self.up3(torch.cat([c, self.rise3(x)], dim=1))
        x = self.up2(torch.cat([b, self.rise2(x)], dim=1))
        x = self.up1(torch.cat([a, self.rise1(x)], dim=1))
        return self.last(x)


def copied(source: Any, target: nn.Module) -> None:
    """Put the parameters and statistics of nnintro's network into a written out one.

    There the layers were made in the order of computation.
    """
    ours = layers_in_order(source)
    theirs = [m for m in target.modules() if list(m.parameters(recurse=False))]
    for one, other in zip(ours, theirs, strict=True):
        other.load_state_dict(one.state_dict())


def layers_in_order(network: Any) -> list[nn.Module]:
    """nnintro's layers with parameters, in the order of computation."""
    parts = [*network.down, network.middle]
    for rise, double in zip(network.upsample, network.up, strict=True):
        parts += [rise, double]
    parts.append(network.readout)
    return [m for part in parts for m in part.modules() if list(m.parameters(recurse=False))]
