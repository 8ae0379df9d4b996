"""Checkpoints: one file of tensors and plain containers, with its SHA-256 beside it.

Order of writing: the file under a temporary name, fsync, rename, fsync of the folder, read back and
compared; only then ``latest.json`` names it, and only then the oldest goes.  So at every moment
``latest.json`` names a file that is whole, and those before it that are still kept.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
from collections.abc import Collection
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import Field

from nnintro.config.task import STRICT
from nnintro.config.typed import from_json
from nnintro.errors import CheckpointError
from nnintro.files import is_regular, open_regular, read_bytes, write_json, write_whole
from nnintro.runs.archive import unpacked
from nnintro.runs.folder import explained
from nnintro.wording import cause, shown

FORMAT = 2
MANIFEST = "latest.json"
NAME = re.compile(r"step-([0-9]{1,18})(?:-[0-9]{1,9})?\.pt")
HALF = re.compile(rf"\.(?:{NAME.pattern}|{re.escape(MANIFEST)})\..+\.tmp")
"""What a killed process leaves of them: while a run is locked nobody else writes there."""
LARGEST_MANIFEST = 1 << 20
MOST = 1 << 28
"""Bytes of a checkpoint beside those of its tensors that grow with the network: ten values at each of three million
recorded updates have fewer."""


@dataclass(frozen=True)
class Entry:
    """A checkpoint as ``latest.json`` names it."""

    __pydantic_config__ = STRICT

    file: str
    step: Annotated[int, Field(ge=0, lt=10**18)]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    """Empty where the manifest that had it is lost."""
    bytes: int | None = None
    """None where an earlier version wrote the manifest, or it is lost."""


@dataclass(frozen=True)
class _Manifest(Entry):
    """latest.json: the newest checkpoint, and those before it."""

    previous: Annotated[list[Entry], Field(max_length=1000)] = field(default_factory=list)


class _UnreadableError(CheckpointError):
    """latest.json is there and says nothing."""


@dataclass(frozen=True)
class Loaded:
    """A checkpoint's contents, and the newer ones that could not be used, in words."""

    state: dict[str, Any]
    path: Path
    damaged: list[str] = field(default_factory=list)
    passed_over: frozenset[str] = frozenset()
    """The files of all that are newer."""


def save_checkpoint(
    directory: Path, step: int, state: dict[str, Any], keep: int = 2, useless: Collection[str] = ()
) -> Path:
    """Write ``checkpoints/step-<n>.pt``, let ``latest.json`` name it, prune to ``keep`` files.

    Args:
        useless: files that training cannot go on from; they do not count among those kept, nor does
            an earlier one of the same update.

    Raises:
        CheckpointError: it could not be written, or does not read back as it was written; what
            was saved before is untouched.
    """
    folder = directory / "checkpoints"
    earlier: list[Entry] = []
    with suppress(CheckpointError):  # no manifest, or none that can be read
        earlier = _entries(folder)
    with explained(f"cannot write {folder}"):
        if directory.is_dir():  # somebody may have removed it meanwhile
            folder.mkdir(exist_ok=True)
    path = _free_name(folder, step, earlier)
    # Through memory: the archive's inner name, and so its bytes, do not depend on the folder.
    buffer = io.BytesIO()
    torch.save({"format": FORMAT, "step": step, **state}, buffer)
    data = buffer.getvalue()
    with explained(f"cannot write {path}"):
        write_whole(path, lambda file: file.write(data))
    with explained(f"cannot read back {path}"):
        written = read_bytes(path, len(data))
    if written != data:
        raise CheckpointError(f"{path} does not read back as it was written")
    usable = [e for e in earlier if e.step != step and e.file not in useless]
    kept = [Entry(path.name, step, hashlib.sha256(data).hexdigest(), len(data)), *usable][:keep]
    newest, *previous = map(asdict, kept)
    with explained(f"cannot write {folder / MANIFEST}"):
        write_json(folder / MANIFEST, {**newest, "previous": previous})
    _prune(folder, earlier, {entry.file for entry in kept})
    return path


def _free_name(folder: Path, step: int, earlier: list[Entry]) -> Path:
    """Never the name of a checkpoint that counts: until the manifest is renewed, it still does."""
    taken = {entry.file for entry in earlier}
    name, number = f"step-{step}.pt", 1
    while name in taken:
        number += 1
        name = f"step-{step}-{number}.pt"
    return folder / name


def _prune(folder: Path, earlier: list[Entry], kept: set[str]) -> None:
    """Remove checkpoints that the manifest named, or a killed process wrote and did not come to name; halves of files.

    Whatever else lies there was put there by somebody else.
    """
    named = {entry.file for entry in earlier}
    newest = max((entry.step for entry in earlier), default=10**18)
    # A file that stays because it cannot be removed does no harm; the next pruning tries again.
    with suppress(OSError):
        for path in folder.iterdir():
            match = NAME.fullmatch(path.name)
            is_old = match is not None and path.name not in kept and (path.name in named or int(match[1]) >= newest)
            if (is_old or HALF.fullmatch(path.name)) and is_regular(path):
                path.unlink()


