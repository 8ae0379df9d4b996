"""What a column of a table becomes: numbers, 0/1 for each category, or counts of hashed words."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, cast

from nnintro.datasets.tables.cells import Reading

MISSING_CATEGORY = "(missing)"


@dataclass(frozen=True)
class Number:
    """One input, and a 0/1 input behind it that says where the value was missing."""

    name: str
    reading: Reading = "number"
    mean: float = 0.0
    """Of the training rows; what stands in place of a missing value."""
    flagged: bool = False
    kind: Literal["number"] = "number"

    @property
    def features(self) -> list[str]:
        return [self.name, *([f"{self.name} missing"] if self.flagged else [])]


@dataclass(frozen=True)
class Category:
    """One input for each value: 1 where the row has it, else 0 (one-hot)."""

    name: str
    values: tuple[str, ...]
    missing: bool = False
    """Whether a missing value is a category of its own, behind the others."""
    kind: Literal["category"] = "category"

    @property
    def features(self) -> list[str]:
        values = [*self.values, *([MISSING_CATEGORY] if self.missing else [])]
        return [f"{self.name}={value}" for value in values]


@dataclass(frozen=True)
class Words:
    """A hashed bag of words: how often each word occurs, scaled to a vector of length 1.

    scikit-learn's HashingVectorizer: words of two or more letters, in lower case; word w counts at
    input hash(w) mod ``width``, always upwards (alternate_sign=False), so that input k is a count.
    """

    name: str
    width: int
    kind: Literal["words"] = "words"

    @property
    def features(self) -> list[str]:
        return [f"{self.name}#{index}" for index in range(self.width)]


Column = Number | Category | Words


@dataclass(frozen=True)
class NumberTarget:
    """A quantity to predict, in its own units."""

    name: str
    reading: Reading = "number"
    kind: Literal["number"] = "number"


@dataclass(frozen=True)
class ClassTarget:
    """A class to predict; ``classes`` in the order of their numbers."""

    name: str
    classes: tuple[str, ...]
    kind: Literal["class"] = "class"


Target = NumberTarget | ClassTarget


@dataclass(frozen=True)
class Window:
    """Consecutive rows that make one sample, and how far ahead of the last its target is."""

    rows: int
    horizon: int
    order: Number | None = None
    """The column of the time, which has to be in rising order."""


def as_json(thing: Column | Target | Window) -> dict[str, Any]:
    """Plain values that ``column_from`` and the like read."""
    values = asdict(thing)
    return {
        key: list(value) if isinstance(value, tuple) else value for key, value in values.items()
    }


def column_from(values: dict[str, Any]) -> Column:
    """The column of a description."""
    if values["kind"] == "number":
        return Number(**values)
    if values["kind"] == "category":
        return Category(values["name"], tuple(values["values"]), values["missing"])
    return Words(values["name"], values["width"])


def target_from(values: dict[str, Any]) -> Target:
    """The target of a description."""
    if values["kind"] == "number":
        return NumberTarget(values["name"], cast(Reading, values["reading"]))
    return ClassTarget(values["name"], tuple(values["classes"]))


def window_from(values: dict[str, Any] | None) -> Window | None:
    """The window of a description."""
    if values is None:
        return None
    order = values["order"]
    return Window(values["rows"], values["horizon"], Number(**order) if order else None)
