"""Checkpoints: one file of tensors and plain containers, with its SHA-256 beside it.

Order of writing: the file under a temporary name, fsync, rename, fsync of the folder, read back and
compared; only then ``latest.json`` names it.
"""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import torch

from nnintro.errors import CheckpointError
from nnintro.recording.directory import write_json, write_whole

FORMAT = 1


def save_checkpoint(directory: Path, step: int, state: dict[str, Any]) -> Path:
    """Write ``checkpoints/step-<n>.pt`` and let ``latest.json`` name it.

    Raises:
        CheckpointError: it could not be written, or does not read back as it was written.
    """
    path = directory / "checkpoints" / f"step-{step}.pt"
    # Through memory: the archive's inner name, and so its bytes, do not depend on the folder.
    buffer = io.BytesIO()
    torch.save({"format": FORMAT, "step": step, **state}, buffer)
    data = buffer.getvalue()
    write_whole(path, lambda file: file.write(data))
    digest = hashlib.sha256(data).hexdigest()
    if _digest(path) != digest:
        raise CheckpointError(f"{path} does not read back as it was written")
    write_json(path.with_name("latest.json"), {"file": path.name, "step": step, "sha256": digest})
    return path


def load_checkpoint(directory: Path) -> dict[str, Any]:
    """The newest checkpoint of a run: bytes checked, loaded without running any code of its own.

    Raises:
        CheckpointError: there is none, it is damaged, or it is no checkpoint of ours.
    """
    manifest = directory / "checkpoints" / "latest.json"
    try:
        latest = json.loads(manifest.read_text(encoding="utf-8"))
        name, wanted = str(latest["file"]), str(latest["sha256"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise CheckpointError(f"{manifest}: no readable checkpoint here ({error})") from error
    if not name or Path(name).name != name or name.startswith("."):
        raise CheckpointError(f"{manifest}: {name!r} is not the name of a file beside it")
    path = manifest.with_name(name)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"cannot read {path}: {error.strerror}") from error
    if hashlib.sha256(data).hexdigest() != wanted:
        raise CheckpointError(f"{path} is damaged: its SHA-256 is not the one in {manifest.name}")
    try:
        state = torch.load(io.BytesIO(data), weights_only=True, map_location="cpu")
    except Exception as error:
        # Whatever a foreign file makes torch raise, to the user it is one thing.
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise CheckpointError(f"{path} is no checkpoint: {reason}") from error
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise CheckpointError(f"{path} is no checkpoint of this version of nnintro")
    return state


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise CheckpointError(f"cannot read back {path}: {error.strerror}") from error
