"""The settings in which runs differ, read from the config.yaml of each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nnintro.config.parse.nodes import plain as as_values
from nnintro.config.parse.yaml_text import read_file
from nnintro.errors import ConfigError
from nnintro.runs.folder import CONFIG
from nnintro.wording import plain

Settings = dict[str, Any]
"""Dotted key -> a scalar or a list."""
NOT_COMPARED = ("name", "logging", "training.checkpoint")
"""Keys that make no difference to the network that is trained."""
FIRST = ("dataset.kind", "model", "descent", "training", "loss", "seed", "precision", "")
"""Beginnings of keys: those of an earlier one stand further left."""
MEANT = {"descent.replacement": False, "dataset.validation": "grid"}
"""What runs of earlier versions meant, which had not these keys."""
LONGEST = 24
"""Characters of a value in a table."""


def differing(directories: list[Path]) -> list[Settings]:
    """Of each run the keys that do not have the same value in all of them, those that matter most first.

    Keys that only some kinds have (``betas`` of adam) are left out where the kind says it all. A run whose config.yaml
    cannot be read has none.
    """
    if len(directories) < 2:
        return [{} for _ in directories]
    all_settings = [_read(directory) for directory in directories]
    readable = [settings for settings in all_settings if settings]
    keys = [key for key in dict.fromkeys(key for one in readable for key in one) if _differs(key, readable)]
    kinds = {key.removesuffix("kind") for key in keys if key.endswith(".kind")}
    keys = [key for key in keys if not _follows_from_kind(key, kinds, readable)]
    keys.sort(key=lambda key: _rank(key, readable))
    return [{key: settings[key] for key in keys if key in settings} for settings in all_settings]


def _read(directory: Path) -> Settings:
    try:
        settings = _flat(as_values(read_file(directory / CONFIG).root), "")
    except ConfigError:
        return {}
    return {**MEANT, **settings} if settings else {}


def _flat(value: Any, key: str) -> Settings:
    if key.removesuffix(".") in NOT_COMPARED:
        return {}
    if not isinstance(value, dict):
        return {key.removesuffix("."): value} if key else {}
    return {name: inner for part, item in value.items() for name, inner in _flat(item, f"{key}{part}.").items()}


def _differs(key: str, readable: list[Settings]) -> bool:
    return len({repr(settings.get(key)) for settings in readable}) > 1


def _follows_from_kind(key: str, kinds: set[str], readable: list[Settings]) -> bool:
    if key.endswith(".kind") or not any(key.startswith(section) for section in kinds):
        return False
    return len({repr(settings[key]) for settings in readable if key in settings}) == 1


def _rank(key: str, readable: list[Settings]) -> tuple[bool, int]:
    """Keys of most runs first, and of those what is mostly varied: the network, then how it is trained."""
    rare = 2 * sum(key in settings for settings in readable) < len(readable)
    return rare, next(rank for rank, beginning in enumerate(FIRST) if key.startswith(beginning))


def headings(keys: list[str], taken: tuple[str, ...] = ()) -> dict[str, str]:
    """Key -> its last word, or as many as tell it from the others and from ``taken``; of a ``kind`` the section's."""
    parts = {key: key.removesuffix(".kind").split(".") for key in keys}

    def short(key: str) -> str:
        for count in range(1, len(parts[key])):
            ending = parts[key][-count:]
            if ".".join(ending) not in taken and sum(other[-count:] == ending for other in parts.values()) == 1:
                return ".".join(ending)
        return ".".join(parts[key])

    return {key: short(key) for key in keys}


def cell(settings: Mapping[str, Any], key: str) -> str:
    """A setting as text that fits into a table; nothing where the run has no such key."""
    value = settings.get(key)
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = " ".join(plain(str(value)).replace("'", "").split())
    if key.endswith("path"):
        return text if len(text) <= LONGEST else f"...{text[3 - LONGEST :]}"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
