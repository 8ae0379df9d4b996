"""Checkpoints: one file of tensors and plain containers, with its SHA-256 beside it.

Order of writing: the file under a temporary name, fsync, rename, fsync of the folder, read back and
compared; only then ``latest.json`` names it, and only then the oldest goes.  So at every moment
``latest.json`` names a file that is whole, and those before it that are still kept.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Collection
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from nnintro.errors import CheckpointError
from nnintro.files import write_json, write_whole
from nnintro.runs.folder import explained
from nnintro.wording import cause

FORMAT = 2
MANIFEST = "latest.json"
NAME = re.compile(r"step-(\d{1,18})(?:-\d+)?\.pt")


@dataclass(frozen=True)
class Entry:
    """A checkpoint as ``latest.json`` names it."""

    file: str
    step: int
    sha256: str
    """Empty where the manifest that had it is lost."""


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
        written = path.read_bytes()
    if written != data:
        raise CheckpointError(f"{path} does not read back as it was written")
    usable = [e for e in earlier if e.step != step and e.file not in useless]
    kept = [Entry(path.name, step, hashlib.sha256(data).hexdigest()), *usable][:keep]
    newest, *previous = map(asdict, kept)
    with explained(f"cannot write {folder / MANIFEST}"):
        write_json(folder / MANIFEST, {**newest, "previous": previous})
    _prune(folder, {entry.file for entry in kept})
    return path


def _free_name(folder: Path, step: int, earlier: list[Entry]) -> Path:
    """Never the name of a checkpoint that counts: until the manifest is renewed, it still does."""
    taken = {entry.file for entry in earlier}
    name, number = f"step-{step}.pt", 1
    while name in taken:
        number += 1
        name = f"step-{step}-{number}.pt"
    return folder / name


def _prune(folder: Path, kept: set[str]) -> None:
    """Remove older checkpoints and what a killed process left half written."""
    # A file that stays because it cannot be removed does no harm; the next pruning tries again.
    with suppress(OSError):
        for path in [*folder.glob("step-*.pt"), *folder.glob(".*.tmp")]:
            if path.name not in kept:
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
        count = len(list(folder.glob("step-*.pt")))
    if count > 1:  # a single one was being completed when the run was cut off
        raise CheckpointError(f"{folder / MANIFEST} is missing, and there are {count} checkpoints")
    return False


def load_checkpoint(directory: Path, before: int | None = None) -> Loaded:
    """The newest whole checkpoint of a run: bytes checked, loaded without running code of its own.

    One whose bytes are not those that were written, or are gone, is passed over for the one before
    it.  A valid file that is not an nnintro checkpoint is refused: it was put there by hand.  Where
    ``latest.json`` cannot be read, it is the newest that loads and says the step of its own name.

    Args:
        before: only checkpoints of fewer updates count.

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
            data = _checked(folder, entry)
        except CheckpointError as error:
            if _listed(folder)[0] != entries:  # a run that is going on has pruned it meanwhile
                return load_checkpoint(directory, before)
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
        matches = [(path.name, NAME.fullmatch(path.name)) for path in folder.glob("step-*.pt")]
        found = [Entry(name, int(match[1]), "") for name, match in matches if match]
        if not found:
            raise
        return sorted(found, key=lambda entry: (entry.step, entry.file), reverse=True), str(error)


def _entries(folder: Path) -> list[Entry]:
    """What ``latest.json`` names, the newest first."""
    manifest = folder / MANIFEST
    try:
        latest = json.loads(manifest.read_text(encoding="utf-8"))
        entries = [
            Entry(str(item["file"]), int(item["step"]), str(item["sha256"]))
            for item in [latest, *latest.get("previous", [])]
        ]
    except OSError as error:
        raise CheckpointError(f"{manifest}: no checkpoint here ({cause(error)})") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        reason = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise _UnreadableError(f"{manifest}: no readable checkpoint here ({reason})") from error
    for entry in entries:
        if not entry.file or Path(entry.file).name != entry.file or entry.file.startswith("."):
            raise CheckpointError(f"{manifest}: {entry.file!r} is not the name of a file beside it")
    return entries


def _checked(folder: Path, entry: Entry) -> bytes:
    """The file's bytes, if they are those that were written."""
    path = folder / entry.file
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        raise CheckpointError(f"cannot read {path}: {cause(error)}") from error
    if entry.sha256 and hashlib.sha256(data).hexdigest() != entry.sha256:
        raise CheckpointError(f"{path} is damaged: its SHA-256 is not the one in {MANIFEST}")
    return data


def _state(path: Path, data: bytes, entry: Entry) -> dict[str, Any]:
    try:
        state = torch.load(io.BytesIO(data), weights_only=True, map_location="cpu")
    except Exception as error:
        # Whatever a foreign file makes torch raise, to the user it is one thing. What torch advises of a file with
        # code in it, to load it all the same, is not passed on.
        reason = "it holds more than tensors and plain values" if "weights_only" in str(error) else cause(error)
        raise CheckpointError(f"{path} is not a checkpoint: {reason}") from error
    if not isinstance(state, dict) or repr(state.get("format")) != repr(FORMAT):
        raise CheckpointError(f"{path} is not a checkpoint of this version of nnintro")
    if repr(state.get("step")) != repr(entry.step):
        raise CheckpointError(f"{path} is of update {state.get('step')}, and {MANIFEST} says {entry.step}")
    return state
