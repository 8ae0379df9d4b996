"""The interface of column kinds and target kinds; ``COLUMNS`` and ``TARGETS`` list them."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np

from nnintro.config.datasets.table import TableDataset
from nnintro.config.task import STRICT
from nnintro.datasets.tables.cells import Array, Reading, is_text
from nnintro.datasets.tables.columns.coded import Coded, coded, plain_numeral
from nnintro.datasets.tables.files import Table, open_table
from nnintro.datasets.tables.files.places import Places
from nnintro.datasets.tables.spelling import Marks, Spelling
from nnintro.errors import DataError
from nnintro.wording import quoted

if TYPE_CHECKING:
    import pyarrow as pa

Missing = Literal["error", "drop", "mean", "indicator"]
Unseen = Literal["error", "zeros"]


@dataclass(frozen=True)
class Policy:
    """What a section says of missing values, and of categories that no training row has."""

    missing: Missing = "error"
    unseen: Unseen = "error"

    @property
    def fills(self) -> bool:
        """Whether a missing value is replaced; ``drop`` leaves rows out of the training's file only."""
        return self.missing in ("mean", "indicator")


def training_file(dataset: TableDataset) -> Table:
    """The file that is trained on, opened as the section says; ConfigError or DataError as ``open_table`` has them."""
    return open_table(
        dataset.path,
        dataset.text_keys,
        memory=dataset.memory,
        targets=dataset.targets,
        only_whole=Spelling.of(dataset).has_marks,
    )


@dataclass(frozen=True)
class FileColumn:
    """A column of the file that is trained on, before anything is learned from its rows."""

    name: str
    dataset: TableDataset
    table: Table

    @property
    def type(self) -> pa.DataType:
        return self.table.type(self.name)

    @property
    def is_text(self) -> bool:
        """Whether its cells are texts, in a dictionary or not."""
        from pyarrow import types

        return is_text(self.type.value_type if types.is_dictionary(self.type) else self.type)

    @property
    def policy(self) -> Policy:
        return Policy(self.dataset.missing, self.dataset.unseen)

    @functools.cached_property
    def spelling(self) -> Spelling:
        return Spelling.of(self.dataset)

    @functools.cached_property
    def marks(self) -> Marks:
        """How its numbers are written."""
        return self.spelling.marks(self.name)

    @property
    def written(self) -> pa.ChunkedArray:
        """The cells as the file has them, null where there is no value."""
        return self.spelling.known(self.table.column(self.name), self.name)

    @property
    def cells(self) -> pa.ChunkedArray:
        """The cells of all rows; of numbers in texts as Python writes them. Some formats read them anew each time."""
        return self.marks.numerals(self.written)[0] if self._has_spelled_numbers else self.written

    @functools.cached_property
    def _has_spelled_numbers(self) -> bool:
        """Whether all of its texts are numbers as the section says that they are written."""
        dataset = self.dataset
        if self.marks.are_plain or not self.is_text or self.name in (*dataset.categorical, *dataset.text):
            return False
        return not self.marks.numerals(self.written)[1].any()

    def is_numeral(self, cell: str) -> bool:
        """Whether one of the ``cells`` is a number."""
        marks = Marks() if self._has_spelled_numbers else self.marks
        return marks.numeral(cell) is not None

    @functools.cached_property
    def coded(self) -> Coded:
        """The cells as categories; DataError where no row has a value."""
        column = coded(self.cells)
        if not column.values:
            raise self.useless("has no value in any row")
        return column

    def constant(self, value: float) -> str:
        """Why nothing can be learned from a column that is this one number in float64."""
        if self.differs:
            return f"has values that differ by less than float64 can show (all are {value:g} there)"
        return f"is {value:g} in every row"

    @property
    def differs(self) -> bool:
        """Whether the cells hold several values, of which float64 may make one number."""
        return len(set(map(plain_numeral, self.coded.values))) > 1

    def useless(self, why: str) -> UselessColumnError:
        """What to raise of a column from which nothing can be learned."""
        return UselessColumnError(self.table.name, self.name, why)


class UselessColumnError(DataError):
    """Nothing can be learned from a column: a target is wrong then, an input is left out."""

    def __init__(self, table: str, column: str, why: str) -> None:
        self.why = f"{quoted(column)} {why}"
        super().__init__(f"{table}: column {self.why}")


