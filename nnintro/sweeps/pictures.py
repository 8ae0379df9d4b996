"""The figures of a sweep: the objective by each key, and over two keys as a map."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nnintro.config.sweep import Range, Sweep
from nnintro.config.task import grows
from nnintro.files import make_folder, write_whole
from nnintro.runs.folder import explained
from nnintro.sweeps.record import as_cell
from nnintro.sweeps.trial import Result

LOGARITHMIC = 20.0
"""Listed numbers whose largest is so many times the least have a logarithmic axis."""
Array = npt.NDArray[Any]


def draw(folder: Path, name: str, sweep: Sweep, results: Iterable[Result]) -> list[Path]:
    """Write figures/objective.png, and figures/map.png of two keys; nothing where no trial ended.

    Raises:
        CheckpointError: the disk failed.
    """
    from nnintro.figures import render

    shown = [result for result in results if result.status in ("completed", "diverged")]
    if not shown:
        return []
    objective = np.array([math.nan if r.objective is None else r.objective for r in shown])
    diverged = np.array([has_diverged(result) for result in shown])
    columns = {key: column([result.values[key] for result in shown]) for key in sweep.over}
    logarithmic = [key for key, values in columns.items() if is_logarithmic(sweep.over[key], values)]
    rising = ["yes"] if grows(sweep.tag) else []
    texts: dict[str, str | list[str]] = {"name": sweep.tag, "logarithmic": logarithmic, "grows": rising}
    arrays: dict[str, Array] = {"objective": objective, "diverged": diverged}
    best = [str(np.nanargmax(objective) if rising else np.nanargmin(objective))] if np.isfinite(objective).any() else []
    title = f"{name}: {sweep.tag} of {len(shown):,} trials"
    pictures = {
        "objective": render(
            "objective_by_key",
            {**arrays, **{f"columns/{key}": values for key, values in columns.items()}},
            {**texts, "title": title, "best": best},
        )
    }
    if len(columns) == 2:
        x, y = columns.values()
        pictures["map"] = render(
            "objective_map", {**arrays, "x": x, "y": y}, {**texts, "title": title, "keys": list(columns)}
        )
    return [_write(folder / "figures", f"{kind}.png", png) for kind, png in pictures.items()]


def has_diverged(result: Result) -> bool:
    """Whether a trial diverged, or has come to its end with a loss that is not finite."""
    return result.status == "diverged" or not math.isfinite(result.metrics.get("train/loss", math.nan))


def _write(folder: Path, name: str, png: bytes) -> Path:
    with explained(f"cannot write {folder / name}"):
        make_folder(folder)
        write_whole(folder / name, lambda file: file.write(png))
    return folder / name


def column(values: Sequence[Any]) -> Array:
    """A key's values as numbers, or as texts where one is not a number."""
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return np.array(values, dtype=np.float64)
    return np.array([as_cell(value) for value in values])


def is_logarithmic(asked: Range | Sequence[Any] | Mapping[str, Any], values: Array) -> bool:
    """Whether a key's axis is logarithmic: as its range says, or listed numbers that are far apart."""
    if values.dtype.kind in "US":
        return False
    if isinstance(asked, Range):
        return asked.log
    return bool(values.min() > 0 and values.max() >= LOGARITHMIC * values.min())
