"""A run's data files: their paths as its config.yaml has them, and where they are now if they were moved."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from pydantic import Field

from nnintro.config.experiment import Experiment
from nnintro.config.load import Config
from nnintro.config.section import PATH, VALIDATION_PATH, DatasetSection
from nnintro.config.task import STRICT
from nnintro.config.write import as_yaml
from nnintro.files import open_regular
from nnintro.wording import plain

KEYS = (PATH, VALIDATION_PATH)
RELATIVE = "# Paths of data are relative to this file.\n"
MOST_ENTRIES = 20_000
"""Names of files and folders that a search looks at."""
MOST_HASHED = 20
"""Files of the right size that it reads."""
DEEPEST = 3
"""Levels of folders below those that it begins in."""


@dataclass(frozen=True)
class DataFile:
    """What data.json says of a file, or folder, so that it is known again elsewhere."""

    __pydantic_config__ = STRICT

    path: str
    """Where it was when the run began."""
    size: Annotated[int, Field(ge=0)] | None = None
    """Bytes; None of a folder."""
    sha256: str | None = None
    """Of its bytes; None of a folder."""


def with_paths(experiment: Experiment, paths: Mapping[str, str]) -> Experiment:
    """The same config with other paths of the same files."""
    return experiment.model_copy(update={"dataset": experiment.dataset.with_paths(paths)}) if paths else experiment


def config_text(experiment: Experiment, directory: Path) -> str:
    """config.yaml of a run in this folder, or in one beside it."""
    seen = seen_from(experiment, directory)
    return (RELATIVE if seen is not experiment else "") + as_yaml(seen)


def seen_from(experiment: Experiment, directory: Path) -> Experiment:
    """The config for a run's folder: relative paths, so that folder and data can be moved together.

    Where nothing but the root is above both, or not even that (another drive), nobody moves them together, and the
    paths stay whole.
    """
    own = os.path.normpath(Path.cwd() / directory)
    paths = experiment.dataset.paths
    near = {key: path for key, path in paths.items() if os.path.splitdrive(path)[0] == os.path.splitdrive(own)[0]}
    below = {key: path for key, path in near.items() if os.path.commonpath([own, path]) != Path(own).anchor}
    return with_paths(experiment, {key: os.path.relpath(path, own) for key, path in below.items()})


def data_files(dataset: DatasetSection, fingerprint: str) -> dict[str, DataFile]:
    """What is to be known of the files when they are gone; of those whose path is not Unicode nothing.

    Args:
        fingerprint: of the data; of a table in one file it is the file's SHA-256, which is not computed twice then.

    Raises:
        OSError: one cannot be read.
    """
    known = fingerprint if len(dataset.paths) == 1 else None
    return {key: _described(path, known) for key, path in dataset.paths.items() if _is_unicode(path)}


def _is_unicode(path: str) -> bool:
    with suppress(UnicodeEncodeError):
        return bool(path.encode())
    return False


def _described(path: str, sha256: str | None) -> DataFile:
    if Path(path).is_dir():
        return DataFile(path)
    return DataFile(path, Path(path).stat().st_size, sha256 or _sha256(path))


def _sha256(path: str | Path) -> str:
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def found_again(config: Config, directory: Path, held: Mapping[str, DataFile]) -> tuple[Config, tuple[str, ...]]:
    """A run's config with the paths at which its data is now, and a note for each file that was moved.

    A file is where config.yaml says, or where it was when the run began, or it is looked for by its size and SHA-256
    (a folder by its name) in the folder where it was, the current one, the run's and the two above that. One that is
    not found keeps its path.
    """
    moved, notes = {}, []
    for key, path in config.experiment.dataset.paths.items():
        if os.path.lexists(path):
            continue
        now = _search(held.get(key, DataFile(path)), path, directory)
        if now is not None:
            moved[key] = str(now)
            notes.append(f"{plain(path)} is gone; the run's data is taken from {plain(str(now))}")
    return replace(config, experiment=with_paths(config.experiment, moved)), tuple(notes)


def _search(file: DataFile, path: str, directory: Path) -> Path | None:
    """Where the file is now; None if it is not found."""
    if os.path.lexists(file.path):
        return Path(file.path)
    own = Path.cwd() / directory
    places = [Path(file.path).parent, Path(path).parent, Path.cwd(), own, *own.parents[:2]]
    names = {Path(file.path).name, Path(path).name}
    alike = [entry for entry in _entries(places) if _may_be(file, entry, names)]
    alike.sort(key=lambda entry: entry.name not in names)
    for entry in alike[:MOST_HASHED]:
        with suppress(OSError):
            if file.sha256 is None or _sha256(entry.path) == file.sha256:
                return Path(entry.path)
    return None


def _may_be(file: DataFile, entry: os.DirEntry[str], names: set[str]) -> bool:
    """Whether it is worth reading: a file of the same size; of what no size is known, one of the same name."""
    with suppress(OSError):
        if file.size is None:
            return entry.name in names and (file.sha256 is None) == entry.is_dir()
        return entry.is_file() and entry.stat().st_size == file.size
    return False


def _entries(places: list[Path]) -> Iterator[os.DirEntry[str]]:
    """What is in the folders and some levels below, nearest first; hidden folders and links to folders aside."""
    level, seen, count = [os.path.normpath(place) for place in places], set[str](), 0
    for _ in range(DEEPEST + 1):
        below: list[str] = []
        for folder in level:
            if folder in seen:
                continue
            seen.add(folder)
            with suppress(OSError), os.scandir(folder) as entries:
                for entry in entries:
                    count += 1
                    if count > MOST_ENTRIES:
                        return
                    yield entry
                    if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False):
                        below.append(entry.path)
        level = below
