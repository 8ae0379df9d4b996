"""A YAML file or dict, with overrides, to an Experiment; every problem, located, in one go."""

from __future__ import annotations

import contextlib
import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from nnintro.config import problems as words
from nnintro.config.experiment import Experiment, resolve
from nnintro.config.override import apply_overrides
from nnintro.config.rules import RULES
from nnintro.config.source import Entry, Node, Place, Source, from_python, plain, read_file
from nnintro.errors import ConfigError, Problem

Keys = tuple[str | int, ...]


@dataclass(frozen=True)
class Config:
    """A valid experiment, and where each of its keys was written."""

    experiment: Experiment
    source: Source

    @contextlib.contextmanager
    def locating(self) -> Iterator[None]:
        """Give problems found later (a missing device, say) the place of their key."""
        try:
            yield
        except ConfigError as error:
            raise ConfigError(map(self._located, error.problems)) from error.__cause__

    def _located(self, problem: Problem) -> Problem:
        if problem.file is not None or not problem.path:
            return problem
        keys = split_path(problem.path)
        return self.source.find(keys).problem(problem.message, problem.path)


def load_config(
    config: str | Path | Mapping[str, Any],
    overrides: Sequence[str] = (),
    name: str | None = None,
) -> Config:
    """Read and check a config.

    Args:
        config: path of a YAML file, or the same content as a mapping.
        overrides: ``descent.learning_rate=0.01`` and the like, values read as YAML.
        name: the run's name, in place of the one in the config.

    Raises:
        ConfigError: with all problems, in the order of the file.
    """
    source, stem = _read(config)
    source.problems.extend(apply_overrides(source.root, overrides))
    if name is not None and isinstance(source.root.content, dict):
        place = Place("--name")
        source.root.content["name"] = Entry(place, Node(name, place))
    experiment, problems = _validate(source, stem)
    problems = [*source.problems, *problems]
    if problems or experiment is None:
        raise ConfigError(_in_order(problems))
    return Config(resolve(experiment), source)


def _read(config: str | Path | Mapping[str, Any]) -> tuple[Source, str]:
    if isinstance(config, Mapping):
        return Source(from_python(dict(config))), "run"
    path = Path(config)
    return read_file(path), name_from(path)


def name_from(path: Path) -> str:
    """A run name from a file's name: its stem, with what a folder name should not hold as '-'."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", path.stem).lstrip("._-")[:100]
    return name or "run"


def split_path(path: str) -> Keys:
    """``a.b.0`` -> ('a', 'b', 0); a metric's own name may follow stop_when as it is."""
    return tuple(int(key) if key.isdigit() else key for key in path.split("."))


def _in_order(problems: list[Problem]) -> list[Problem]:
    """In the order of the file; overrides behind it, in their own."""
    unique = list(dict.fromkeys(problems))
    return sorted(unique, key=lambda p: (p.line is None, p.line or 0, p.column or 0))


def _validate(source: Source, name: str) -> tuple[Experiment | None, list[Problem]]:
    if source.root.content is None:
        return None, [source.root.place.problem("the config is empty")]
    if not isinstance(source.root.content, dict):
        return None, [source.root.place.problem("expected a mapping of sections at the top")]
    values = plain(source.root)
    values.setdefault("name", name)
    try:
        experiment = Experiment.model_validate(values)
        return experiment, _broken_rules(experiment, source, set())
    except ValidationError as error:
        found = _Diagnosis(source, values)
        for details in error.errors():
            found.add(details)
        with contextlib.suppress(ValidationError):
            # Mended by our own suggestions, the rest may still be checked against the rules.
            mended = Experiment.model_validate(found.mended)
            found.problems += _broken_rules(mended, source, found.broken)
        return None, found.problems


def _broken_rules(experiment: Experiment, source: Source, broken: set[str]) -> list[Problem]:
    problems = []
    for rule in RULES:
        if any(_overlap(need, path) for need in rule.needs for path in broken):
            continue
        for path, message in rule.check(experiment):
            keys = _tag_keys(path)
            problems.append(source.find(keys).problem(message, path))
    return problems


def _tag_keys(path: str) -> Keys:
    head, marker, tag = path.partition("stop_when.")
    return (*split_path((head + marker).rstrip(".")), tag) if tag else split_path(path)


def _overlap(one: str, other: str) -> bool:
    return f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}.")


