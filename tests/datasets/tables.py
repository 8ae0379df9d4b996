"""What the tests of tables share: a file out of columns, and the samples that it becomes."""

from __future__ import annotations

import csv
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
import torch

from nnintro.config.datasets.table import TableDataset
from nnintro.datasets.tables import Encoding, build_table, encoded_blocks, joined
from nnintro.errors import ConfigError, DataError


def section(path, **keys):
    return TableDataset.model_validate({"kind": "table", "target": "y", **keys, "path": str(path)})


def built(path, seed=0, dtype=torch.float64, **keys):
    streams = [torch.Generator().manual_seed(2 * seed + k) for k in range(2)]
    return build_table(section(path, **keys), *streams, dtype)


def encoding_of(splits):
    """As a run reads it from data.json."""
    return Encoding.from_description(json.loads(json.dumps(splits.found.description)))


def refused(path, **keys):
    """The message with which the file cannot be used."""
    with pytest.raises((DataError, ConfigError)) as caught:
        built(path, **keys)
    return str(caught.value)


def write(path, columns):
    """Columns as lists of str, float or None, in the format that the file's name asks for."""
    if path.suffix == ".parquet":
        pyarrow.parquet.write_table(pa.table(columns), path, row_group_size=64)
    elif path.suffix == ".npz":
        np.savez(path, **{name: np.array(values) for name, values in columns.items()})
    else:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, delimiter="\t" if path.suffix == ".tsv" else ",")
            writer.writerow(columns)
            for row in zip(*columns.values(), strict=True):
                writer.writerow(["" if cell is None else cell for cell in row])
    return path


def numpy_parts(splits):
    """Training and validation inputs and targets."""
    return [tensor.numpy() for data in (splits.train, splits.validation) for tensor in (data.inputs, data.targets)]


def raw(splits):
    """All inputs in their own units, training first."""
    standard = splits.standardization
    inputs = torch.cat([splits.train.inputs, splits.validation.inputs]).double()
    return (inputs * standard.scale + standard.mean).numpy()


def encoded_samples(path, encoding, **options):
    """All of a file's samples with their targets: inputs (n, features) raw, and targets."""
    return joined(encoded_blocks(path, encoding, with_targets=True, **options), encoding)
