"""Numbers too small to be normal, taken as 0: arithmetic with them is a hundred times slower.

Steep sigmoids far from their place have slopes like that (below 1e-38 in float32), and so have the
gradients of most of their neurons.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np
import torch


def enter_thread() -> None:
    """In this thread, from now on."""
    torch.set_flush_denormal(True)


@contextlib.contextmanager
def flushed() -> Iterator[None]:
    """In this thread, meanwhile."""
    already = bool(np.float32(1e-40) * np.float32(0.5) == 0)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(already)
