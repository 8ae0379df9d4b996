"""Encode the columns of a table as the inputs of a network, the same way for every file."""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, TypeVar

import numpy as np
from pydantic import Field

from nnintro.config.datasets.basis import names_for_formulas
from nnintro.config.datasets.text_keys import composed
from nnintro.config.task import STRICT, Task
from nnintro.config.typed import from_json
from nnintro.datasets.tables.cells import Array
from nnintro.datasets.tables.columns import COLUMNS, TARGETS
from nnintro.datasets.tables.columns.column import Column, Described, Missing, Policy, Target, Unseen
from nnintro.datasets.tables.columns.number import Number, NumberTarget
from nnintro.datasets.tables.files.places import Places
from nnintro.datasets.tables.spelling import Spelling
from nnintro.errors import DataError
from nnintro.wording import MOST_NAMED, choice, quoted

if TYPE_CHECKING:
    import pyarrow as pa

MOST_FEATURES = 1 << 22
T = TypeVar("T")


@dataclass(frozen=True)
class Window(Described):
    """Consecutive rows that make one sample, and how far ahead of the last its target is."""

    rows: Annotated[int, Field(ge=1)]
    horizon: Annotated[int, Field(ge=0)]
    order: Number | None = None
    """The column of the time, which has to be in rising order in each series."""
    series: tuple[str, ...] = ()
    """The columns that tell series apart; none where all rows are one series."""
    optional: ClassVar[tuple[str, ...]] = ("series",)


Parts = Annotated[list[dict[str, Any]], Field(min_length=1, fail_fast=True)]


@dataclass(frozen=True)
class Description:
    """``DataFacts.description`` of a table: an encoding, and what else the training knows of its data."""

    __pydantic_config__ = STRICT

    columns: Parts
    """Of the kinds in ``COLUMNS``."""
    targets: Parts
    """Of the kinds in ``TARGETS``."""
    missing: Missing
    unseen: Unseen
    window: Window | None
    variables: Annotated[tuple[str, ...] | None, Field(fail_fast=True)] = None
    """What formulas call the features."""
    positions: Annotated[tuple[str, ...] | None, Field(fail_fast=True)] = None
    """See ``Encoding.positions``."""
    spelling: Spelling = field(default_factory=Spelling)
    skips_rows: bool = False
    class_weights: Annotated[tuple[Annotated[float, Field(gt=0)], ...] | None, Field(fail_fast=True)] = None


