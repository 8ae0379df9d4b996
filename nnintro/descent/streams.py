"""Random streams: one per purpose, each a pure function of the run's seed and the stream's name.

Because no stream continues another's numbers, changing the batch size changes neither the data nor
the initial weights, and the order of epoch k can be had without walking epochs 0 to k-1.
"""

from __future__ import annotations

import hashlib

import torch


def derive(seed: int, *name: str | int) -> int:
    """A 63-bit seed from the run's seed and a name: the head of SHA-256 of both."""
    text = "/".join(map(str, (seed, *name)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def stream(seed: int, *name: str | int, device: torch.device | str = "cpu") -> torch.Generator:
    """A generator at the start of the named stream."""
    return torch.Generator(device).manual_seed(derive(seed, *name))
