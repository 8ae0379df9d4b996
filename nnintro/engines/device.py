"""The device that a training runs on: the CPU, a GPU, or in several processes a GPU for each."""

from __future__ import annotations

import torch

from nnintro.engines.world import ALONE, World
from nnintro.errors import ConfigError, UsageError
from nnintro.wording import counted


def resolve_device(name: str, world: World = ALONE) -> torch.device:
    """The device of a config's ``device``; auto is CUDA where it is there, each process on a host having its own GPU.

    Raises:
        ConfigError: CUDA is asked for and absent, or has no device of that number.
        UsageError: there are more processes on this host than GPUs.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(name)
    if device.type != "cuda":
        return device
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if count == 0:
        raise ConfigError.at("device", f"{name} was asked for, and torch finds no CUDA device; use auto or cpu")
    if world.size > 1:
        return _own_gpu(device, world, count)
    if (device.index or 0) >= count:
        raise ConfigError.at("device", f"{name} was asked for, and there are {count} devices")
    return device


def _own_gpu(device: torch.device, world: World, count: int) -> torch.device:
    """The GPU of one of several processes, by its number on its host."""
    if device.index is not None:
        raise ConfigError.at("device", f"{device} is one GPU, and {world.size} processes need one each; use auto")
    if world.local_rank is None:
        raise UsageError("LOCAL_RANK: is not set; it says which GPU of its host is a process's own")
    if world.local_rank >= count:
        gpus = counted(count, "GPU")
        raise UsageError(
            f"LOCAL_RANK: process {world.local_rank} of this host has no GPU, there being {gpus}; start as many "
            "processes as there are GPUs, or train with --set device=cpu"
        )
    own = torch.device("cuda", world.local_rank)
    torch.cuda.set_device(own)
    return own
