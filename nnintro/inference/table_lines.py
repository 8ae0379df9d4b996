"""A table's rows with their predictions as JSON Lines: values of the kind that the file has."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from typing import IO, Any

from nnintro.datasets.tables import Block, Encoding
from nnintro.inference.block import Array
from nnintro.inference.numerals import is_numeral
from nnintro.inference.write import values_of

_WHOLE = re.compile(r"[+-]?\d{1,300}", re.ASCII)


class TableLines:
    """One object per row.

    Of a text file cells of the columns that training took as numbers are numbers, and empty ones
    null; other cells are texts as they stand.  Of other files numbers, truth values and texts stay
    what they are, and whatever else there is becomes text.  JSON has no infinity: null.
    """

    def __init__(self, file: IO[bytes], encoding: Encoding, predicted: Sequence[str]) -> None:
        self._file, self._predicted = file, predicted
        self._numbers = {c.name for c in encoding.columns if c.kind == "number"}
        self._numbers |= {t.name for t in encoding.targets if t.kind == "number"}
        if encoding.window is not None and encoding.window.order is not None:
            self._numbers.add(encoding.window.order.name)
        self._encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode

    def write(self, block: Block, predictions: Sequence[Array]) -> None:
        """A block's rows with their predictions, one (rows,) array per predicted column."""
        columns = block.columns
        cells = [
            self._column(name, values)
            for name, values in zip(columns.schema.names, block.values(), strict=True)
        ]
        found = [[value or None for value in column.tolist()] if column.dtype.kind == "U"
                 else list(values_of(column)) for column in predictions]  # fmt: skip
        names = [*columns.schema.names, *self._predicted]
        rows = zip(*cells, *found, strict=True)
        lines = [self._encode(dict(zip(names, row, strict=True))) + "\n" for row in rows]
        self._file.write("".join(lines).encode())

    def close(self) -> None:
        """Nothing is left to be written."""

    def _column(self, name: str, values: list[Any]) -> Iterator[Any]:
        as_number = name in self._numbers
        return (_json(value, as_number=as_number) for value in values)


def _json(value: Any, *, as_number: bool) -> Any:
    if isinstance(value, str):
        if as_number and _WHOLE.fullmatch(value):
            return int(value)
        if as_number and is_numeral(value):
            return _json(float(value), as_number=False)
        return None if as_number and not value.strip() else value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int) else str(value)
