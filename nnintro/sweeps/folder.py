"""The folder of a sweep: sweep.yaml, trials.csv, best.yaml, summary.json, and the best trials as runs below it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nnintro.config.experiment import Experiment
from nnintro.config.load import Config, SweepOptions, load_config
from nnintro.errors import CheckpointError
from nnintro.files import read_bytes, read_json, write_json, write_text
from nnintro.runs.data_files import config_text
from nnintro.runs.folder import SWEEP, RunLock, create_named, explained
from nnintro.runs.summary import NAME as SUMMARY
from nnintro.wording import cause, nearest

CONFIG, BEST = SWEEP, "best.yaml"
LARGEST = 1 << 24
"""Bytes of its small files."""


class SweepFolder:
    """A sweep's folder, locked until ``close``."""

    def __init__(self, path: Path, lock: RunLock) -> None:
        self.path, self._lock = path, lock

    @property
    def warning(self) -> str | None:
        """Why the file system does not lock it, if it does not."""
        return self._lock.warning

    def close(self) -> None:
        self._lock.close()

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        """Write summary.json, with the checksum of sweep.yaml.

        Raises:
            CheckpointError: the disk failed.
        """
        _write_summary(self.path, summary)

    def read_summary(self) -> dict[str, Any]:
        """What summary.json says; nothing where a killed process left none.

        Raises:
            CheckpointError: it cannot be read.
        """
        try:
            summary = read_json(self.path / SUMMARY, LARGEST)
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise CheckpointError(f"{self.path} has no readable {SUMMARY}: {cause(error)}") from error
        return summary if isinstance(summary, dict) else {}

    def write_best(self, experiment: Experiment, note: str) -> None:
        """Write best.yaml: a config that trains as it is.

        Raises:
            CheckpointError: the disk failed.
        """
        with explained(f"cannot write {self.path / BEST}"):
            write_text(self.path / BEST, f"# {note}\n{config_text(experiment, self.path)}")


def _write_summary(folder: Path, summary: Mapping[str, Any]) -> None:
    with explained(f"cannot write {folder / SUMMARY}"):
        write_json(folder / SUMMARY, {**summary, "config_sha256": _sha256(folder / CONFIG)})


def _sha256(path: Path) -> str:
    return hashlib.sha256(read_bytes(path, LARGEST)).hexdigest()


def new_folder(runs_dir: Path, config: Config, noted: Mapping[str, Any]) -> SweepFolder:
    """``runs_dir/name``, or ``name-2``, ...: the first that is free; it takes its name with all in it to go on.

    Args:
        noted: what else summary.json says of it.

    Raises:
        CheckpointError: it cannot be made.
        UsageError: the locale's encoding has no such name.
    """
    name = config.experiment.name

    def fill(unnamed: Path) -> None:
        write_text(unnamed / CONFIG, config_text(config.experiment, runs_dir / name))
        _write_summary(unnamed, {"status": "unfinished", "name": name, **noted})

    return SweepFolder(*create_named(runs_dir, name, "a sweep", fill))


def open_folder(sweep: str | Path, runs_dir: Path) -> tuple[SweepFolder, Config]:
    """The folder of a sweep that is to go on, by its path or its name in ``runs_dir``, and its config.

    Raises:
        CheckpointError: there is none, another process works in it, or its sweep.yaml was changed.
        ConfigError: its sweep.yaml cannot be used.
    """
    with explained(f"cannot open {sweep}"):
        places = [place for place in (Path(sweep), runs_dir / sweep) if (place / CONFIG).is_file()]
        if not places:
            close = nearest(Path(sweep).name, [path.parent.name for path in sorted(runs_dir.glob(f"[!.]*/{CONFIG}"))])
            meant = f"; did you mean '{close}'?" if close else f" in {runs_dir}"
            raise CheckpointError(f"{sweep}: no such sweep{meant}")
    folder = SweepFolder(places[0], RunLock(places[0]))
    try:
        with explained(f"cannot read {places[0] / CONFIG}"):
            known = folder.read_summary().get("config_sha256")
            if known is not None and known != _sha256(places[0] / CONFIG):
                raise CheckpointError(
                    f"{places[0] / CONFIG} was changed since the sweep began: its trials are of another config; "
                    "begin a new sweep"
                )
        return folder, load_config(places[0] / CONFIG, sweep=SweepOptions())
    except BaseException:
        folder.close()
        raise
