"""Keep the best trials of a sweep as ordinary runs: trained again, with figures and checkpoints, to the same bits."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from nnintro.config.load import Config, with_values
from nnintro.config.sweep import Sweep
from nnintro.errors import NnintroError
from nnintro.recording.console import Display
from nnintro.recording.painter import Painter
from nnintro.runs.folder import explained
from nnintro.runs.summary import OVER, read_summary
from nnintro.signals import Interrupts
from nnintro.sweeps.trial import Result
from nnintro.training.job import Request, run_job

if TYPE_CHECKING:
    from nnintro.sweeps.display import SweepDisplay


def run_name(number: int) -> str:
    """The name of the run that a trial is kept as."""
    return f"trial-{number}"


def config_of(config: Config, sweep: Sweep, result: Result) -> Config:
    """The config of a trial; of one over several seeds with the first of them."""
    seed = {} if sweep.seeds == 1 else {"seed": result.seed}
    return with_values(config, {**result.values, **seed})


def keep_best(
    config: Config, sweep: Sweep, best: Sequence[Result], folder: Path, display: SweepDisplay, interrupts: Interrupts
) -> None:
    """Train the best trials as runs below the sweep's folder; those that are there already are left alone.

    What keeps one from becoming a run (a full disk, say) is shown, and costs no other.

    Raises:
        CheckpointError: an unfinished run of before cannot be removed.
    """
    wanted = [result for result in best if not _is_there(folder / run_name(result.number))]
    if not wanted:
        return
    display.keeping(len(wanted))
    for result in wanted:
        if interrupts():
            return
        try:
            interrupts.received = _train(config_of(config, sweep, result), result.number, folder, interrupts)
        except NnintroError as error:
            display.warn(f"trial {result.number} could not be kept as a run: {error}")


def _train(config: Config, number: int, folder: Path, interrupts: Interrupts) -> int | None:
    """Train a trial as a run; the signal that ended it, as signals go to the run meanwhile."""
    config = replace(config, experiment=config.experiment.model_copy(update={"name": run_name(number)}))
    painter = Painter() if config.experiment.logging.figures == "auto" else None  # the run closes it
    try:
        display, signals = Display(quiet=True), tuple(interrupts.signals)
        return run_job(Request(config, folder, display, painter, time.perf_counter(), None, signals)).signal
    finally:
        if painter is not None:
            painter.close()


def _is_there(directory: Path) -> bool:
    """Whether a run is there and finished; an unfinished one is removed, as it takes no time to train it again."""
    if not directory.exists():
        return False
    summary = read_summary(directory)
    if summary is not None and summary["status"] in OVER:
        return True
    with explained(f"cannot remove {directory}"):
        shutil.rmtree(directory)
    return False
