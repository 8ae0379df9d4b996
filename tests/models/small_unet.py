"""A small U-Net written out in plain torch, with the lecture's blocks."""

from __future__ import annotations

import torch
from torch import nn

from benchmarks.lecture_unet import Double


class SmallUnet(nn.Module):
    """The same with three resolutions of 4, 6 and 10 channels, 2 in and 3 out."""

    def __init__(self, norm=nn.BatchNorm2d):
        super().__init__()
        self.pool = nn.MaxPool2d(2)
        self.down1 = Double(2, 4, norm)
        self.down2 = Double(4, 6, norm)
        self.down3 = Double(6, 10, norm)
        self.middle = Double(10, 6, norm)
        self.rise2 = nn.ConvTranspose2d(6, 6, 2, stride=2)
        self.up2 = Double(6 + 6, 4, norm)
        self.rise1 = nn.ConvTranspose2d(4, 4, 2, stride=2)
        self.up1 = Double(4 + 4, 4, norm)
        self.last = nn.Conv2d(4, 3, 1)

    def forward(self, x):
        a = self.down1(x)
        b = self.down2(self.pool(a))
        x = self.middle(self.down3(self.pool(b)))
        x = self.up2(torch.cat([b, self.rise2(x)], dim=1))
        x = self.up1(torch.cat([a, self.rise1(x)], dim=1))
        return self.last(x)
