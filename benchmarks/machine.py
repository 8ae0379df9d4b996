"""The machine and the versions, to be named below every table."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
from pathlib import Path

PACKAGES = ("torch", "numpy", "numba", "jax", "scikit-learn", "keras", "lightning", "skorch", "pandas", "pyarrow")
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")


def limit_threads(count: int) -> None:
    """Give this process and its children ``count`` cores; before any library is loaded.

    JAX asks how many cores it may run on, the others read these variables.
    """
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])
    for name in THREAD_VARIABLES:
        os.environ[name] = str(count)
    os.environ["JAX_PLATFORMS"] = "cpu"


def keras_backend() -> str:
    """JAX where it is installed, else torch, unless the user said; to be asked before it loads."""
    default = "jax" if importlib.util.find_spec("jax") else "torch"
    return os.environ.setdefault("KERAS_BACKEND", default)


def describe() -> dict[str, str]:
    """Processor, its cores, Python, and the libraries that are installed."""
    facts = {"processor": processor(), "cores": str(os.cpu_count()), "on": platform.system()}
    facts["Python"] = platform.python_version()
    for name in PACKAGES:
        try:
            facts[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    if "keras" in facts:
        facts["keras"] += f" on {keras_backend()}"
    return facts


def load() -> float:
    """Processes that wanted a core in the last minute; anything much above 0 spoils the numbers."""
    return round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else float("nan")


def processor() -> str:
    """The processor's own name, where the system tells it."""
    path = Path("/proc/cpuinfo")
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
