"""Overrides: ``descent.learning_rate=0.01`` laid over a config's nodes before it is checked."""

from __future__ import annotations

from collections.abc import Sequence

from nnintro.config.source import Entry, Node, Place, read_text
from nnintro.errors import ConfigError, Problem

EXCLUSIVE = {"training.steps": "epochs", "training.epochs": "steps"}
"""Setting the one takes the other out of the file: the newer word counts."""


def apply_overrides(root: Node, overrides: Sequence[str]) -> list[Problem]:
    """Change ``root`` in place; what cannot be laid over it comes back as problems."""
    problems: list[Problem] = []
    set_here: set[str] = set()
    for index, text in enumerate(overrides, start=1):
        place = Place(f"--set:{index}")
        key, equals, value = text.partition("=")
        key = key.strip()
        if not equals or not key or not all(key.split(".")):
            problems.append(place.problem(f"expected KEY=VALUE, got {text!r}"))
            continue
        try:
            source = read_text(value, place.file, located=False)
        except ConfigError as error:
            problems += [place.problem(problem.message, key) for problem in error.problems]
            continue
        problems += [place.problem(problem.message, key) for problem in source.problems]
        if not isinstance(root.content, dict):
            continue  # the file's own problem is told instead
        rival = EXCLUSIVE.get(key)
        if rival is not None and f"training.{rival}" not in set_here:
            _discard(root, rival)
        set_here.add(key)
        problem = _lay(root, key.split("."), source.root, place)
        if problem:
            problems.append(place.problem(problem, key))
    return problems


def _discard(root: Node, key: str) -> None:
    training = root.content.get("training")
    if training is not None and isinstance(training.value.content, dict):
        training.value.content.pop(key, None)


def _lay(node: Node, keys: list[str], value: Node, place: Place) -> str | None:
    """Put ``value`` under ``keys``; returns what is wrong with that, if anything."""
    *above, last = keys
    for key in above:
        below = _child(node, key)
        if below is None:
            if not isinstance(node.content, dict):
                return f"there is no list item '{key}'"
            below = Node({}, place)
            node.content[key] = Entry(place, below)
        elif isinstance(below.content, str):
            # `optimizer: sgd` and `--set descent.optimizer.momentum=0.9`: the name is the kind.
            below.content = {"kind": Entry(below.place, Node(below.content, below.place))}
        elif not isinstance(below.content, dict | list):
            below.content, below.place = {}, place
        node = below
    if isinstance(node.content, list):
        if _child(node, last) is None:
            return f"there is no list item '{last}'; the list has {len(node.content)}"
        node.content[int(last)] = value
    else:
        node.content[last] = Entry(place, value)
    return None


def _child(node: Node, key: str) -> Node | None:
    if isinstance(node.content, dict):
        return node.content[key].value if key in node.content else None
    if isinstance(node.content, list) and key.isdecimal() and int(key) < len(node.content):
        return node.content[int(key)]
    return None