@dataclass(frozen=True)
class Encoding:
    """All that turns another table into the inputs that the training's table became.

    Inputs come out raw, in their own units: standardisation is the network's.  With a window,
    ``encode`` gives the features of rows, and ``windows`` makes samples of them.
    """

    columns: tuple[Column, ...]
    targets: tuple[Target, ...]
    missing: Missing = "error"
    unseen: Unseen = "error"
    window: Window | None = None
    positions: tuple[str, ...] | None = None
    """The names of all columns of the training's file in their order, where it has no header."""
    spelling: Spelling = field(default_factory=Spelling)
    skips_rows: bool = False
    """Whether lines that the config leaves out of the training's file look like rows."""

    @functools.cached_property
    def row_features(self) -> list[str]:
        """The names of what one row becomes."""
        return [name for column in self.columns for name in column.features]

    @property
    def feature_names(self) -> list[str]:
        """The names of the inputs: ``area``, ``city=Ulm``, ``area missing``, ``review#17``;
        with a window ``sales[-3]`` to ``sales[0]``, the oldest row first."""
        names = self.row_features
        if self.window is None:
            return names
        lags = range(1 - self.window.rows, 1)
        return [f"{name}[{lag}]" for lag in lags for name in names]

    @property
    def features(self) -> int:
        return sum(column.size for column in self.columns) * (1 if self.window is None else self.window.rows)

    @property
    def task(self) -> Task:
        classes = self.classes
        if len(classes) > 2:
            return Task("multiclass", self.features, len(classes), classes)
        return Task("binary" if classes else "regression", self.features, len(self.targets), classes)

    def column_of(self, feature: int) -> Column:
        """The column that an input comes from."""
        columns = [column for column in self.columns for _ in column.features]
        return columns[feature % len(columns)]

    @property
    def target_names(self) -> list[str]:
        return [target.name for target in self.targets]

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes; none for a regression."""
        return self.targets[0].classes

    @property
    def number_columns(self) -> set[str]:
        """The columns, also those of targets and times, whose cells are numbers as Python writes them."""
        if self.spelling.has_marks:
            return set()
        order = self.window.order if self.window else None
        some: list[Column | Target] = [*self.columns, *self.targets, *([order] if order else [])]
        return {column.name for column in some if column.kind == "number"}

    @property
    def input_columns(self) -> list[str]:
        """The columns that a table must have to be predicted."""
        order = self.window.order if self.window else None
        series = self.window.series if self.window else ()
        names = [*(column.name for column in self.columns), *([order.name] if order else []), *series]
        return list(dict.fromkeys(names))

    def encode(self, columns: Mapping[str, Any], places: Places, unseen: dict[str, int] | None = None) -> Array:
        """What rows become, raw: (rows, row_features) in float64.

        Args:
            columns: name -> values; pyarrow's or numpy's arrays, lists, or a pyarrow table.
            places: where the rows stand, for messages.
            unseen: column -> how many of its categories training did not have; it is counted further.

        Raises:
            DataError: a cell cannot be used, with its place.
        """
        policy = Policy(self.missing, self.unseen)
        rows = len(columns[self.columns[0].name])
        inputs = np.zeros((rows, len(self.row_features)))
        first = 0
        for alike in self._alike:
            cells = [self.cells_of(column, columns, places) for column in alike]
            for column, values in zip(alike, _usable(alike, cells, policy, places), strict=True):
                end = first + column.size
                column.write_into(inputs[:, first:end], values)
                if unseen is not None and (count := int(column.unseen(values).sum())):
                    unseen[column.name] = unseen.get(column.name, 0) + count
                first = end
        return inputs

    @functools.cached_property
    def _alike(self) -> list[list[Column]]:
        """The columns in their order, neighbours that are read alike together."""
        return [list(some) for _, some in itertools.groupby(self.columns, lambda column: column.way or column)]

    def cells_of(self, column: Column | Target, columns: Mapping[str, Any], places: Places) -> pa.ChunkedArray:
        """The cells of a column as it reads them; DataError of one that is not a number as the file's are written."""
        cells = self.known(column.name, columns)
        is_number = isinstance(column, Number | NumberTarget) and column.reading == "number"
        return self.spelling.numerals(cells, column.name, places) if is_number else cells

    def known(self, name: str, columns: Mapping[str, Any]) -> pa.ChunkedArray:
        """The cells of a column, null where they stand for no value."""
        return self.spelling.known(chunked(columns[name]), name)

    def encode_targets(self, columns: Mapping[str, Any], places: Places) -> Array:
        """(rows, outputs) numbers; or (rows, 1) zeros and ones, or (rows,) class numbers (int64).

        Raises:
            DataError: a value is missing, not a number, or of a class that training did not have.
        """
        parts = [target.encode(self.cells_of(target, columns, places), places) for target in self.targets]
        return parts[0] if len(self.classes) > 2 else np.stack(parts, axis=1).astype(np.float64)

    def description(self) -> dict[str, Any]:
        """Plain JSON."""
        described: dict[str, Any] = {
            "columns": [column.as_json() for column in self.columns],
            "targets": [target.as_json() for target in self.targets],
            "missing": self.missing,
            "unseen": self.unseen,
            "window": None if self.window is None else self.window.as_json(),
        }
        # What most tables do not have is left out, as in runs from before it was known.
        if self.positions is not None:
            described["positions"] = list(self.positions)
        if not self.spelling.is_plain:
            described["spelling"] = self.spelling.as_json()
        if self.skips_rows:
            described["skips_rows"] = True
        return described

    @classmethod
    def from_description(cls, description: Mapping[str, Any]) -> Self:
        """The encoding that was described; read back from JSON or not.

        Raises:
            ValueError: it is not such a description: one line, with the field.
        """
        said = from_json(Description, json.dumps(description))
        columns = tuple(_parts(said.columns, COLUMNS, "columns"))
        targets = tuple(_parts(said.targets, TARGETS, "targets"))
        found = cls(
            columns, targets, said.missing, said.unseen, said.window, said.positions, said.spelling, said.skips_rows
        )
        if len(targets) > 1 and any(target.kind != "number" for target in targets):
            raise ValueError("targets: several are numbers, each of them")
        if said.class_weights is not None and len(said.class_weights) != len(found.classes):
            raise ValueError("class_weights: expected one for each class")
        if found.features > MOST_FEATURES:
            raise ValueError(f"columns: expected at most {MOST_FEATURES:,} inputs, got {found.features:,}")
        if said.variables is not None and list(said.variables) != names_for_formulas(found.feature_names):
            raise ValueError("variables: are not those of the columns")
        return found


