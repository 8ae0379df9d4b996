"""Reword pydantic's errors: what was expected, what was given, and the nearest valid name."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from pydantic_core import ErrorDetails

from nnintro.config.parse.nodes import Keys, dotted, scalar
from nnintro.config.parse.vocabulary import Slot, fields_of, homes, kind_of, named, options, slot_at, slots
from nnintro.wording import LONGEST, choice, listing, lookalike, nearest, shown

_WANTED = {
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "string_type": "a text",
    "string_unicode": "a text of valid characters",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "greater_than": "a number above {gt}",
    "greater_than_equal": "a number of at least {ge}",
    "less_than": "a number below {lt}",
    "less_than_equal": "a number of at most {le}",
    "too_short": "{min_length} or more entries",
    "too_long": "at most {max_length} entries",
    "string_too_short": "a text that is not empty",
    "string_too_long": "a text of at most {max_length} characters",
}

_PATTERNS = {
    "device": "auto, cpu, cuda or cuda:<index>",
    "name": "letters (of any alphabet), digits, '.', '_' and '-', the first a letter or digit",
    "logging.scalars": "auto, off or 'every N steps'",
    "training.checkpoint.every": "a time such as 30s, 5min or 1h, 'N steps', or off",
}

DASHES = str.maketrans(dict.fromkeys("\u2212\u2013\u2014\u2010\u2011", "-"))
"""What word processors write for a minus: the minus sign, dashes, hyphens."""
CLOSE = 0.8
"""A key this like another of its section is a misspelling, even if another section has it."""


def message(error: ErrorDetails, keys: Keys) -> str:
    """One sentence for a wrong value (kinds and unknown keys have functions of their own)."""
    kind, context, value = error["type"], error.get("ctx", {}), error["input"]
    if kind == "literal_error":
        names = expected_names(error)
        return choice(value, names) + (OF_SOFTMAX if _is_softmax(value, names) else "")
    if kind == "value_error":
        return str(context["error"])
    if kind == "string_pattern_mismatch":
        return _mismatch(dotted(keys), value)
    if kind not in _WANTED:
        return f"{error['msg']}, got {shown(value)}"
    limits = {name: _limit(limit) for name, limit in context.items()}
    wanted = f"expected {_WANTED[kind].format(**limits)}, got {shown(value)}"
    hint = _hint(kind, value)
    return f"{wanted}; {hint}" if hint else wanted


def _mismatch(path: str, value: str) -> str:
    text = f"expected {_PATTERNS[path]}, got {shown(value)}"
    close = nearest(value, ("auto", "cpu", "cuda")) if path == "device" else None
    return f"{text}; did you mean '{close}'?" if close else text


OF_SOFTMAX = "; cross_entropy contains the softmax already, so the last layer needs none (output_activation: identity)"


def _is_softmax(value: Any, names: Container[str]) -> bool:
    """Whether an activation is asked for that makes probabilities, as other libraries want it behind the last layer."""
    return isinstance(value, str) and "identity" in names and "softmax" in value.lower().replace("_", "")


def wrong_kind(value: Any, slot: Slot) -> str:
    """For a kind that a section does not come in."""
    text = choice(value, slot.kinds)
    for section in slot.sections:
        for key in fields_of(section):
            if key != "kind" and value in options(Slot((section,)), key):
                return f"{text}; write kind: {kind_of(section)}, {key}: {value}"
    return text


def expected_names(error: ErrorDetails) -> list[str]:
    """The few names of which one was wanted, if that is what was wrong."""
    # pydantic writes 'a', 'b' or 'c'.
    names = str(error.get("ctx", {}).get("expected", "")).replace(" or ", ", ")
    return [name.strip(" '") for name in names.split(",")] if names else []


def missing(keys: Keys) -> str:
    """For a required key that is not there."""
    names = options(slot_at(keys[:-1]), str(keys[-1]))
    return "required key is missing" + (f"; expected {listing(names)}" if names else "")


def no_section(slot: Slot, value: Any) -> str:
    """For a value where a section is expected."""
    if slot.by_name:
        wanted = f"{', '.join(slot.kinds)}, or a mapping with a kind"
    elif slot.kinds:
        wanted = f"a mapping with a kind ({listing(slot.kinds)})"
    else:
        wanted = f"a mapping ({', '.join(slot.keys[:3])}...)"
    hint = f"; write {{kind: {value}}}" if value in slot.kinds else ""
    return f"expected {wanted}, got {shown(value)}{hint}"


def unknown_key(key: str, slot: Slot, family: Slot, present: Container[str]) -> tuple[str, str | None]:
    """For a key that a section does not have: the sentence, and the key that was meant if any.

    Args:
        key: as it was written.
        slot: the section it was written in.
        family: that section and those of the other kinds.
        present: the other keys written there.
    """
    free = [name for name in slot.keys if name not in present]
    meant = nearest(key, free, CLOSE)
    if meant is None and key in family.keys and slot.kinds:
        return f"unknown key for {slot.kinds[0]}; {_have(family.kinds_with(key))} it", None
    if meant is None and homes(key):
        return f"unknown key; it belongs in {listing(homes(key))}", None
    meant = meant or nearest(key, slot.keys)
    if meant in present:
        return f"unknown key; '{meant}' is already given", None
    if meant:
        return f"unknown key; did you mean '{meant}'?{lookalike(key)}", meant
    elsewhere = _elsewhere(key)
    if elsewhere:
        return f"unknown key; did you mean {elsewhere}?", None
    expected = f"; expected {listing(free)}" if free else ""
    if key.isdecimal() and "dataset" not in slot.keys:  # in a section: of 0,01 in braces the comma begins a new key
        expected = "; if it is part of a number, that is written with a point, such as 0.1"
    return f"unknown key{expected}", None


def _have(names: list[str]) -> str:
    return f"only {names[0]} has" if len(names) == 1 else f"{' and '.join(names)} have"


def _elsewhere(key: str) -> str | None:
    """A key very like this one in another section, or the key that a dotted one spells out."""
    *section, last = key.split(".")
    if section and last in slot_at(tuple(section)).keys:
        return f"'{last}' inside '{'.'.join(section)}'"
    names = {name: at for at, slot in slots() for name in slot.keys if at}
    close = nearest(key, names, CLOSE)
    return f"'{close}' in {named(names[close])}" if close else None


def _hint(kind: str, value: Any) -> str | None:
    """What to write instead, where what was written shows it."""
    if kind == "string_type" and isinstance(value, int | float) and not isinstance(value, bool):
        return f"put it in quotes: '{shown(value)}'"
    if kind == "bool_type" and isinstance(value, str):
        word = {"yes": "true", "on": "true", "no": "false", "off": "false"}
        meant = word.get(value.lower(), value.lower())
        return f"write {meant}" if meant in ("true", "false") else None
    if kind == "list_type" and isinstance(value, int | float | str):
        text = str(value)
        return f"write [{text}]" if len(text) <= LONGEST and text.isprintable() else None
    if kind == "int_type":
        return _whole(_number(value))
    number = _number(value) if kind == "float_type" else None
    return f"write {number}" if number is not None else None


def _whole(number: int | float | None) -> str | None:
    whole = number is not None and abs(number) < 1e15 and number == int(number)
    return f"write {int(number or 0)}" if whole else None


def _number(value: Any) -> int | float | None:
    """The number in ``'0.1'``, ``1_000``, ``0,5`` or ``20%``."""
    if isinstance(value, str) and len(value) <= 20:
        text = value.strip().replace("_", "").replace(",", ".").translate(DASHES)
        number = scalar(text.removesuffix("%"))
        if isinstance(number, int | float) and not isinstance(number, bool):
            return number / 100 if text.endswith("%") else number
        return None
    return value if isinstance(value, float) else None


def _limit(limit: Any) -> str:
    return f"{limit:.12g}" if isinstance(limit, float) else str(limit)
