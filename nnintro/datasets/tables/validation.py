"""Read validation rows from a file of their own, encoded as the training's file was."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import torch

from nnintro.config.datasets.table import TableDataset
from nnintro.datasets.samples import Data, Splits
from nnintro.datasets.tables.cells import Array
from nnintro.datasets.tables.encoding import Encoding, unseen_note
from nnintro.datasets.tables.files.places import sha256_of, shown_path
from nnintro.datasets.tables.stream import Block, encoded_blocks, joined
from nnintro.errors import memory_for
from nnintro.models.standardized import numpy_type


def with_own_validation(splits: Splits, dataset: TableDataset, encoding: Encoding, chooser: torch.Generator) -> Splits:
    """The splits with the rows of ``validation.path`` for validation.

    Args:
        splits: all of the training's file.
        chooser: chooses the rows where there are more than ``samples``; of a series it is the latest.

    Raises:
        DataError: the file cannot be read as the training's was, or a cell of it not be used.
        OutOfMemoryError: its rows do not fit.
    """
    path = dataset.validation_file
    assert path is not None
    dtype, unseen, dropped = numpy_type(splits.train.inputs.dtype), "", 0

    def held(block: Block) -> Array:
        nonlocal unseen, dropped
        unseen, dropped = unseen_note(block.unseen), block.dropped
        return _held(block, splits, encoding, dtype)

    blocks = encoded_blocks(path, encoding, with_targets=True, drop=dataset.missing == "drop", keys=dataset.text_keys)
    with memory_for(f"the validation rows in {shown_path(path)}"):
        inputs, targets = joined(blocks, encoding, held)
        samples = Data(torch.from_numpy(inputs), torch.from_numpy(np.ascontiguousarray(targets)))
        data = _chosen(samples, dataset, chooser)
    facts = {**splits.facts, "validation_samples": len(data)}
    if dataset.missing == "drop":
        facts["dropped_validation_rows"] = dropped
    said = (f"{shown_path(path)}: {unseen}; unseen: error refuses them",) if unseen else ()
    is_standardized = splits.train.inputs_standardized
    return replace(
        splits,
        validation=replace(data, inputs_standardized=is_standardized),
        facts=facts,
        notes=(*splits.notes, *said),
        fingerprint=lambda: hashlib.sha256("".join(map(sha256_of, (dataset.path, path))).encode()).hexdigest(),
    )


def _held(block: Block, splits: Splits, encoding: Encoding, dtype: np.dtype[np.floating]) -> Array:
    """The inputs as the training's are held: standardised, in the run's precision; DataError where it cannot be."""
    inputs = block.inputs
    if (standard := splits.standardization) is not None and splits.train.inputs_standardized:
        inputs = (inputs - standard.mean.numpy()) / standard.scale.numpy()
    with np.errstate(over="ignore"):
        held = inputs.astype(dtype, copy=False)
    finite = np.isfinite(held)
    if not finite.all():
        sample, feature = (int(index) for index in np.argwhere(~finite)[0])
        row, name = block.row_of(sample, feature, encoding), encoding.column_of(feature).name
        expected = f"a number that {dtype.name} can hold"
        raise block.places.refusal(row, name, expected, float(block.inputs[sample, feature]))
    return held


def _chosen(data: Data, dataset: TableDataset, generator: torch.Generator) -> Data:
    """At most as many samples as ``samples`` asks for."""
    most, count = dataset.samples, len(data)
    if most is None or count <= most:
        return data
    if dataset.window is not None:
        return data.take(torch.arange(count - most, count))
    return data.take(torch.randperm(count, generator=generator)[:most].sort().values)