def _parts(described: list[dict[str, Any]], kinds: Mapping[str, type[T]], field: str) -> Iterator[T]:
    """Columns or targets of these kinds; ValueError where one is not described as its kind is."""
    for number, values in enumerate(described):
        kind = values.get("kind")
        try:
            if not isinstance(kind, str) or kind not in kinds:
                raise ValueError(f"kind: {choice(kind, list(kinds))}")
            # Runs from before names were composed keep them as their file wrote them.
            name = values.get("name")
            named = {**values, "name": composed(name)} if isinstance(name, str) else values
            yield from_json(kinds[kind], json.dumps(named))
        except ValueError as error:
            raise ValueError(f"{field}.{number}.{error}") from None


def _usable(alike: Sequence[Column], cells: Sequence[pa.ChunkedArray], policy: Policy, places: Places) -> list[Array]:
    """The values of columns that are read alike; DataError where one is refused.

    Most of the time that a short column takes is a call's own, so all are read as one column where it can be done.
    """
    import pyarrow as pa

    way = alike[0].way
    if len(alike) > 1 and way is not None and len({column.type for column in cells}) == 1:
        with contextlib.suppress(DataError):  # told below, with its column
            joined = pa.chunked_array([chunk for column in cells for chunk in column.chunks], cells[0].type)
            values = way.usable(joined, policy, places)
            return list(values.reshape(len(alike), -1))
    return [column.usable(some, policy, places) for column, some in zip(alike, cells, strict=True)]


def unseen_note(unseen: Mapping[str, int]) -> str:
    """``3 categories that training did not have ('city': 2, 'kind': 1) are encoded as zeros``; empty for none."""
    if not unseen:
        return ""
    each = ", ".join(f"{quoted(name)}: {count:,}" for name, count in [*unseen.items()][:MOST_NAMED])
    total = sum(unseen.values())
    cells = f"{total:,} {'cell has a category' if total == 1 else 'cells have categories'}"
    return f"{cells} that training did not have ({each}), encoded as zeros"


def chunked(values: Any) -> pa.ChunkedArray:
    """An array of whatever library as pyarrow has them."""
    import pyarrow as pa

    if isinstance(values, pa.ChunkedArray):
        return values
    return pa.chunked_array([values if isinstance(values, pa.Array) else pa.array(values)])


def windows_of(rows: Array, window: int) -> Array:
    """(n, features) -> (n - window + 1, window * features): each row with those before it."""
    n, features = rows.shape
    if n < window:
        return np.zeros((0, window * features), rows.dtype)
    views = np.lib.stride_tricks.sliding_window_view(rows, window, axis=0)
    samples = views.transpose(0, 2, 1).reshape(n - window + 1, window * features)
    return np.array(samples)  # reshape may give a view in which samples overlap
