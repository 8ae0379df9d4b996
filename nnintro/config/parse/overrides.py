"""Overrides: ``descent.learning_rate=0.01`` laid over a config's nodes before it is checked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from nnintro.config.parse.nodes import Entry, Finding, Keys, Node, Place, Source, child, scalar
from nnintro.config.parse.python import from_python
from nnintro.config.parse.yaml_text import read_text
from nnintro.errors import ConfigError

RIVALS = {("training", "steps"): "epochs", ("training", "epochs"): "steps"}
"""Setting the one takes the other out: the newer word counts."""
BEHIND_ALL = 10**9
"""The rank of overrides and options among places: behind everything that a config says."""


def apply_overrides(root: Node, overrides: Sequence[str]) -> list[Finding]:
    """Change ``root`` in place; what cannot be laid over it comes back as findings."""
    return [
        finding
        for index, text in enumerate(overrides, start=1)
        for finding in _apply(root, text, Place(f"--set:{index}", rank=BEHIND_ALL + index))
    ]


def _apply(root: Node, text: str, place: Place) -> list[Finding]:
    key, equals, value = text.partition("=")
    keys = parts_of(key)
    if not equals or not all(keys):
        wanted = "KEY=VALUE, such as descent.learning_rate=0.01"
        return [Finding(place, (), f"expected {wanted}, got {text!r}")]
    try:
        source = read_text(value, place, located=False)
    except ConfigError as error:
        return [Finding(place, keys, problem.message) for problem in error.problems]
    findings = [Finding(place, keys + f.keys, f.message) for f in source.findings]
    if isinstance(root.content, dict):  # otherwise that is what is reported
        findings += lay(root, keys, source.root, place)
    return findings


def parts_of(key: str) -> Keys:
    """``descent.learning_rate`` as its parts."""
    return tuple(part.strip() for part in key.split("."))


def lay(root: Node, keys: Keys, value: Node, place: Place) -> list[Finding]:
    """Put a value under a key, in place; what is wrong with that."""
    complaint = _lay(root, keys, value, place)
    return [Finding(place, keys, complaint)] if complaint else []


def lay_value(root: Node, key: str, value: Any) -> list[Finding]:
    """The same with a value from Python."""
    return _lay_python(root, parts_of(key), value)


def _lay_python(root: Node, keys: Keys, value: Any) -> list[Finding]:
    tree = from_python({"value": value})
    findings = [Finding(finding.place, (*keys, *finding.keys[1:]), finding.message) for finding in tree.findings]
    return [*findings, *lay(root, keys, tree.root.content["value"].value, tree.root.place)]


def apply_sweep(root: Node, over: Sequence[str] | Mapping[str, Any], settings: Mapping[str, Any]) -> list[Finding]:
    """Lay keys and settings of a sweep over the sweep section of ``root``, in place.

    Args:
        over: ``KEY=a,b,c``, ``KEY=1e-4..1`` and ``KEY=log:1e-4..1``; values are read as YAML, so that a comma within
            brackets belongs to the value.  Or key -> values, from Python.
        settings: key of the section -> its value; None leaves it as it is.
    """
    findings: list[Finding] = []
    for index, text in enumerate(_texts(over), start=1):
        findings += _over(root, text, Place(f"--over:{index}", rank=2 * BEHIND_ALL + index))
    for key, value in over.items() if isinstance(over, Mapping) else ():
        if not isinstance(value, str) and isinstance(root.content, dict):
            findings += _lay_python(root, ("sweep", "over", key), value)
    for rank, (key, value) in enumerate(settings.items()):
        place = Place(f"--{key.replace('_', '-')}", rank=3 * BEHIND_ALL + rank)
        if value is not None and isinstance(root.content, dict):
            findings += lay(root, ("sweep", key), Node(value, place), place)
    return findings


def _texts(over: Sequence[str] | Mapping[str, Any]) -> list[str]:
    if isinstance(over, Mapping):
        return [f"{key}={value}" for key, value in over.items() if isinstance(value, str)]
    return list(over)


def _over(root: Node, text: str, place: Place) -> list[Finding]:
    key, equals, values = text.partition("=")
    if not equals or not all(parts_of(key)):
        wanted = "KEY=VALUES, such as descent.learning_rate=log:1e-4..1 or model.hidden=[8],[16]"
        return [Finding(place, (), f"expected {wanted}, got {text!r}")]
    keys: Keys = ("sweep", "over", ".".join(map(str, parts_of(key))))
    span = _RANGE.fullmatch(values.strip())
    try:
        source = Source(_range(span, place)) if span else read_text(f"[{values}]", place, located=False)
    except ConfigError as error:
        return [Finding(place, keys, problem.message) for problem in error.problems]
    findings = [Finding(place, keys, f.message) for f in source.findings]
    return [*findings, *lay(root, keys, source.root, place)] if isinstance(root.content, dict) else findings


_NUMBER = r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*?)?)(?:[eE][-+]?[0-9]+)?"
_RANGE = re.compile(rf"(?P<log>log:)?\s*(?P<low>{_NUMBER})\s*\.\.\s*(?P<high>{_NUMBER})")


def _range(span: re.Match[str], place: Place) -> Node:
    values = {"low": scalar(span["low"]), "high": scalar(span["high"]), "log": span["log"] is not None}
    return Node({key: Entry(place, Node(value, place)) for key, value in values.items()}, place)


def _lay(root: Node, keys: Keys, value: Node, place: Place) -> str | None:
    """Put ``value`` under ``keys``; returns what is wrong with that, if anything."""
    node = root
    for key in keys[:-1]:
        below = child(node, key)
        if below is None and isinstance(node.content, list):
            return _no_item(node, key)
        if below is None:
            below = Node({}, place)
            node.content[key] = Entry(place, below)
        _open(below, place)
        node = below
    last = keys[-1]
    if isinstance(node.content, dict):
        node.content[last] = Entry(place, value)
    elif child(node, last) is None:
        return _no_item(node, last)
    else:
        node.content[int(last)] = value
    if keys in RIVALS and value.content is not None:
        node.content.pop(RIVALS[keys], None)
    return None


def _open(node: Node, place: Place) -> None:
    """Replace what is not a mapping by one, so that a key can be laid into it."""
    if isinstance(node.content, str):
        # `optimizer: sgd` and `--set descent.optimizer.momentum=0.9`: the name is the kind.
        node.content = {"kind": Entry(node.place, Node(node.content, node.place))}
    elif not isinstance(node.content, dict | list):
        node.content, node.place = {}, place


def _no_item(node: Node, key: str | int) -> str:
    count = len(node.content)
    return f"there is no item '{key}'; the list has {count}, counted from 0"
