"""nnintro: small neural networks from a YAML file.

>>> import nnintro
>>> run = nnintro.train("configs/target.yaml")     # doctest: +SKIP
>>> run.predict([[0.5]])                           # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nnintro.errors import CheckpointError, ConfigError, DataError, DivergedError, NnintroError
from nnintro.version import __version__

if TYPE_CHECKING:
    from nnintro.runs.run import Run
    from nnintro.runs.run import load_run as load
    from nnintro.training.train import train

__all__ = [
    "CheckpointError",
    "ConfigError",
    "DataError",
    "DivergedError",
    "NnintroError",
    "Run",
    "__version__",
    "load",
    "train",
]


def __getattr__(name: str) -> Any:
    """Load what needs pydantic or torch when first asked for it: the command line starts bare."""
    if name == "train":
        from nnintro.training.train import train

        return train
    if name == "Run":
        from nnintro.runs.run import Run

        return Run
    if name == "load":
        from nnintro.runs.run import load_run

        return load_run
    raise AttributeError(f"module 'nnintro' has no attribute {name!r}")
