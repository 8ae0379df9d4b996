"""Batch normalization whose block of samples may lie in several processes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor, nn

AddUp = Callable[[Tensor], Tensor]
"""Adds up a tensor over the processes, in place."""


class BatchNormalization(nn.BatchNorm2d):
    """Batch normalization (Ioffe and Szegedy, 2015), torch's own where a block lies in one process.

    Whoever trains in several processes puts in ``add_up`` what adds up over them: mean and variance are those of the
    whole block then, and so are their gradients. (torch.nn.SyncBatchNorm is for GPUs only.)
    """

    add_up: AddUp | None = None
    counted: int = 0
    """How many of the samples belong to the block; the others are there so that this process takes part in the sums."""

    def forward(self, x: Tensor) -> Tensor:  # (b, channels, H, W) -> (b, channels, H, W)
        if not self.training or self.add_up is None:
            return super().forward(x)
        exact = x.to(self.weight.dtype)  # of autocast's 8 bits there are too few to add up
        own = exact[: self.counted]
        pixels = own.new_full((1,), own.numel() / own.shape[1])
        sums = self._over_all(torch.cat([own.sum((0, 2, 3)), pixels]))
        count, mean = sums[-1], sums[:-1] / sums[-1]
        centred = exact - mean[:, None, None]
        squares = self._over_all(centred[: self.counted].square().sum((0, 2, 3)))
        self._remember(mean.detach(), squares.detach(), count.detach())
        scale = self.weight * (squares / count + self.eps).rsqrt()
        return (centred * scale[:, None, None] + self.bias[:, None, None]).to(x.dtype)

    def _over_all(self, numbers: Tensor) -> Tensor:
        return cast(Tensor, _Sum.apply(numbers, self.add_up))  # type: ignore[no-untyped-call]

    def _remember(self, mean: Tensor, squares: Tensor, count: Tensor) -> None:
        """Move the running statistics, which hold the unbiased variance, as torch does."""
        assert self.running_mean is not None, "networks here track their statistics"
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        self.num_batches_tracked.add_(1)
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(squares / (count - 1), self.momentum)


class _Sum(torch.autograd.Function):
    """The sum over the processes; each one's loss depends on all terms, so the gradient is the sum of theirs."""

    @staticmethod
    def forward(ctx: Any, numbers: Tensor, add_up: AddUp) -> Tensor:
        ctx.add_up = add_up
        return add_up(numbers.detach().clone())

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return ctx.add_up(gradient.clone()), None
