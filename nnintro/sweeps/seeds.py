"""``nnintro train --seeds``: the same training from several seeds, as runs in one folder, and their statistics."""

from __future__ import annotations

import contextlib
import math
import signal
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnintro.config.load import load_config
from nnintro.errors import DivergedError, UsageError
from nnintro.runs.folder import create_named
from nnintro.runs.summary import OVER
from nnintro.training.train import launch
from nnintro.wording import counted, listed, measurement

if TYPE_CHECKING:
    from nnintro.recording.console import Display

LARGEST_SEED = (1 << 63) - 1


@dataclass(frozen=True)
class Group:
    """Runs that differ in the seed alone."""

    name: str
    directory: Path
    """Their folder; each is below it, as ``seed-0`` and so on."""
    runs: list[dict[str, Any]]
    """The summaries of those that were begun, in the order of the seeds."""
    signal: int | None
    """Which ended it, if one did."""

    def as_dict(self) -> dict[str, Any]:
        """Everything as ``--json`` prints it."""
        return {
            "name": self.name,
            "directory": str(self.directory),
            "n": len(self._over),
            "metrics": self.metrics(),
            "runs": self.runs,
        }

    @property
    def _over(self) -> list[dict[str, Any]]:
        return [run for run in self.runs if run["status"] in OVER]

    def metrics(self) -> dict[str, dict[str, float | None]]:
        """Tag -> mean, deviation (of a sample, by n - 1; None of one run), low and high, over the runs that ended well.

        A metric that is undefined in one of them is left out.
        """
        columns = {tag: [run["metrics"].get(tag) for run in self._over] for run in self._over for tag in run["metrics"]}
        return {tag: spread(values) for tag, values in columns.items() if all(value is not None for value in values)}

    def diverged(self) -> DivergedError | None:
        """What to say where runs diverged, after all are saved."""
        names = [Path(run["directory"]).name for run in self.runs if run["status"] == "diverged"]
        if not names:
            return None
        verb = "diverged" if len(names) < len(self.runs) else "diverged, all of them"
        message = f"{self.directory}: {listed(names)} {verb}; the summary.json of each says when"
        return DivergedError(message, self.directory)


def spread(values: Sequence[float]) -> dict[str, float | None]:
    """Mean, deviation, lowest and highest of numbers; what is not finite among them makes the first two so."""
    if not all(map(math.isfinite, values)):
        return {"mean": math.nan, "deviation": math.nan, "low": min(values), "high": max(values)}
    deviation = statistics.stdev(values) if len(values) > 1 else None
    return {"mean": statistics.fmean(values), "deviation": deviation, "low": min(values), "high": max(values)}


def train_seeds(
    config: str | Path | Mapping[str, Any] | None,
    overrides: Sequence[str] = (),
    runs_dir: Path = Path("runs"),
    *,
    seeds: int,
    name: str | None = None,
    resume: str | None = None,
    smoke_test: bool = False,
    quiet: bool = False,
    command: list[str] | None = None,
    signals: tuple[signal.Signals, ...] = (),
    started: float | None = None,
) -> Group:
    """Train a config from its seed and those that follow it; one that diverges does not stop the others.

    Raises:
        ConfigError: everything that is wrong with the config, each with its place.
        DataError: the data cannot be used.
        CheckpointError: a run cannot be written.
        UsageError: there is no config, or a run to resume.
        OutOfMemoryError: the machine does not have the memory.
    """
    if seeds < 1:
        raise UsageError(f"--seeds: expected a number of at least 1, got {seeds}")
    if resume is not None:
        raise UsageError(f"--seeds begins new runs; a run that was cut off goes on by itself: --resume {resume}")
    if config is None:
        raise UsageError("expected a config to train")
    experiment = load_config(config, overrides, name).experiment
    last = experiment.seed + seeds - 1
    if last > LARGEST_SEED:
        raise UsageError(f"--seeds {seeds}: the last would be {last}; the largest seed is {LARGEST_SEED}")
    directory = _new_folder(runs_dir, experiment.name)
    runs: list[dict[str, Any]] = []
    ended_by: int | None = None
    try:
        for seed in range(experiment.seed, last + 1):
            try:
                result = launch(
                    config,
                    [*overrides, f"seed={seed}"],
                    directory,
                    name=f"seed-{seed}",
                    smoke_test=smoke_test,
                    quiet=quiet,
                    command=command,
                    signals=signals,
                    started=None if runs else started,
                )
            except DivergedError as error:
                if error.summary is None:
                    raise
                runs.append(error.summary)
                continue
            runs.append(result.run.summary)
            ended_by = result.signal
            if ended_by is not None:
                break
    finally:
        # Of a config that the data refused nothing is left behind.
        with contextlib.suppress(OSError):
            directory.rmdir()
    group = Group(directory.name, directory, runs, ended_by)
    _show(group, seeds, quiet=quiet)
    return group


def _new_folder(runs_dir: Path, name: str) -> Path:
    """``runs_dir/name``, or ``name-2``, ...: the first that is free, made.

    Raises:
        CheckpointError: it cannot be made.
        UsageError: the locale's encoding has no such name.
    """
    directory, lock = create_named(runs_dir, name, "a folder of runs")
    lock.close()
    return directory


def _show(group: Group, seeds: int, *, quiet: bool) -> None:
    """A table of the metrics over the runs."""
    from nnintro.recording.console import Display

    display: Display = Display(quiet=quiet)
    over = [run for run in group.runs if run["status"] in OVER]
    missing = "" if len(over) == seeds else f" of {seeds}"
    display.line(f"{group.directory}: {counted(len(over), 'seed')}{missing}", "bold")
    rows = [(tag, *map(measurement, values.values())) for tag, values in group.metrics().items()]
    if not rows:
        return
    if len(over) > 1 and all(values["deviation"] == 0 for values in group.metrics().values()):
        display.warn("the seed makes no difference: neither data nor start nor order of this config are random")
    rows.insert(0, ("", "mean", "deviation", "lowest", "highest"))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for tag, *cells in rows:
        numbers = "  ".join(cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True))
        display.line(f"{tag.ljust(widths[0])}  {numbers}")
