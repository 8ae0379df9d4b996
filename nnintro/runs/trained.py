"""A trained network with what is known of its data: predictions of rows, of columns by name, and of images."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from nnintro.config.datasets.table import TableDataset
from nnintro.config.experiment import Setup
from nnintro.datasets import DATASETS, input_names
from nnintro.errors import DataError, UsageError
from nnintro.models import input_precision
from nnintro.models.forward import outputs_of, own_modes
from nnintro.models.standardized import Array
from nnintro.objectives.metrics import class_probabilities, predicted_classes
from nnintro.wording import quoted


class Trained:
    """A trained network with what is known of its data.

    Attributes:
        model: the trained module in evaluation mode, on the CPU; takes raw inputs, with
            ``standardize: inputs`` in float64, else in the parameters' precision.
        setup: the config it was trained by, with what the data says.
    """

    def __init__(self, model: nn.Module, setup: Setup) -> None:
        self.model = model
        self.setup = setup

    @functools.cached_property
    def reading(self) -> Any:
        """How another file is read as the training's was; None where no file was read.

        Of a run on a table an ``Encoding``, of one on images an ``ImageFormat``.
        """
        read = DATASETS[self.setup.dataset.kind].reading
        return None if read is None else read(self.setup.facts.description)

    @property
    def has_table(self) -> bool:
        """Whether the run was trained on a table, of columns with names."""
        return self.reading is not None and self.setup.task.image is None

    @property
    def features(self) -> list[str]:
        """The names of the network's inputs; of a table such as ``area``, ``city=Ulm``."""
        return input_names(self.setup)

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, in the order of the columns of ``predict_proba``; none of a regression."""
        return self.setup.task.classes

    @own_modes()
    def predict(self, inputs: Any) -> Tensor:
        """The network's outputs: (n, features) array, list or tensor -> (n, outputs) tensor.

        With one feature, (n,) is taken as (n, 1).  Of images it is (n, channels, height, width) -> (n, outputs, height,
        width), in the units of the training's images and of any size.  The outputs are in the parameters' precision, in
        float64 where the targets were standardised; where the loss takes logits they are logits. Of a run on a table
        the inputs may also be rows as ``encode`` takes them; as numbers they are what ``features`` names.

        Raises:
            DataError: the inputs have another shape, or are not numbers.
        """
        if self.has_table and _has_names(inputs):
            inputs = self.encode(inputs)
        try:
            # A copy: torch takes neither read-only arrays nor reversed ones.
            plain = inputs if isinstance(inputs, Tensor) else np.array(inputs)
            if not isinstance(plain, Tensor) and plain.dtype.kind not in "biuf":
                raise TypeError(f"found {plain.dtype}")
            values = torch.as_tensor(plain, dtype=input_precision(self.model), device="cpu")
        except (TypeError, ValueError, RuntimeError) as error:
            raise DataError(f"inputs must be numbers in rows of equal length: {error}") from None
        features, of_images = self.setup.task.inputs, self.setup.task.image is not None
        if values.dim() == 1 and features == 1 and not of_images:
            values = values[:, None]
        if values.dim() != (4 if of_images else 2) or values.shape[1] != features:
            wanted = f"(n, {features}, height, width)" if of_images else f"(n, {features})"
            raise DataError(f"inputs: expected shape {wanted}, got {tuple(values.shape)}")
        return outputs_of(self.model, values)

    def predict_proba(self, inputs: Any) -> Tensor:
        """The probability of each class: what ``predict`` takes -> (n, classes), a column for each of ``classes``.

        Of images (n, classes, height, width).

        Raises:
            UsageError: the run has no classes, or its loss is not of probabilities.
            DataError: as ``predict``.
        """
        if not self.classes:
            raise UsageError(f"{self._name}: predict_proba is for classes, and this is a regression; use predict")
        if not self.setup.logits:
            raise UsageError(
                f"{self._name}: the outputs of a network trained with loss: {self.setup.loss_name} are not "
                "probabilities; use predict, or train with loss: cross_entropy"
            )
        return class_probabilities(self.predict(inputs))

    def predict_classes(self, inputs: Any) -> list[str]:
        """The name of each sample's class, as ``nnintro predict`` writes it: what ``predict`` takes -> n names.

        Raises:
            UsageError: the samples have no classes; those of pixels are what ``predict_proba`` makes of them.
            DataError: as ``predict``.
        """
        setup = self.setup
        if not setup.task.is_classification:
            kind = "a segmentation" if setup.task.is_segmentation else "a regression"
            raise UsageError(f"{self._name}: predict_classes is for a class of each sample, and this is {kind}")
        numbers = predicted_classes(self.predict(inputs), setup.task, logits=setup.logits or setup.scores)
        return [self.classes[number] for number in numbers.tolist()]

    def encode(self, rows: Any) -> Array:
        """Rows of a table as the network's inputs, which ``features`` names: a (n, features) array, not standardised.

        Args:
            rows: columns by name (a dict, a pandas DataFrame, a pyarrow table), a list of dicts, one for each row, or
                the path of a file.

        Raises:
            UsageError: the run was not trained on a table.
            DataError: a column is missing or of another length, or a cell cannot be used.
        """
        from nnintro.datasets.tables import encoded_blocks, encoded_columns

        if not self.has_table:
            raise UsageError(f"{self._name}: encode is for rows of a table, and this was not trained on one")
        if isinstance(rows, str | Path):
            dataset = cast(TableDataset, self.setup.dataset)
            blocks = [block.inputs for block in encoded_blocks(str(rows), self.reading, keys=dataset.text_keys)]
            return np.concatenate(blocks) if blocks else np.empty((0, self.setup.task.inputs))
        if not _has_names(rows):
            raise DataError("rows: expected columns by name, a list of dicts, or the path of a file")
        return encoded_columns(_columns(rows) if isinstance(rows, list | tuple) else rows, self.reading)

    @property
    def _name(self) -> str:
        return self.setup.experiment.name


def _has_names(rows: Any) -> bool:
    """Whether the values have columns with names, or are a path."""
    if isinstance(rows, list | tuple):
        return bool(rows) and all(isinstance(row, Mapping) for row in rows)
    return isinstance(rows, Mapping | str | Path) or hasattr(rows, "columns")


def _columns(rows: list[Mapping[str, Any]] | tuple[Mapping[str, Any], ...]) -> dict[str, list[Any]]:
    """Rows as columns; DataError where a row lacks a name that the first one has."""
    for number, row in enumerate(rows):
        if missing := [name for name in rows[0] if name not in row]:
            raise DataError(f"rows, row {number}: column {quoted(missing[0])} is missing; None says that a value is")
    return {name: [row[name] for row in rows] for name in rows[0]}
