"""summary.json: how a run ended, in numbers."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from nnintro.config.experiment import Setup
from nnintro.models import parameter_count
from nnintro.training.loop import Outcome
from nnintro.training.setup import Parts
from nnintro.training.state import Past


def summarize(
    setup: Setup,
    parts: Parts,
    outcome: Outcome,
    metrics: dict[str, float],
    directory: Path,
    *,
    started: float,
    startup: float,
    past: Past,
) -> dict[str, Any]:
    """The summary's fixed keys.

    Args:
        started: time.perf_counter() when the command began.
        startup: seconds from then to the first update.
        past: what earlier parts of the run add to that.
    """
    plan, seconds = parts.plan, outcome.seconds
    total = past.total + time.perf_counter() - started
    startup += past.startup
    summary: dict[str, Any] = {
        "status": outcome.status,
        "name": setup.experiment.name,
        "directory": str(directory),
        "engine": parts.engine.name,
        "device": str(parts.device),
        "precision": setup.precision,
        "parameters": parameter_count(parts.model),
        "epochs": _whole(plan.epochs_after(outcome.step)),
        "steps": outcome.step,
        "samples": plan.samples_after(outcome.step),
        "steps_per_second": outcome.step / seconds if seconds > 0 else 0.0,
        "seconds": {
            "startup": startup,
            "training": seconds,
            "recording": max(total - startup - seconds, 0.0),
            "total": total,
        },
        "metrics": metrics,
    }
    if outcome.reason:
        summary["reason"] = outcome.reason
    if past.resumed:
        summary["resumed"] = list(past.resumed)
    if parts.splits.facts:
        summary["data"] = parts.splits.facts
    return summary


def _whole(value: float) -> int | float:
    return int(value) if value == int(value) else value
