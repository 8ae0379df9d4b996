"""A folder of runs as a table."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from nnintro.errors import CheckpointError, UsageError
from nnintro.recording.clock import clock

COLUMNS = ("name", "status", "steps", "epochs", "parameters", "training", "total", "modified")
PLAIN_WIDTH = 200


def find_runs(runs_dir: Path) -> list[dict[str, Any]]:
    """The summaries of all runs below a folder, each with ``directory`` as it is found now.

    A run without a readable summary (still going, or killed) has the status ``unfinished``.

    Raises:
        CheckpointError: there is no such folder.
    """
    if not runs_dir.is_dir():
        raise CheckpointError(f"{runs_dir}: no such folder of runs")
    configs = sorted(runs_dir.rglob("config.yaml"))
    return [_summary(path.parent) for path in configs]


def _summary(directory: Path) -> dict[str, Any]:
    path = directory / "summary.json"
    try:
        summary = json.loads(path.read_text(encoding="utf-8"))
        modified = path.stat().st_mtime
    except (OSError, ValueError):
        summary, modified = {"status": "unfinished"}, directory.stat().st_mtime
    if not isinstance(summary, dict):
        summary = {"status": "unreadable"}
    return {"name": directory.name, **summary, "directory": str(directory), "modified": modified}


def _value(run: dict[str, Any], key: str) -> Any:
    """A column, a part of ``seconds``, or a metric under its whole tag or its last word."""
    if key in run and not isinstance(run[key], dict):
        return run[key]
    if key in run.get("seconds", {}):
        return run["seconds"][key]
    metrics = run.get("metrics", {})
    for tag in (key, f"validation/{key}", f"train/{key}"):
        if tag in metrics:
            return metrics[tag]
    return None


def in_order(runs: list[dict[str, Any]], sort: str) -> list[dict[str, Any]]:
    """Sorted by a column; runs without it come last.

    Raises:
        UsageError: no run has such a column.
    """
    reverse, key = sort.startswith("-"), sort.removeprefix("-")
    valued = [run for run in runs if _value(run, key) is not None]
    if runs and not valued:
        known = sorted({*COLUMNS, *(tag for run in runs for tag in run.get("metrics", {}))})
        raise UsageError(f"--sort {sort}: no run has it; expected one of {', '.join(known)}")
    rest = [run for run in runs if _value(run, key) is None]
    try:
        valued.sort(key=lambda run: _value(run, key), reverse=reverse)
    except TypeError:
        valued.sort(key=lambda run: str(_value(run, key)), reverse=reverse)
    return valued + rest


def as_table(runs: list[dict[str, Any]], runs_dir: Path) -> str:
    """The runs as lines of text, as wide as the terminal on stdout."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if not runs:
        return f"no runs in {runs_dir} yet"
    # A pipe has no width to fit into.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for heading in ("run", "status"):
        table.add_column(heading, overflow="fold")
    for heading in ("train/loss", "validation", "updates", "updates/s", "time"):
        table.add_column(heading, justify="right")
    for run in runs:
        table.add_row(*(Text(cell) for cell in _cells(run, runs_dir)))
    with console.capture() as captured:
        console.print(table)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def _cells(run: dict[str, Any], runs_dir: Path) -> tuple[str, ...]:
    metrics, seconds = run.get("metrics", {}), run.get("seconds", {})
    name = Path(run["directory"]).relative_to(runs_dir).as_posix()
    return (
        name,
        str(run.get("status")),
        _number(metrics.get("train/loss")),
        _main_metric(metrics),
        f"{run['steps']:,}" if "steps" in run else "",
        f"{run['steps_per_second']:,.0f}" if "steps_per_second" in run else "",
        clock(seconds["total"]) if "total" in seconds else "",
    )


def _main_metric(metrics: dict[str, float]) -> str:
    for name in ("sup_error", "accuracy", "rmse", "loss"):
        if metrics.get(f"validation/{name}") is not None:
            return f"{name} {_number(metrics[f'validation/{name}'])}"
    return ""


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
