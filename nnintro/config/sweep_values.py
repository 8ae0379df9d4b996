"""Try every value of a sweep through the rules of the whole config, before anything is trained."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from nnintro.config.experiment import Experiment
from nnintro.config.parse.diagnosis import Diagnosis
from nnintro.config.parse.nodes import Finding, Keys, Node, Place, copied, descend, dotted, plain
from nnintro.config.parse.overrides import lay, parts_of
from nnintro.config.parse.vocabulary import walk
from nnintro.config.rules import broken_rules
from nnintro.config.sweep import Range, Sweep
from nnintro.wording import shown

WHOLE = ("int_type", "int_from_float")
"""pydantic's words for a number that is not a whole one."""
OF_NUMBERS = (
    *WHOLE, "value_error", "greater_than", "greater_than_equal", "less_than", "less_than_equal", "finite_number",
)  # fmt: skip
"""What pydantic says of a number under a key that takes numbers."""


@dataclass(frozen=True)
class _Key:
    """A key of a sweep: its place there, and the values to try."""

    keys: Keys
    place: Place
    values: list[Node]


def diagnosed(root: Node, laid_over: Collection[Keys] = ()) -> tuple[Experiment | None, list[Finding]]:
    """The experiment that a tree describes, as far as that is clear, and everything that is wrong with it."""
    diagnosis = Diagnosis(root, laid_over)
    experiment = diagnosis.experiment()
    findings = diagnosis.findings
    if experiment is not None:
        findings = [*findings, *broken_rules(experiment, diagnosis.root, diagnosis.broken)]
    return experiment, findings


def try_values(config: Node, sweep: Sweep, refused: Collection[str]) -> tuple[frozenset[str], list[Finding]]:
    """Try every listed value and both ends of every range.

    A value that does not go with the config alone is tried beside the first values of the other keys, as ``betas``
    may need the optimizer that another key of the sweep sets.

    Args:
        config: a config's tree, in which nothing is wrong but in the sweep section.
        sweep: that section, as far as it is clear.
        refused: keys of it that are wrong already.

    Returns:
        The ranges' keys that take whole numbers, and all problems, each at its place in the sweep.
    """
    root = copied(config)
    over = descend(root, ("sweep", "over"))
    assert over is not None
    del root.content["sweep"]
    entries = {key: over.content[key] for key in sweep.over if key in over.content and key not in refused}
    whole: set[str] = set()
    findings: list[Finding] = []
    tried: dict[str, _Key] = {}
    for key, entry in entries.items():
        values, keys, place, node = sweep.over[key], parts_of(key), entry.place, entry.value
        if isinstance(values, Range):
            takes = _what_it_takes(root, keys, place, values)
            whole |= {key} if takes == "whole" else set()
            findings += _misfit(takes, values, place, key)
            ends = [] if takes == "words" else [values.low, values.high]
            if takes == "whole":
                ends = [int(end) for end in ends if end == int(end)]
            tried[key] = _Key(keys, place, [Node(end, node.place) for end in ends])
        else:
            tried[key] = _Key(keys, place, node.content)
    findings += [finding for key in tried for finding in _refused(root, key, tried)]
    return frozenset(whole), findings


def _misfit(takes: str, values: Range, place: Place, key: str) -> Iterator[Finding]:
    keys: Keys = ("sweep", "over", key)
    if takes == "words":
        yield Finding(place, keys, "a range is of numbers, and this key does not take any number; list its values")
    elif takes == "whole":
        for name, end in (("low", values.low), ("high", values.high)):
            if end != int(end):
                yield Finding(place, keys, f"{name}: expected a whole number, got {shown(end)}")


def _what_it_takes(root: Node, keys: Keys, place: Place, span: Range) -> str:
    """``whole`` numbers, ``numbers``, or ``words``: by what a number between the ends is answered with."""
    between = span.low + (span.high - span.low) * 0.618
    tree, _ = _with(root, {keys: Node(between if between % 1 else between + 0.5, place)}, {keys: place})
    try:
        Experiment.model_validate(plain(tree))
    except ValidationError as failure:
        wanted = tuple(map(str, keys))
        own = [e["type"] for e in failure.errors(include_url=False) if tuple(map(str, walk(e["loc"])[0])) == wanted]
        if any(kind in WHOLE for kind in own):
            return "whole"
        return "words" if any(kind not in (*OF_NUMBERS, "extra_forbidden") for kind in own) else "numbers"
    return "numbers"


def _refused(root: Node, key: str, tried: Mapping[str, _Key]) -> Iterator[Finding]:
    """What is wrong with each value of a key."""
    own = tried[key]
    others = {k.keys: k.values[0] for name, k in tried.items() if name != key and k.values}
    places = {k.keys: k.place for k in tried.values()}
    for value in own.values:
        found = _findings(root, {own.keys: value}, places)
        if found and others and not _findings(root, {**others, own.keys: value}, places):
            continue
        of_sweep = {own.place, *_places(value)}
        for finding in found:
            if finding.place in of_sweep:
                yield finding
            else:  # it breaks a rule of another key
                told = f"with {shown(plain(value))}: {dotted(finding.keys)}: {finding.message}"
                yield Finding(value.place, ("sweep", "over", key), told)


def _findings(root: Node, values: Mapping[Keys, Node], places: Mapping[Keys, Place]) -> list[Finding]:
    tree, findings = _with(root, values, places)
    return [*findings, *diagnosed(tree, values.keys())[1]]


def _with(root: Node, values: Mapping[Keys, Node], places: Mapping[Keys, Place]) -> tuple[Node, list[Finding]]:
    tree = copied(root)
    in_order = sorted(values, key=len)  # as ``with_values`` does
    findings = [f for keys in in_order for f in lay(tree, keys, copied(values[keys]), places[keys])]
    return tree, findings


def _places(node: Node) -> Iterator[Place]:
    yield node.place
    if isinstance(node.content, dict):
        for entry in node.content.values():
            yield entry.place
            yield from _places(entry.value)
    elif isinstance(node.content, list):
        for item in node.content:
            yield from _places(item)
