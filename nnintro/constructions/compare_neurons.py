"""``construct --compare``: the proved error against the number of neurons, built and trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, astuple, dataclass
from typing import Any

import numpy as np

from nnintro.config.experiment import as_values
from nnintro.config.load import Config
from nnintro.constructions import formula_of
from nnintro.files import as_csv, write_text, write_whole
from nnintro.runs.folder import explained
from nnintro.runs.run import Run
from nnintro.training.fit import fit

NEURONS = (4, 8, 16, 32, 64)
DESCENT = {"optimizer": "adam", "learning_rate": 0.003, "schedule": "cosine"}
TOLERANCE = 0.01
UPDATES = 10_000
"""Of each training, with ``DESCENT``, where the config says nothing else."""


@dataclass(frozen=True)
class Row:
    """Largest errors over the whole domain of networks with so many hidden neurons, all proved."""

    neurons: int
    constructed: float
    trained: float
    """From torch's initialization."""
    handed_over: float
    """From the construction."""


def compare(run: Run, loaded: Config, built: Callable[[int], float], say: Callable[[str], None]) -> list[Row]:
    """Build and train a network of every size, and leave a table and a figure in the run.

    Args:
        run: the construction's; its folder gets ``comparison.csv`` and ``figures/comparison.png``.
        loaded: the config that was given, for its dataset, and its descent where it has one.
        built: neurons -> the proved error of the best network of steps.
        say: called with a line about each size.
    """
    rows = []
    for neurons in NEURONS:
        say(f"{neurons} neurons: building one network, training two")
        error = built(neurons)
        rows.append(Row(neurons, error, *(trained(loaded, neurons, kind) for kind in ("torch", "steps"))))
    table = [[*asdict(rows[0])], *([*map(str, astuple(row))] for row in rows)]
    with explained(f"cannot write {run.directory}"):
        write_text(run.directory / "comparison.csv", as_csv(table))
        _draw(run, rows)
    return rows


def trained(loaded: Config, neurons: int, kind: str) -> float:
    """The largest error of a trained network, proved (within ``TOLERANCE`` of what was found)."""
    from nnintro.proofs.supremum import certify_network  # needs python-flint

    fitted = fit(config_of(loaded, neurons, kind))
    formula, domain = formula_of(fitted.setup.experiment, "construct")
    return certify_network(fitted.model, formula, domain, tolerance=TOLERANCE).bound


def config_of(loaded: Config, neurons: int, kind: str) -> dict[str, Any]:
    """The config of one training: one layer of sigmoids, begun by ``initialization: kind``."""
    given = loaded.source.root.content
    descent = {} if isinstance(given, dict) and "descent" in given else {"descent": DESCENT}
    return {
        **as_values(loaded.experiment),
        **descent,
        "model": {"kind": "mlp", "hidden": [neurons], "activation": "sigmoid", "initialization": kind},
        "precision": "float32",
        "training": {"steps": UPDATES},
    }


def _draw(run: Run, rows: list[Row]) -> None:
    from nnintro.figures import render

    arrays = {
        name: np.array([getattr(row, name) for row in rows], dtype=np.float64)
        for name in ("neurons", "constructed", "trained", "handed_over")
    }
    png = render("error_against_neurons", arrays, {"title": run.setup.experiment.name})
    write_whole(run.directory / "figures" / "comparison.png", lambda file: file.write(png))


def as_table(rows: list[Row]) -> str:
    """The rows as text in columns."""
    lines = [f"{'neurons':>8} {'built':>10} {'trained':>10} {'trained from the built one':>28}"]
    lines += [f"{r.neurons:8d} {r.constructed:10.4g} {r.trained:10.4g} {r.handed_over:28.4g}" for r in rows]
    return "\n".join(lines)
