"""A sweep from its first line to its last: read, check, train all trials, save, keep the best as runs."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnintro.config.experiment import flat_values
from nnintro.config.load import Config
from nnintro.config.sweep import Sweep
from nnintro.config.task import grows
from nnintro.errors import CheckpointError, UsageError
from nnintro.signals import Interrupts
from nnintro.sweeps.folder import SweepFolder, new_folder
from nnintro.sweeps.password import without_password
from nnintro.sweeps.request import SweepRequest, read, section_of
from nnintro.sweeps.space import Space
from nnintro.wording import counted

if TYPE_CHECKING:  # torch is loaded once the config is known to be good
    from nnintro.sweeps.display import SweepDisplay
    from nnintro.sweeps.record import Record
    from nnintro.sweeps.storage import Opened
    from nnintro.sweeps.study import Joined
    from nnintro.sweeps.tally import Tally
    from nnintro.sweeps.trial import Result
    from nnintro.sweeps.work import Source
    from nnintro.training.repeated import KnownData


@dataclass(frozen=True)
class Ended:
    """A sweep's folder and summary, and the signal that ended it, if one did."""

    directory: Path
    summary: dict[str, Any]
    signal: int | None = None


def run_sweep(request: SweepRequest) -> Ended:
    """Run all trials of a sweep, or those that are left of one.

    Raises:
        ConfigError: everything that is wrong with the config and its sweep section, each with its place.
        DataError: the data cannot be read or used.
        UsageError: neither a config nor a sweep to go on with is given, or settings that contradict each other.
        CheckpointError: the sweep cannot be written, or not gone on with.
        OutOfMemoryError: the machine does not have the memory for the data.
    """
    if request.workers is not None and request.workers < 1:
        raise UsageError(f"--workers: expected a number of at least 1, got {request.workers}")
    folder, config = read(request)
    try:
        sweep = section_of(config)
        space = Space(sweep, config.experiment.seed, config.whole_keys)
        return _Sweeping(request, config, sweep, space, folder).run()
    finally:
        if folder is not None:
            folder.close()


