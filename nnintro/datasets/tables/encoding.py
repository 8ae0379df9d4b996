"""From the columns of a table to the inputs of a network, the same way for every file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np

from nnintro.datasets.tables.cells import Array
from nnintro.datasets.tables.columns import (
    ClassTarget,
    Column,
    Target,
    Window,
    as_json,
    column_from,
    target_from,
    window_from,
)
from nnintro.datasets.tables.encode import encoded_column, encoded_labels, encoded_target
from nnintro.datasets.tables.files.places import Places

MissingPolicy = Literal["error", "drop", "mean", "indicator"]


@dataclass(frozen=True)
class Encoding:
    """All that turns a stranger's table into the inputs that the training's table became.

    Inputs come out raw, in their own units: standardisation is the network's.  With a window,
    ``encode`` gives the features of rows, and ``windows`` makes samples of them.
    """

    columns: tuple[Column, ...]
    targets: tuple[Target, ...]
    missing: MissingPolicy = "error"
    unseen: Literal["error", "zeros"] = "error"
    window: Window | None = None

    @property
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
        return len(self.row_features) * (1 if self.window is None else self.window.rows)

    def column_of(self, feature: int) -> Column:
        """The column that an input comes from."""
        place = feature % len(self.row_features)
        for column in self.columns:
            place -= len(column.features)
            if place < 0:
                return column
        raise AssertionError(feature)

    @property
    def target_names(self) -> list[str]:
        return [target.name for target in self.targets]

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes; none for a regression."""
        first = self.targets[0]
        return first.classes if isinstance(first, ClassTarget) else ()

    @property
    def input_columns(self) -> list[str]:
        """The columns that a table must have to be predicted."""
        names = [column.name for column in self.columns]
        order = self.window.order if self.window else None
        return [*names, *([order.name] if order and order.name not in names else [])]

    def encode(
        self, columns: Mapping[str, Any], places: Places, dtype: type[np.floating[Any]] = np.float64
    ) -> Array:
        """What rows become, raw: (rows, row_features).

        Args:
            columns: name -> values; pyarrow's or numpy's arrays, lists, or a pyarrow table.
            places: where the rows stand, for messages.

        Raises:
            DataError: a cell cannot be used, with its place.
        """
        parts = [
            encoded_column(column, columns[column.name], self, places) for column in self.columns
        ]
        result: Array = np.concatenate(parts, axis=1, dtype=dtype, casting="same_kind")
        return result

    def encode_targets(self, columns: Mapping[str, Any], places: Places) -> Array:
        """(rows, outputs) numbers; or (rows, 1) zeros and ones, or (rows,) class numbers (int64).

        Raises:
            DataError: a value is missing, no number, or no class that training had.
        """
        first = self.targets[0]
        if isinstance(first, ClassTarget):
            labels = encoded_labels(first, columns[first.name], places)
            return labels[:, None].astype(np.float64) if len(first.classes) == 2 else labels
        parts = [encoded_target(target, columns[target.name], places) for target in self.targets]
        return np.stack(parts, axis=1)

    def windows(self, rows: Array) -> Array:
        """(n, row_features) consecutive rows -> (n - window + 1, features) samples."""
        assert self.window is not None
        return windows_of(rows, self.window.rows)

    def description(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "columns": [as_json(column) for column in self.columns],
            "targets": [as_json(target) for target in self.targets],
            "missing": self.missing,
            "unseen": self.unseen,
            "window": None if self.window is None else as_json(self.window),
        }

    @classmethod
    def from_description(cls, description: Mapping[str, Any]) -> Self:
        """The encoding that was described; read back from JSON or not."""
        return cls(
            tuple(column_from(values) for values in description["columns"]),
            tuple(target_from(values) for values in description["targets"]),
            description["missing"],
            description["unseen"],
            window_from(description["window"]),
        )


def windows_of(rows: Array, window: int) -> Array:
    """(n, features) -> (n - window + 1, window * features): each row with those before it."""
    n, features = rows.shape
    if n < window:
        return np.zeros((0, window * features), rows.dtype)
    views = np.lib.stride_tricks.sliding_window_view(rows, window, axis=0)
    samples = views.transpose(0, 2, 1).reshape(n - window + 1, window * features)
    return np.array(samples)  # reshape may give a view in which samples overlap
