"""What a sweep is asked to do, and whether that is possible: before torch is loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnintro.config.experiment import flat_values
from nnintro.config.load import Config, SweepOptions, load_config
from nnintro.config.sweep import Sweep
from nnintro.errors import ConfigError, UsageError
from nnintro.sweeps.folder import SweepFolder, open_folder
from nnintro.sweeps.map_grid import as_map
from nnintro.wording import listing

if TYPE_CHECKING:
    import signal


@dataclass(frozen=True)
class SweepRequest:
    """What is to be swept, and how it is to be shown."""

    config: str | Path | Mapping[str, Any] | None
    options: SweepOptions = field(default_factory=SweepOptions)
    overrides: Sequence[str] = ()
    runs_dir: Path = Path("runs")
    name: str | None = None
    resume: str | Path | None = None
    workers: int | None = None
    storage: str | None = None
    map_keys: tuple[str, str] | None = None
    """Two keys of the sweep that a grid is made of (see ``map_grid``)."""
    quiet: bool = False
    signals: tuple[signal.Signals, ...] = ()


def section_of(config: Config) -> Sweep:
    """The sweep section.

    Raises:
        ConfigError: there is none.
    """
    if config.experiment.sweep is None:
        why = "required key is missing; write a sweep section, or give --over KEY=VALUES"
        with config.locating():
            raise ConfigError.at("sweep", why)
    return config.experiment.sweep


def read(request: SweepRequest) -> tuple[SweepFolder | None, Config]:
    """The config of a sweep that begins, or the locked folder of one that goes on and its config.

    Raises:
        ConfigError: everything that is wrong with the config and its sweep section, each with its place.
        CheckpointError: there is no such sweep, it cannot be read, or another process works in it.
        UsageError: neither is given, or the sweep that goes on has other settings.
    """
    if request.resume is None:
        if request.config is None:
            raise UsageError("expected a config to sweep, or --resume with a sweep to go on with")
        config = load_config(request.config, request.overrides, request.name, sweep=request.options)
        return None, config if request.map_keys is None else as_map(config, request.map_keys)
    if request.map_keys is not None:
        raise UsageError("a sweep that goes on keeps its grid: expected either --map or --resume")
    if request.name is not None:
        raise UsageError("a sweep that goes on keeps its name: expected either --name or --resume")
    folder, config = open_folder(request.resume, request.runs_dir)
    try:
        changed = _changes(request, config)
        if changed:
            raise UsageError(
                f"{folder.path} goes on with the config that it began with; {listing(changed)} would change it"
            )
    except BaseException:
        folder.close()
        raise
    return folder, config


def _changes(request: SweepRequest, config: Config) -> list[str]:
    """The keys in which a command differs from the sweep that it is to go on with."""
    options = request.options
    if request.config is None:
        settings = [f"--{key.replace('_', '-')}" for key, value in options.settings.items() if value is not None]
        return [*settings, *(["--over"] if options.over else []), *(["--set"] if request.overrides else [])]
    given = load_config(request.config, request.overrides, config.experiment.name, sweep=options)
    now, was = flat_values(given.experiment), flat_values(config.experiment)
    return sorted(key for key in now.keys() | was.keys() if now.get(key) != was.get(key))