class _Sweeping:
    def __init__(
        self, request: SweepRequest, config: Config, sweep: Sweep, space: Space, folder: SweepFolder | None
    ) -> None:
        from nnintro.sweeps.display import SweepDisplay
        from nnintro.training.repeated import KnownData

        self.request, self.config, self.sweep, self.space = request, config, sweep, space
        self.begun = time.perf_counter()
        self.known: KnownData = KnownData()
        self.interrupted = threading.Event()
        self.storage = request.storage
        if folder is not None and self.storage is None:  # of a sweep that goes on, where it was
            self.storage = folder.read_summary().get("storage")
        self.joined: Joined | None = None
        self.display: SweepDisplay = SweepDisplay(config, sweep, space, quiet=request.quiet)
        self._opened = folder

    def run(self) -> Ended:
        from nnintro.sweeps.tally import Tally

        with Interrupts(list(self.request.signals)) as interrupts, self._storage() as storage:
            tags, most_workers = self._look(interrupts)
            if interrupts():
                raise KeyboardInterrupt
            if storage is not None:
                self.joined = self._join(storage)
            folder = self._opened or new_folder(self.request.runs_dir, self.config, self._noted())
            try:
                self.folder, self.earlier_seconds = folder, float(folder.read_summary().get("seconds") or 0.0)
                record = self._record(folder, tags)
                known = record.read()
                self._require_own(known, record)
                tally = Tally(maximize=grows(self.sweep.tag), wanted=self.space.trials)
                for result in known.values():
                    tally.add(result)
                workers = self.request.workers or min(most_workers, self.space.trials)
                self.display.begin(folder.path, tally, workers)
                self._train(record, known, tally, workers, interrupts)
                return self._close(record, tally, interrupts)
            finally:
                self.display.stop()
                if self._opened is None:
                    folder.close()

    @contextlib.contextmanager
    def _storage(self) -> Iterator[Opened | None]:
        """The database that is shared, if one is; before anything is read, as it may not answer."""
        from nnintro.sweeps.storage import open_storage
        from nnintro.sweeps.tpe import load_optuna

        if self.storage is None:
            if self.space.sampler == "tpe":
                load_optuna()
            yield None
            return
        opened = open_storage(self.storage)
        try:
            yield opened
        finally:
            opened.close()

    def _join(self, opened: Opened) -> Joined:
        from nnintro.sweeps.patience import Patience
        from nnintro.sweeps.study import join

        call = Patience(opened.place, self.interrupted, self.display.warn)
        experiment = self.config.experiment
        return join(opened, experiment.name, flat_values(experiment), maximize=grows(self.sweep.tag), call=call)

    def _noted(self) -> dict[str, Any]:
        """What summary.json says of the storage, to go on with: no password."""
        return {} if self.storage is None else {"storage": without_password(self.storage, instead="")}

    def _look(self, interrupts: Interrupts) -> tuple[list[str], int]:
        """Read the data and build one network: the metrics that there are, and how many workers pay.

        Also compiles the kernel, where that was not done yet, before several workers wait for it.
        """
        from nnintro.models.forward import own_modes, threads_for
        from nnintro.training.setup import assemble

        with own_modes(), self.config.locating():
            splits = self.known.of(self.config.experiment)
            setup = self.config.setup(splits.found)
            parts = assemble(setup, splits, say=self.display.line, interrupted=interrupts)
            threads = threads_for(parts.network, parts.plan.batch_size)
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return ["train/loss", *setup.task.validation_tags(setup.loss_name)], max(1, cores // threads)

    def _record(self, folder: SweepFolder, tags: list[str]) -> Record:
        from nnintro.sweeps.record import Record

        return Record(folder.path, list(self.space.axes), tags, looks=self.sweep.stop_bad_trials)

    def _require_own(self, known: Mapping[int, Result], record: Record) -> None:
        """Raise CheckpointError where a result is of other values than the trial with its number has."""
        if self.space.sampler == "tpe":
            return  # whose values follow from the results
        for number, result in known.items():
            if number >= self.space.trials or dict(self.space.values(number)) != dict(result.values):
                raise CheckpointError(f"{record.path}: trial {number} is not of this sweep")

    def _train(
        self, record: Record, known: Mapping[int, Result], tally: Tally, workers: int, interrupts: Interrupts
    ) -> None:
        from nnintro.sweeps.trial import Trainer
        from nnintro.sweeps.work import work

        def add(result: Result) -> None:
            record.add(result)
            tally.add(result)

        def look_after() -> None:
            if interrupts():
                self.interrupted.set()
            self.display.update(tally)

        source = self._source(known, add)
        try:
            trainer = Trainer(self.config, self.sweep, source.results, self.known)
            work(source, trainer.run, workers, self.interrupted, look_after)
        finally:
            source.close()

    def _source(self, known: Mapping[int, Result], add: Callable[[Result], object]) -> Source:
        """Where the trials come from."""
        from nnintro.sweeps.source import LocalSource
        from nnintro.sweeps.study import study_in_folder

        joined, ordered = self.joined, self.sweep.stop_bad_trials
        if joined is None and self.space.sampler == "tpe":
            joined = study_in_folder(self.folder.path, self.config.experiment.name, maximize=grows(self.sweep.tag))
        if joined is None:
            return LocalSource(self.space, known, add, self.interrupted, ordered=ordered)
        seed = self.config.experiment.seed
        return joined.source(self.space, seed, known, add, self.interrupted, ordered=ordered)

    def _close(self, record: Record, tally: Tally, interrupts: Interrupts) -> Ended:
        from nnintro.sweeps import keep, pictures

        results = record.read()
        record.rewrite(results)
        self.display.stop()
        self._write(tally, "interrupted" if interrupts() else "unfinished")
        if not interrupts():
            best = tally.best(self.sweep.keep)
            keep.keep_best(self.config, self.sweep, best, self.folder.path, self.display, interrupts)
        status = "interrupted" if interrupts() else "completed"
        if not interrupts() and self.config.experiment.logging.figures == "auto":
            pictures.draw(self.folder.path, self.folder.path.name, self.sweep, results.values())
        summary = self._write(tally, status)
        self.display.close(tally, summary, self.folder.path)
        return Ended(self.folder.path, summary, interrupts.received)

    def _write(self, tally: Tally, status: str) -> dict[str, Any]:
        from nnintro.sweeps import keep
        from nnintro.sweeps.tally import described

        best = next(iter(tally.best()), None)
        if best is not None:
            note = f"Trial {best.number} of {counted(tally.ended, 'trial')}: {self.sweep.tag} {best.objective:.6g}."
            self.folder.write_best(keep.config_of(self.config, self.sweep, best).experiment, note)
        summary = {
            "status": status,
            "name": self.folder.path.name,
            "directory": str(self.folder.path),
            "sampler": self.space.sampler,
            "objective": self.sweep.tag,
            **tally.as_values(),
            **self._noted(),
            "seconds": self.earlier_seconds + time.perf_counter() - self.begun,
            "best": None if best is None else described(best),
            **({"failures": failures} if (failures := tally.reasons()) else {}),
        }
        self.folder.write_summary(summary)
        return summary
