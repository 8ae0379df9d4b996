"""Overrides: ``descent.learning_rate=0.01`` laid over a config's nodes before it is checked."""

from __future__ import annotations

from collections.abc import Sequence

from nnintro.config.parse.nodes import Entry, Finding, Keys, Node, Place, child
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
    keys: Keys = tuple(part.strip() for part in key.split("."))
    if not equals or not all(keys):
        wanted = "KEY=VALUE, such as descent.learning_rate=0.01"
        return [Finding(place, (), f"expected {wanted}, got {text!r}")]
    try:
        source = read_text(value, place, located=False)
    except ConfigError as error:
        return [Finding(place, keys, problem.message) for problem in error.problems]
    findings = [Finding(place, keys + f.keys, f.message) for f in source.findings]
    if isinstance(root.content, dict):  # otherwise that is what is reported
        complaint = _lay(root, keys, source.root, place)
        findings += [Finding(place, keys, complaint)] if complaint else []
    return findings


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