def has_checkpoint(directory: Path, before: int | None = None) -> bool:
    """Whether a checkpoint was ever completed in this run, or one of fewer than ``before`` updates.

    Raises:
        CheckpointError: the folder cannot be read; or there are checkpoints and no ``latest.json``.
    """
    folder = directory / "checkpoints"
    with explained(f"cannot read {folder}"):
        if (folder / MANIFEST).exists():
            return before is None or any(entry.step < before for entry in _listed(folder)[0])
        count = len(_files(folder))
    if count > 1:  # a single one was being completed when the run was cut off
        raise CheckpointError(f"{folder / MANIFEST} is missing, and there are {count} checkpoints")
    return False


def load_checkpoint(directory: Path, before: int | None = None, most: int = MOST) -> Loaded:
    """The newest whole checkpoint of a run: bytes checked, loaded without running code of its own.

    One whose bytes are not those that were written, or are gone, is passed over for the one before
    it.  A valid file that is not an nnintro checkpoint is refused: it was put there by hand.  Where
    ``latest.json`` cannot be read, it is the newest that loads and says the step of its own name.

    Args:
        before: only checkpoints of fewer updates count.
        most: bytes that one may have (see ``runs.run.read_checkpoint``).

    Raises:
        CheckpointError: there is none, all are damaged, or it is not an nnintro checkpoint.
    """
    folder = directory / "checkpoints"
    entries, lost = _listed(folder)
    damaged = [] if lost is None else [lost]
    wanted = [entry for entry in entries if before is None or entry.step < before]
    if not wanted:
        raise CheckpointError(f"{folder}: no checkpoint of fewer than {before:,} updates is kept")
    for entry in wanted:
        try:
            data = _checked(folder, entry, most)
        except CheckpointError as error:
            if _listed(folder)[0] != entries:  # a run that is going on has pruned it meanwhile
                return load_checkpoint(directory, before, most)
            damaged.append(str(error))
            continue
        path = folder / entry.file
        newer = frozenset(e.file for e in entries[: entries.index(entry)])
        try:
            return Loaded(_state(path, data, entry), path, damaged, newer)
        except CheckpointError as error:
            if lost is None:
                raise
            damaged.append(str(error))
    raise CheckpointError("; ".join(damaged))


def _listed(folder: Path) -> tuple[list[Entry], str | None]:
    """The checkpoints of a run, the newest first, and why they are those that lie there and not those of the manifest.

    Raises:
        CheckpointError: there is no manifest that can be read, and no checkpoint beside it.
    """
    try:
        return _entries(folder), None
    except _UnreadableError as error:
        matches = [(path.name, NAME.fullmatch(path.name)) for path in _files(folder)]
        found = [Entry(name, int(match[1]), "") for name, match in matches if match]
        if not found:
            raise
        return sorted(found, key=lambda entry: (entry.step, entry.file), reverse=True), str(error)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("step-*.pt") if NAME.fullmatch(path.name) and path.is_file())


def _entries(folder: Path) -> list[Entry]:
    """What ``latest.json`` names, the newest first."""
    manifest = folder / MANIFEST
    try:
        latest = from_json(_Manifest, read_bytes(manifest, LARGEST_MANIFEST))
    except OSError as error:
        raise CheckpointError(f"{manifest}: no checkpoint here ({cause(error)})") from error
    except ValueError as error:
        raise _UnreadableError(f"{manifest}: no readable checkpoint here ({error})") from error
    entries = [Entry(latest.file, latest.step, latest.sha256, latest.bytes), *latest.previous]
    for entry in entries:
        if not entry.file or Path(entry.file).name != entry.file or entry.file.startswith("."):
            raise CheckpointError(f"{manifest}: {shown(entry.file)} is not the name of a file beside it")
    return entries


def _checked(folder: Path, entry: Entry, most: int) -> bytes:
    """The file's bytes, if they are those that were written; of another size it is not read."""
    path = folder / entry.file
    try:
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            if entry.bytes is not None and size > entry.bytes:  # of a shorter one the SHA-256 tells
                raise CheckpointError(f"{path} is damaged: it has {size:,} bytes, and {MANIFEST} says {entry.bytes:,}")
        data = read_bytes(path, most)
    except (OSError, ValueError) as error:
        raise CheckpointError(f"cannot read {path}: {cause(error)}") from error
    if entry.sha256 and hashlib.sha256(data).hexdigest() != entry.sha256:
        raise CheckpointError(f"{path} is damaged: its SHA-256 is not the one in {MANIFEST}")
    return data


def _state(path: Path, data: bytes, entry: Entry) -> dict[str, Any]:
    try:
        state = unpacked(data)
    except ValueError as error:
        raise CheckpointError(f"{path} is not a checkpoint: {cause(error)}") from error
    if not isinstance(state, dict) or repr(state.get("format")) != repr(FORMAT):
        raise CheckpointError(f"{path} is not a checkpoint of this version of nnintro")
    if repr(state.get("step")) != repr(entry.step):
        raise CheckpointError(f"{path} is of update {shown(state.get('step'))}, and {MANIFEST} says {entry.step}")
    return state
