"""Single-edit typos of every key: the right one is suggested nearly always."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from nnintro.config.datasets import function
from nnintro.config.experiment import Experiment
from nnintro.config.load import load_config
from nnintro.config.parse.vocabulary import Slot, fields_of, kind_of, slot_at, slots
from nnintro.errors import ConfigError

LETTERS = "abcdefghijklmnopqrstuvwxyz_"


def edits(word: str, rng: random.Random) -> Iterator[str]:
    """Every deletion and transposition; insertions and substitutions of three letters each."""
    for i in range(len(word)):
        yield word[:i] + word[i + 1 :]
        yield word[:i] + word[i + 1 : i + 2] + word[i] + word[i + 2 :]
        for letter in rng.sample(LETTERS, 3):
            yield word[:i] + letter + word[i:]
            yield word[:i] + letter + word[i + 1 :]
    yield from (word + letter for letter in rng.sample(LETTERS, 3))


def contexts() -> Iterator[tuple[tuple[str | int, ...], type, str]]:
    """Every key of every section of every kind, with the place of the section."""
    for at, slot in slots():
        for section in slot.sections:
            # Of the function's dataset, in which the sections are put, this key is no section.
            if at[:2] != ("dataset", "validation"):
                for key in fields_of(section):
                    yield at, section, key


def config_with(at: tuple[str | int, ...], section: type, key: str, typo: str) -> dict:
    """The smallest config with that section in it, its key misspelt."""
    config = {"dataset": {"kind": "function", "formula": "x"}, "model": {"kind": "mlp"}}
    here = config
    for depth, part in enumerate(at):
        if part == 0:
            continue  # the one item of the list above
        if slot_at(at[:depth]).named_items:
            here = here.setdefault(part, {})
            continue
        owner = next(s for s in slot_at(at[:depth]).sections if part in fields_of(s))
        if kind := kind_of(owner):
            here["kind"] = kind
        inner = here.setdefault(part, {})
        if at[depth + 1 : depth + 2] == (0,):
            here[part] = [inner]
        here = inner
    if section is not Experiment:
        here.clear()
    if kind := kind_of(section):
        here["kind"] = kind
    if "formula" in section.model_fields:
        here["formula"] = "x"
    here[typo] = here.pop(key, 1)
    return config


def suggestion(config: dict, path: str) -> str | None:
    """What the message about ``path`` proposes."""
    with pytest.raises(ConfigError) as caught:
        load_config(config)
    told = [problem for problem in caught.value.problems if problem.path == path]
    assert len(told) == 1, str(caught.value)
    _, found, name = told[0].message.partition("unknown key; did you mean '")
    return name.removesuffix("'?") if found else None


def test_suggestions(monkeypatch):
    monkeypatch.setattr(function, "MOST_PROBES", 3)
    rng = random.Random(0)
    right = wrong = 0
    places = list(contexts())
    for at, section, key in places:
        here: Slot = slot_at(at)
        for typo in sorted({*edits(key, rng)} - {*here.keys, ""}):
            config = config_with(at, section, key, typo)
            found = suggestion(config, ".".join([*map(str, at), typo]))
            right, wrong = right + (found == key), wrong + (found != key)
    rate = right / (right + wrong)
    print(f"{right + wrong} typos of {len(places)} keys, right: {rate:.1%}")
    assert len(places) >= 95
    assert right + wrong > 5000
    assert rate >= 0.98
