"""environment.json: the machine and versions of a run, with one entry for each time it was resumed."""

from __future__ import annotations

import contextlib
import os
import platform
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy
import torch

from nnintro.files import read_json, write_json
from nnintro.runs.folder import LARGEST, explained
from nnintro.version import __version__
from nnintro.wording import shown, shown_key

NAME = "environment.json"
BITS_DEPEND_ON = ("torch", "numpy", "processor", "threads", "device", "cuda_device")
"""Keys under which the same config gives the same bits."""


def write_environment(
    directory: Path, device: torch.device, command: list[str] | None, resumed: Mapping[str, Any] | None = None
) -> list[str]:
    """Write environment.json of a run that begins; of one that goes on, add an entry that begins as ``resumed``.

    Returns:
        What may change the bits of a resumed run, in words.

    Raises:
        CheckpointError: the disk failed.
    """
    path, now = directory / NAME, _environment(device, command)
    values, notes = now, []
    if resumed is not None:
        entry = {**resumed, **now}
        try:
            begun = _read(path)
            values = {**begun, "resumed": [*begun.get("resumed", []), entry]}
            notes = [_difference(key, begun, now) for key in BITS_DEPEND_ON if begun.get(key) != now[key]]
        except (OSError, ValueError, RecursionError):
            values = {**now, "resumed": [entry]}
            notes = [f"{NAME} was not readable: whether this is the same machine is not known"]
    with explained(f"cannot write {path}"):
        write_json(path, values)
    return notes


def _read(path: Path) -> dict[str, Any]:
    """What an environment.json says; ValueError where it is not one."""
    begun = read_json(path, LARGEST)
    if not isinstance(begun, dict) or not isinstance(begun.get("resumed", []), list):
        raise ValueError("no environment")
    return begun


def _difference(key: str, begun: dict[str, Any], now: dict[str, Any]) -> str:
    was, is_ = (shown_key(value) if isinstance(value, str) else shown(value) for value in (begun.get(key), now[key]))
    return f"{key} was {was} and is {is_}: the bits may differ from an unbroken run's"


def _environment(device: torch.device, command: list[str] | None) -> dict[str, Any]:
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
    """The processor's name; Linux has it only in /proc."""
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123
        for line in file:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
