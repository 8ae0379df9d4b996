"""``nnintro.sweep``: a sweep from Python."""

from __future__ import annotations

import functools
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nnintro.config.load import SweepOptions, load_config
from nnintro.sweeps.folder import CONFIG
from nnintro.sweeps.record import Record, tags_in
from nnintro.sweeps.request import SweepRequest
from nnintro.sweeps.sweep import run_sweep
from nnintro.sweeps.trial import Result


@dataclass(frozen=True)
class Swept:
    """A sweep that has ended.

    Attributes:
        directory: its folder.
        summary: what its summary.json says: counts, seconds, the best trial.
    """

    directory: Path
    summary: Mapping[str, Any]

    @functools.cached_property
    def trials(self) -> list[Result]:
        """All trials, by their number: values, status, objective, metrics, seed, seconds.

        Raises:
            CheckpointError: trials.csv cannot be read.
        """
        sweep = load_config(self.directory / CONFIG, sweep=SweepOptions()).experiment.sweep
        assert sweep is not None
        keys = list(sweep.over)
        results = Record(self.directory, keys, tags_in(self.directory, keys), looks=False).read()
        return [results[number] for number in sorted(results)]

    @functools.cached_property
    def best(self) -> Result | None:
        """The best trial; None where none has an objective."""
        best = self.summary.get("best")
        return None if best is None else next(trial for trial in self.trials if trial.number == best["number"])

    def __repr__(self) -> str:
        return f"Swept({str(self.directory)!r}, {self.summary['trials']} trials, best {self.best})"


def sweep(
    config: str | Path | Mapping[str, Any] | None = None,
    over: Sequence[str] | Mapping[str, Any] = (),
    overrides: Sequence[str] = (),
    runs_dir: str | Path = "runs",
    *,
    seeds: int | None = None,
    trials: int | None = None,
    sampler: str | None = None,
    objective: str | None = None,
    keep: int | None = None,
    workers: int | None = None,
    storage: str | None = None,
    name: str | None = None,
    resume: str | Path | None = None,
    quiet: bool = True,
) -> Swept:
    """Train a config many times with other values of some keys.

    Args:
        config: path of a YAML file, or the same content as a dict.
        over: key -> list of values, or ``{"low": 1e-4, "high": 1, "log": True}``; or texts as of ``--over``.
            They take the place of the keys of the config's sweep section with the same names.
        overrides: ``"training.epochs=50"`` and the like, laid over the config.
        runs_dir: where the sweep's folder is made.
        seeds, trials, sampler, objective, keep: in place of the sweep section's.
        workers: how many threads train; as many as cores by default.  No result depends on it.
        storage: a database that several machines take trials from.
        name: the sweep's name, in place of the config's.
        resume: a sweep's folder (or its name in ``runs_dir``) to go on with.
        quiet: show nothing meanwhile.

    Raises:
        ConfigError: everything that is wrong with the config and its sweep section, each with its place.
        DataError: the data cannot be used.
        CheckpointError: the sweep cannot be written, or not gone on with.
        UsageError: neither a config nor a sweep to go on with is given, or settings that contradict each other.
        KeyboardInterrupt: after Ctrl-C, once everything is saved.
    """
    is_ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    settings = {"seeds": seeds, "trials": trials, "sampler": sampler, "objective": objective, "keep": keep}
    request = SweepRequest(
        config,
        SweepOptions(over, settings),
        overrides,
        Path(runs_dir),
        name=name,
        resume=resume,
        workers=workers,
        storage=storage,
        quiet=quiet,
        signals=(signal.SIGINT,) if is_ours else (),
    )
    ended = run_sweep(request)
    if ended.signal is not None:
        raise KeyboardInterrupt
    return Swept(ended.directory, ended.summary)
