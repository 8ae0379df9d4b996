"""Copy the encoded columns of the training file into one array of inputs.

The array is allocated once, in the run's precision and in the order of the samples; besides it no
more than a few columns are in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch

from nnintro.datasets.samples import coinciding, compared_rows
from nnintro.datasets.tables.cells import Array
from nnintro.datasets.tables.columns.column import Column, FileColumn
from nnintro.datasets.tables.columns.number import mean_and_deviation
from nnintro.datasets.tables.files import Table
from nnintro.datasets.tables.left_out import LeftOut
from nnintro.datasets.tables.sentinels import Sentinels
from nnintro.errors import DataError, memory_for


@dataclass
class Filled:
    """The inputs of all samples, and per feature, in float64, what the training rows say."""

    columns: list[Column]
    inputs: Array
    """(rows, features), standardised."""
    mean: Array
    scale: Array
    low: Array
    """Raw."""
    high: Array
    coinciding: dict[str, tuple[int, int]] = field(default_factory=dict)
    """See ``Splits.coinciding``."""
    unseen: dict[str, int] = field(default_factory=dict)
    """Column -> validation rows whose category no training row has."""
    sentinels: Sentinels = field(default_factory=Sentinels)
    """Numbers that may stand for no value."""

    def only(self, kept: Array) -> Filled:
        """The same with these features alone, (features,) truth values."""
        mean, scale, low, high = (values[kept] for values in (self.mean, self.scale, self.low, self.high))
        inputs = np.ascontiguousarray(self.inputs[:, kept])
        return Filled(self.columns, inputs, mean, scale, low, high, self.coinciding, self.unseen, self.sentinels)


@dataclass(frozen=True)
class Filling:
    """What filling needs to know.

    Attributes:
        order: the file's rows in the order of the samples.
        training: how many of them, from the first, statistics are taken from.
    """

    table: Table
    order: Array
    training: int
    dtype: np.dtype[np.floating]
    standardize: bool

    def fill(self, recognized: Sequence[tuple[Column, FileColumn]], left: LeftOut) -> Filled:
        """The array of all columns' features, but of constant ones and the like, which are left out.

        Raises:
            DataError: a value is missing or not finite, or no column is left.
            OutOfMemoryError: they do not fit.
        """
        seen, learned = self.order[: self.training], []
        for column, source in recognized:
            with left.unless_useless():
                learned.append((column.learn_features(source, seen), source))
        filled = self._allocated([column for column, _ in learned])
        filled.columns, first = [], 0
        kept = np.zeros(filled.inputs.shape[1], bool)
        for column, source in learned:
            place = slice(first, first + len(column.features))
            with left.unless_useless():
                filled.columns.append(self._put(column, source, filled, place))
                kept[place] = True
            self.table.forget(source.name)
            first = place.stop
        left.require_others(filled.columns)
        with memory_for(f"the inputs of {self.table.name}"):
            if not kept.all():
                return filled.only(kept)
            filled.inputs = np.ascontiguousarray(filled.inputs)
            return filled

    def _allocated(self, columns: list[Column]) -> Filled:
        rows, features = len(self.order), sum(len(column.features) for column in columns)
        need = rows * features * self.dtype.itemsize / 2**30
        with memory_for(f"{rows:,} rows of {features:,} inputs of {self.table.name}: {need:,.1f} GiB"):
            try:
                # Column by column an array takes memory as it is filled, while the table gives it back.
                order: Literal["C", "F"] = "F" if self.table.is_in_memory else "C"
                inputs = np.zeros((rows, features), self.dtype, order)
            except ValueError as error:  # beyond what an address can say
                raise MemoryError from error
        mean, scale, low, high = np.zeros((4, features))
        return Filled(columns, inputs, mean, scale + 1, low, high)

    def _put(self, column: Column, source: FileColumn, filled: Filled, place: slice) -> Column:
        values = column.read_file(source)
        column = column.learn_values(source, values, self.order[: self.training])
        values = values.take(self.order, axis=0)  # three times as fast as an index
        self._require_usable(column, source, values)
        if column.quantities and column.reading == "number":
            filled.sentinels.look_at(column.name, values)
        if count := int(column.unseen(values).sum()):
            filled.unseen[column.name] = count
        inputs = filled.inputs[:, place]
        if column.quantities:
            # In float64 until they are standardised: float32 does not tell 1.7e9 from 1.7e9 + 1.
            inputs = np.zeros((len(values), len(column.features)), order="F")
        column.write_into(inputs, values)
        seen = slice(self.training)
        filled.low[place], filled.high[place] = column.bounds(inputs[seen], values[seen])
        del values  # standardising takes as much memory again
        if column.quantities:
            mean, scale = filled.mean[place], filled.scale[place]  # views
            if self.standardize:
                for index in range(column.quantities):
                    mean[index], scale[index] = mean_and_deviation(inputs[seen, index])
                inputs -= mean
                inputs /= scale
            dtype = torch.from_numpy(filled.inputs[:0]).dtype
            few = compared_rows(filled.inputs.shape[1])
            filled.coinciding |= coinciding(torch.from_numpy(inputs[seen][:few]), column.features, dtype)
            with np.errstate(over="ignore"):
                inputs = inputs.astype(self.dtype, copy=False)
            self._require_finite(column, source, inputs)
            filled.inputs[:, place] = inputs
        return column

    def _require_usable(self, column: Column, source: FileColumn, values: Array) -> None:
        bad = column.refused(values, source.policy)
        if not bad.any():
            return
        refusal, gaps = self.table.places.refusal, bad & column.absent(values)
        if gaps.any() and not source.policy.fills:
            row = int(self.order[gaps].min())
            error = refusal(row, column.name, column.expected, None)
            raise DataError(f"{error}; missing: drop, mean or indicator handles such cells")
        row = int(self.order[bad].min())
        error = refusal(row, column.name, column.accepted, source.coded.text(row))
        raise DataError(
            f"{error}, which occurs only in validation rows; "
            f"unseen: zeros encodes it as zeros, exclude leaves the column out"
        )

    def _require_finite(self, column: Column, source: FileColumn, inputs: Array) -> None:
        finite = np.isfinite(inputs)
        if not finite.all():
            row = int(self.order[int(finite.all(1).argmin())])
            expected = f"a number that {self.dtype.name} can hold"
            value = float(column.read_file(source)[row])
            raise self.table.places.refusal(row, column.name, expected, value)
