"""environment.json: what a run ran on."""

from __future__ import annotations

import os
import platform
import shlex
import sys
from typing import Any

import numpy
import torch

from nnintro.version import __version__


def environment(device: torch.device, command: list[str] | None) -> dict[str, Any]:
    """Versions, device, threads and command line, as plain values."""
    on_cuda = device.type == "cuda"
    return {
        "nnintro": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": numpy.__version__,
        "platform": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "device": str(device),
        "cuda_device": torch.cuda.get_device_name(device) if on_cuda else None,
        "command": shlex.join(command if command is not None else sys.argv),
    }


def _processor() -> str:
    """The processor's name; Linux tells it only in /proc."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123
            names = [
                line.split(":", 1)[1].strip() for line in file if line.startswith("model name")
            ]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()
