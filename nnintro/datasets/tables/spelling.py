"""Read cells as a file spells them: decimal comma, thousands marks, currency signs, other words for no value."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from nnintro.config.datasets.table import TableDataset
from nnintro.config.task import STRICT
from nnintro.datasets.tables.cells import MISSING, Array, is_numeral, is_text
from nnintro.datasets.tables.files.places import Places

if TYPE_CHECKING:
    import pyarrow as pa

BLANKS, QUOTES = " \u00a0\u2009\u202f", "'\u2019"
"""What ``thousands: ' '`` and ``thousands: "'"`` stand for: marks that look alike."""
Absent = Annotated[tuple[str | float, ...], Field(fail_fast=True)]


@dataclass(frozen=True)
class Marks:
    """How numbers are written: ``1.234,50 kg``."""

    decimal: str = "."
    thousands: str = ""
    strip: tuple[str, ...] = ()

    @property
    def are_plain(self) -> bool:
        return self == Marks()

    @property
    def example(self) -> str:
        """A number written so."""
        return f"1{self.thousands}234{self.decimal}5"

    @functools.cached_property
    def pattern(self) -> str:
        """Of a cell without blanks around it, for Python's ``re`` and for RE2."""
        around = "|".join(map(re.escape, sorted(self.strip, key=len, reverse=True)))
        around = rf"(?:(?:{around})[\s{BLANKS}]*)*" if around else ""
        behind = rf"[\s{BLANKS}]*{around}" if around else ""
        whole = rf"[0-9]{{1,3}}(?:{self._marks}[0-9]{{3}})+|[0-9]+" if self.thousands else "[0-9]+"
        point = re.escape(self.decimal)
        return (
            rf"^{around}(?P<sign>[+-]?){around}(?:(?P<whole>{whole})(?P<rest>{point}[0-9]*)?|(?P<half>{point}[0-9]+))"
            rf"(?P<power>[eE][+-]?[0-9]+)?{behind}$"
        )

    @property
    def _marks(self) -> str:
        """The thousands mark, and those that look like it."""
        alike = next((marks for marks in (BLANKS, QUOTES) if self.thousands in marks), self.thousands)
        return f"[{re.escape(alike)}]"

    def numeral(self, cell: str) -> str | None:
        """The number as Python writes it; None if the cell is not a number."""
        if self.are_plain:
            return cell.strip() if is_numeral(cell) else None
        if (found := re.fullmatch(self.pattern, cell.strip())) is None:
            return None
        sign, whole, rest, half, power = (found[name] or "" for name in PARTS)
        digits = re.sub(self._marks, "", whole) if self.thousands else whole
        return sign + digits + (rest + half).replace(self.decimal, ".") + power

    def numerals(self, cells: pa.ChunkedArray) -> tuple[pa.ChunkedArray, Array]:
        """Texts as Python writes their numbers, null where there is no value; and (rows,) which are not numbers."""
        import pyarrow as pa
        import pyarrow.compute as pc

        trimmed = pc.utf8_trim_whitespace(cells.cast(pa.large_string()))
        trimmed = pc.if_else(pc.is_in(trimmed, value_set=pa.array(sorted(MISSING), pa.large_string())), None, trimmed)
        parts = pc.extract_regex(trimmed, self.pattern)
        bad = pc.and_(trimmed.is_valid(), pc.is_null(parts)).to_numpy()
        if not len(bad) or bad.all():
            return trimmed, bad
        sign, whole, rest, half, power = (pc.struct_field(parts, PARTS.index(name)) for name in PARTS)
        if self.thousands:
            whole = pc.replace_substring_regex(whole, self._marks, "")
        fraction = (pc.replace_substring(part, self.decimal, ".") for part in (rest, half))
        return pc.binary_join_element_wise(sign, whole, *fraction, power, pa.scalar("", pa.large_string())), bad


PARTS = ("sign", "whole", "rest", "half", "power")


@dataclass(frozen=True)
class Spelling:
    """What a section says of the cells of its files; part of data.json."""

    __pydantic_config__ = STRICT

    decimal: dict[str, Literal[".", ","]] = field(default_factory=dict)
    """Column -> its decimal mark; '' is every other column. So it is with the others."""
    thousands: dict[str, str] = field(default_factory=dict)
    strip: tuple[str, ...] = ()
    missing: dict[str, Absent] = field(default_factory=dict)

    @classmethod
    def of(cls, dataset: TableDataset) -> Spelling:
        """What the section says."""
        return cls(
            _by_column(dataset.decimal), _by_column(dataset.thousands), tuple(dataset.strip),
            {name: tuple(words) for name, words in _by_column(dataset.missing_values).items()},
        )  # fmt: skip

    @property
    def is_plain(self) -> bool:
        return self == Spelling()

    @property
    def has_marks(self) -> bool:
        """Whether numbers are written in a way of their own."""
        return bool(self.decimal or self.thousands or self.strip)

    def as_json(self) -> dict[str, Any]:
        missing = {name: list(words) for name, words in self.missing.items()}
        return {**vars(self), "strip": list(self.strip), "missing": missing}

    def marks(self, name: str) -> Marks:
        """How a column's numbers are written."""
        decimal, thousands = (of.get(name, of.get("", "")) for of in (self.decimal, self.thousands))
        decimal = decimal or "."
        # What all columns have gives way to what one column says.
        return Marks(decimal, "" if thousands == decimal else thousands, self.strip)

    def known(self, cells: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
        """A column's cells without those that stand for no value."""
        words = (*self.missing.get("", ()), *self.missing.get(name, ()))
        return _without(cells, words, self.marks(name)) if words else cells

    def numerals(self, cells: pa.ChunkedArray, name: str, places: Places) -> pa.ChunkedArray:
        """The cells of a column of numbers as Python writes them.

        Raises:
            DataError: one is not a number as the column's are written.
        """
        marks = self.marks(name)
        if marks.are_plain or not is_text(cells.type):
            return cells
        numerals, bad = marks.numerals(cells)
        if bad.any():
            row = int(bad.argmax())
            raise places.refusal(row, name, f"a number such as {marks.example}", cells[row].as_py())
        return numerals


def _by_column(value: Any) -> dict[str, Any]:
    """A key's value for each column, or for all, which is ''."""
    if isinstance(value, Mapping):
        return dict(value)
    return {} if value is None or value == [] else {"": value}


def _without(cells: pa.ChunkedArray, words: tuple[str | float, ...], marks: Marks) -> pa.ChunkedArray:
    """The cells, null where they are one of the words or the same number as one."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import types

    numbers = {float(word) for word in words if not isinstance(word, str) or is_numeral(word)}
    if types.is_dictionary(cells.type):
        cells = cells.cast(cells.type.value_type)
    if is_text(cells.type):
        texts = {word.strip() for word in words if isinstance(word, str)}
        trimmed = pc.utf8_trim_whitespace(cells)
        gone = [word for word in pc.unique(trimmed).to_pylist() if word is not None and (
            word in texts or ((value := marks.numeral(word)) is not None and float(value) in numbers)
        )]  # fmt: skip
        mask = pc.is_in(trimmed, value_set=pa.array(gone, trimmed.type))
    elif types.is_integer(cells.type) or types.is_floating(cells.type):
        mask = pc.is_in(cells.cast(pa.float64(), safe=False), value_set=pa.array(sorted(numbers), pa.float64()))
    else:
        return cells
    return cells if not pc.any(mask).as_py() else pc.if_else(mask, pa.scalar(None, cells.type), cells)
