"""nnintro: small neural networks from a YAML file.

>>> import nnintro
>>> run = nnintro.train("configs/target.yaml")     # doctest: +SKIP
>>> run.predict([[0.5]])                           # doctest: +SKIP
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from nnintro.errors import CheckpointError, ConfigError, DataError, DivergedError, NnintroError, OutOfMemoryError
from nnintro.version import __version__

if TYPE_CHECKING:
    from nnintro.constructions.certify import certify
    from nnintro.constructions.construct import construct
    from nnintro.exports.export import export
    from nnintro.predict.evaluate import evaluate
    from nnintro.predict.rows import predict_file
    from nnintro.runs.run import Run
    from nnintro.runs.run import load_run as load
    from nnintro.sweeps.api import Swept, sweep
    from nnintro.sweeps.find_rate import find_rate
    from nnintro.training.fit import Fitted, fit
    from nnintro.training.train import train

__all__ = [
    "CheckpointError",
    "ConfigError",
    "DataError",
    "DivergedError",
    "Fitted",
    "NnintroError",
    "OutOfMemoryError",
    "Run",
    "Swept",
    "__version__",
    "certify",
    "construct",
    "evaluate",
    "export",
    "find_rate",
    "fit",
    "load",
    "predict_file",
    "sweep",
    "train",
]

_HOMES = {
    "Fitted": ("nnintro.training.fit", "Fitted"),
    "Run": ("nnintro.runs.run", "Run"),
    "Swept": ("nnintro.sweeps.api", "Swept"),
    "certify": ("nnintro.constructions.certify", "certify"),
    "construct": ("nnintro.constructions.construct", "construct"),
    "evaluate": ("nnintro.predict.evaluate", "evaluate"),
    "export": ("nnintro.exports.export", "export"),
    "find_rate": ("nnintro.sweeps.find_rate", "find_rate"),
    "fit": ("nnintro.training.fit", "fit"),
    "load": ("nnintro.runs.run", "load_run"),
    "predict_file": ("nnintro.predict.rows", "predict_file"),
    "sweep": ("nnintro.sweeps.api", "sweep"),
    "train": ("nnintro.training.train", "train"),
}
"""Public name -> module and name there: loaded when first asked for, so that the command line and
``import nnintro`` start without torch."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'nnintro' has no attribute {name!r}")
    module, there = _HOMES[name]
    return getattr(importlib.import_module(module), there)