@dataclass(frozen=True)
class Described:
    """A dataclass that is part of data.json: its fields, in their order."""

    __pydantic_config__ = STRICT
    optional: ClassVar[tuple[str, ...]] = ()
    """Fields that are left out where they say nothing, so that a run's data.json stays as earlier versions wrote it."""

    def as_json(self) -> dict[str, Any]:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {k: _plain(v) for k, v in values.items() if v or k not in self.optional}


def _plain(value: Any) -> Any:
    if isinstance(value, Described):
        return value.as_json()
    return list(value) if isinstance(value, tuple) else value


class Column(Described, ABC):
    """A column of a table, and the inputs of the network that it becomes.

    A kind of column is a frozen dataclass whose fields say how cells become inputs.  Training makes
    it in three steps: ``recognize`` looks at the whole file, ``learn_features`` counts the inputs
    before there is an array of them, ``learn_values`` does the rest when the column is filled in,
    so that a column of numbers is read once.  From then on the same ``read``, ``refused`` and
    ``write_into`` serve the training's file and others.

    All but ``write_into`` raise DataError where the column or a cell cannot be used.
    """

    name: str
    kind: str
    quantities: ClassVar[int] = 0
    """How many of the inputs, from the first, are quantities of any size: they are standardised,
    and have to fit the run's precision."""

    @classmethod
    @abstractmethod
    def recognize(cls, source: FileColumn) -> Self | None:
        """The column as the whole file has it; None where it is of another kind."""

    @property
    @abstractmethod
    def features(self) -> list[str]:
        """The names of the inputs."""

    @property
    def size(self) -> int:
        """How many they are."""
        return len(self.features)

    @property
    @abstractmethod
    def expected(self) -> str:
        """What a cell holds, in words."""

    @property
    def accepted(self) -> str:
        """What a cell has to hold once training is over, in words."""
        return self.expected

    @property
    def reading(self) -> Reading:
        """How the cells are read where the section asks for numbers."""
        return "number"

    @property
    def way(self) -> Column | None:
        """How cells are read, as a column without a name: the columns that have the same can be read as one.

        None where it depends on the column.
        """
        return None

    @abstractmethod
    def read(self, cells: pa.ChunkedArray, places: Places) -> Array:
        """(rows,) values, of a type of the kind's own."""

    def read_file(self, source: FileColumn) -> Array:
        """(rows,) values of the whole file that is trained on."""
        return self.read(source.cells, source.table.places)

    @abstractmethod
    def absent(self, values: Array) -> Array:
        """(rows,) truth values: the cell is empty."""

    def refused(self, values: Array, policy: Policy) -> Array:
        """(rows,) truth values: no inputs stand for this value."""
        return self.absent(values) & (not policy.fills)

    def unseen(self, values: Array) -> Array:
        """(rows,) truth values: a category that no training row has."""
        return np.zeros(len(values), bool)

    def learn_features(self, source: FileColumn, training: Array) -> Self:  # noqa: ARG002
        """The column with the inputs for which training rows, by their positions, give reason.

        What no training row has would have weights that nothing has trained.
        """
        return self

    def learn_values(self, source: FileColumn, values: Array, training: Array) -> Self:  # noqa: ARG002
        """The column after a look at the values of the whole file, and of training rows by their positions.

        The first have to be worth learning from.
        """
        return self

    @abstractmethod
    def write_into(self, inputs: Array, values: Array) -> None:
        """Write the inputs, raw, into (rows, features) zeros; no value is refused."""

    def bounds(self, inputs: Array, values: Array) -> tuple[Array, Array]:  # noqa: ARG002
        """(features,) smallest and largest input of some rows that were written, of one or more."""
        return inputs.min(0), inputs.max(0)

    def usable(self, cells: pa.ChunkedArray, policy: Policy, places: Places) -> Array:
        """(rows,) values of a file that was not trained on, none of them refused."""
        values = self.read(cells, places)
        bad = self.refused(values, policy)
        if not bad.any():
            return values
        row = int(bad.argmax())
        is_gap = bool(self.absent(values)[row])
        got = None if is_gap else coded(cells.slice(row, 1)).text(0)
        raise places.refusal(row, self.name, self.accepted, got)


class Target(Described, ABC):
    """A column to predict."""

    name: str
    kind: str
    classes: tuple[str, ...] = ()
    """In the order of their numbers; none of a quantity."""

    @property
    @abstractmethod
    def expected(self) -> str:
        """What a cell holds, in words."""

    @abstractmethod
    def encode(self, cells: pa.ChunkedArray, places: Places) -> Array:
        """(rows,) numbers; DataError where a value is missing or cannot be used."""
