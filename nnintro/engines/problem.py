"""What the fused engine is asked to minimise, and what that takes."""

from __future__ import annotations

from dataclasses import dataclass

PART_NANOSECONDS = 8000
"""Work of an update that a thread of its own is worth: meeting takes a fraction of it."""


@dataclass(frozen=True)
class Problem:
    """What is minimised, in the kernel's codes."""

    widths: list[int]
    """Inputs, hidden widths, outputs."""
    activations: list[str]
    """One per layer, the output's last."""
    loss: str
    """mse, mae, huber, binary or multiclass (cross entropy of logits)."""
    one_hot: bool
    """Whether targets are class numbers that an element-wise loss is to compare with."""

    def parts(self, samples: int, rows: int, threads: int) -> int:
        """Threads that pay for an update over so many samples, in blocks of so many rows.

        By an estimate of its nanoseconds on one, so that a config has its bits wherever there are
        as many ``threads``.
        """
        weights = sum(a * b for a, b in zip(self.widths[:-1], self.widths[1:], strict=True))
        work = samples * (0.2 * weights + 0.8 * sum(self.widths[1:])) + 0.5 * weights
        return max(1, min(threads, rows, int(work / PART_NANOSECONDS)))