class _Diagnosis:
    """Turns pydantic's errors into located problems, and mends a copy of the values."""

    def __init__(self, source: Source, values: dict[str, Any]) -> None:
        self.source = source
        self.mended = copy.deepcopy(values)
        self.problems: list[Problem] = []
        self.broken: set[str] = set()
        self.suggested: set[str] = set()

    def add(self, error: ErrorDetails) -> None:
        keys = self._keys(error["loc"])
        path = ".".join(map(str, keys))
        if error["type"] == "extra_forbidden":
            self._unknown_key(error["loc"], keys, path)
        elif error["type"] == "union_tag_not_found" and self._misspelt_kind(keys, path):
            return
        elif error["type"] == "missing" and self._misspelt(keys):
            return
        else:
            if error["type"] == "union_tag_invalid":
                keys = (*keys, "kind") if self._has_kind(keys) else keys
                path = ".".join(map(str, keys))
            self._report(keys, path, self._message(error, path, keys))
            self.broken.add(path)
            _remove(self.mended, keys)

    def _message(self, error: ErrorDetails, path: str, keys: Keys) -> str:
        if error["type"] == "union_tag_not_found":
            models = words.models_at(Experiment, error["loc"])
            kinds = [kind for kind in map(words.kind_of, models) if kind]
            if not isinstance(error["input"], dict):
                return f"expected a mapping with a kind, got {words.shown(error['input'])}"
            return f"required key 'kind' is missing; expected {words.listing(kinds)}"
        return words.message(error, path)

    def _report(self, keys: Keys, path: str, message: str, *, of_key: bool = False) -> None:
        self.problems.append(self.source.find(keys, of_key=of_key).problem(message, path))

    def _unknown_key(self, location: Keys, keys: Keys, path: str) -> None:
        key = str(keys[-1])
        candidates = self._candidates(location[:-1], keys[:-1])
        text = words.unknown_key(key, candidates, words.homes(Experiment))
        self._report(keys, path, text, of_key=True)
        value = _remove(self.mended, keys)
        close = words.nearest(key, candidates)
        if close is None:
            self.broken.add(path)
        else:
            _get(self.mended, keys[:-1])[close] = value

    def _candidates(self, location: Keys, keys: Keys) -> list[str]:
        """Keys the section has and the user has not written."""
        present = _get(self._values, keys)
        names = [n for model in words.models_at(Experiment, location) for n in model.model_fields]
        return [name for name in dict.fromkeys(names) if name not in present]

    @property
    def _values(self) -> Any:
        return plain(self.source.root)

    def _misspelt(self, keys: Keys) -> bool:
        """Whether a missing key stands there under a name that will be told as a misspelling."""
        siblings = _get(self._values, keys[:-1])
        wanted = str(keys[-1])
        for key in siblings if isinstance(siblings, dict) else ():
            if words.nearest(str(key), [wanted]) and not self._known(keys[:-1], str(key)):
                return True
        return False

    def _known(self, keys: Keys, key: str) -> bool:
        return any(key in model.model_fields for model in words.models_at(Experiment, keys))

    def _misspelt_kind(self, keys: Keys, path: str) -> bool:
        section = _get(self._values, keys)
        if not isinstance(section, dict):
            return False
        for key in section:
            if words.nearest(key, ["kind"]) and not self._known(keys, key):
                message = "unknown key; did you mean 'kind'?"
                self._report((*keys, key), f"{path}.{key}", message, of_key=True)
                return True
        return False

    def _has_kind(self, keys: Keys) -> bool:
        section = _get(self._values, keys)
        return isinstance(section, dict) and "kind" in section

    def _keys(self, location: Keys) -> Keys:
        """pydantic's location without the union tags it puts between the keys."""
        node: Node | None = self.source.root
        keys: list[str | int] = []
        for position, part in enumerate(location):
            content = node.content if node is not None else None
            if isinstance(content, dict) and part in content:
                node = content[part].value
            elif isinstance(content, list) and isinstance(part, int) and part < len(content):
                node = content[part]
            elif self._is_tag(location[:position], part):
                continue
            else:
                node = None
            keys.append(part)
        return tuple(keys)

    def _is_tag(self, before: Keys, part: str | int) -> bool:
        if part in ("one", "list"):
            return True
        return any(words.kind_of(model) == part for model in words.models_at(Experiment, before))


def _get(values: Any, keys: Keys) -> Any:
    for key in keys:
        try:
            values = values[key]
        except (KeyError, IndexError, TypeError):
            return {}
    return values


def _remove(values: Any, keys: Keys) -> Any:
    """Take a key out; a list that loses an item is taken out whole (its length means something)."""
    for depth, key in enumerate(keys):
        if isinstance(key, int):
            return _remove(values, keys[:depth]) if depth else None
    parent = _get(values, keys[:-1])
    return parent.pop(keys[-1], None) if isinstance(parent, dict) and keys else None
