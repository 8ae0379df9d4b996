"""summary.json: a run's status and final numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnintro.errors import CheckpointError
from nnintro.files import read_json, write_json
from nnintro.runs.folder import explained
from nnintro.wording import cause

if TYPE_CHECKING:  # a list of runs needs no torch
    from nnintro.config.experiment import Setup
    from nnintro.descent.variants import Plan
    from nnintro.runs.state import Outcome, Past

NAME = "summary.json"
OVER = ("completed", "stopped")
"""The statuses of a training that has come to its end."""
LARGEST = 1 << 24
"""Bytes: the confusion of a thousand classes has fewer."""
MOST = 1e300


def summarize(
    setup: Setup,
    directory: Path,
    outcome: Outcome,
    plan: Plan,
    past: Past,
    metrics: Mapping[str, float],
    *,
    engine: str,
    device: str,
    parameters: int,
    data: Mapping[str, Any],
    confusion: list[list[int]] | None,
    smoke: bool = False,
    best_step: int | None = None,
    incomplete: list[str],
    findings: Mapping[str, Any] | None = None,
    processes: int = 1,
) -> dict[str, Any]:
    """Every key of summary.json; the last few are left out where there is nothing to say.

    Args:
        past: the seconds of all parts of the run, up to now.
        parameters: how many the model has.
        data: what the data was made of.
        confusion: a row for each true class, a column for each predicted one.
        smoke: whether the run was cut down to see that everything works.
        best_step: the update whose parameters are the run's, where early stopping has chosen them.
        incomplete: what is missing in the run, in words.
        findings: key -> what is known beside the metrics (see ``training.findings``).
        processes: how many shared the updates.
    """
    seconds, epochs = outcome.seconds, plan.epochs_after(outcome.step)
    optional = {
        "smoke": smoke,
        "reason": outcome.reason,
        "resumed": list(past.resumed),
        "data": data,
        "confusion": confusion,
        "incomplete": incomplete,
        **(findings or {}),
    }
    return {
        "status": outcome.status,
        "name": setup.experiment.name,
        "directory": str(directory),
        "engine": engine,
        "device": device,
        **({} if processes == 1 else {"processes": processes}),
        "precision": setup.precision,
        "parameters": parameters,
        "epochs": int(epochs) if epochs == int(epochs) else epochs,
        "steps": outcome.step,
        **({} if best_step is None else {"best_step": best_step}),
        "samples": plan.samples_after(outcome.step),
        "steps_per_second": outcome.step / seconds if seconds > 0 else 0.0,
        "seconds": {
            "startup": past.startup,
            "training": seconds,
            "recording": max(past.total - past.startup - seconds, 0.0),
            "total": past.total,
        },
        "metrics": {tag: None if math.isnan(value) else value for tag, value in metrics.items()},
        **{key: value for key, value in optional.items() if value},
    }


def unfinished(directory: Path, name: str, *, smoke: bool = False) -> dict[str, Any]:
    """The summary of a run that is still going on, or was cut off."""
    return {"status": "unfinished", "name": name, "directory": str(directory), **({"smoke": True} if smoke else {})}


def failed(directory: Path, name: str, reason: str) -> dict[str, Any]:
    """The summary of a run that ended in an error, and goes on from its newest checkpoint where that is mended."""
    return {"status": "failed", "name": name, "directory": str(directory), "reason": reason}


def write_summary(directory: Path, summary: Mapping[str, Any]) -> None:
    """Write summary.json.

    Raises:
        CheckpointError: the disk failed.
    """
    with explained(f"cannot write {directory / NAME}"):
        write_json(directory / NAME, dict(summary))


def read_summary(directory: Path) -> dict[str, Any] | None:
    """What summary.json says; None where the run was cut off before it had one.

    Raises:
        CheckpointError: it is not readable.
    """
    path = directory / NAME
    try:
        summary = read_json(path, LARGEST)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{directory} has no readable {NAME}: {cause(error)}") from error
    if not isinstance(summary, dict):
        raise CheckpointError(f"{path} is not a summary: expected a mapping")
    for field, wanted in _misfits(summary):
        raise CheckpointError(f"{path} is damaged: {field}: expected {wanted}")
    return summary


LONGEST = 500
WORDS = ("status", "name", "engine")
COUNTS = ("parameters", "steps", "best_step", "samples")


def _misfits(summary: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Field and what is expected there, of what is not as ``summarize`` writes it; unknown keys may hold anything."""
    for key in WORDS:
        if key in summary and not _is_word(summary[key]):
            yield key, "a short text on one line"
    for key in COUNTS:
        if key in summary and not (type(summary[key]) is int and 0 <= summary[key] <= MOST):
            yield key, "a whole number from 0"
    for key in ("epochs", "steps_per_second"):
        if key in summary and not _is_number(summary[key]):
            yield key, "a finite number"
    for key in ("seconds", "metrics"):
        group = summary.get(key, {})
        if not isinstance(group, dict):
            yield key, "a mapping"
            continue
        for name, value in group.items():
            if not _is_word(name) or not (_is_number(value) or value is None):
                yield f"{key}.{name[:LONGEST]!r}", "a finite number"
    if not _is_word(summary.get("status")):
        yield "status", "a short text on one line"
    resumed = summary.get("resumed", [])
    if not (isinstance(resumed, list) and all(type(step) is int for step in resumed)):
        yield "resumed", "a list of updates"


def _is_word(value: Any) -> bool:
    # A lone surrogate is not printable either.
    return isinstance(value, str) and len(value) <= LONGEST and value.isprintable()


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and -MOST <= value <= MOST
