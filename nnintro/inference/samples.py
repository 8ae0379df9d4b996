"""Samples to evaluate a run on: a file of inputs and targets, or a dataset section."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import IO, Literal

import numpy as np
import torch

from nnintro.config.load import load_config
from nnintro.config.task import Task
from nnintro.datasets import Data
from nnintro.errors import ConfigError, DataError
from nnintro.inference.arrays import ArrayBlock, check_shape, read_header
from nnintro.inference.block import Array, Block
from nnintro.inference.columns import MOST_NAMED, counted, input_names, target_names
from nnintro.inference.read import STDIN, SUFFIXES, open_table, opened, unknown_suffix
from nnintro.inference.trained import Trained
from nnintro.training.assemble import build_data

YAML = (".yaml", ".yml")
EXPECTED = ".csv, .tsv, .npy, .npz or .yaml, or - for CSV on stdin"


def samples_of(source: str, trained: Trained) -> tuple[Data, bool]:
    """The samples of a file in float64, raw, and whether they include the noise-free truth.

    Raises:
        DataError: the file cannot be read, or is no table of this run's inputs and targets.
        ConfigError: the dataset section is wrong, or is of another task.
    """
    suffix = Path(source).suffix.lower()
    task = trained.task
    if suffix in YAML:
        return validation_of(Path(source), task)
    if suffix == ".npz":
        return _from_npz(Path(source), trained), task.has_truth
    if source != STDIN and suffix not in SUFFIXES:
        with opened(Path(source)):  # what is not there has no suffix either
            raise unknown_suffix(Path(source), EXPECTED)
    with open_table(source, _names(task), trained.dtype) as table:
        blocks = [_numbers(block, task) for block in table.blocks()]
    numbers = np.concatenate(blocks)
    return _data(numbers[:, : task.inputs], numbers[:, task.inputs :], task), task.has_truth


def validation_of(path: Path, task: Task) -> tuple[Data, bool]:
    """The validation part of a config's dataset; the file needs no other section."""
    # Of whatever network the file may speak, this one is not asked for.
    config = load_config(path, ["model={kind: mlp, hidden: []}"])
    other = config.experiment.task
    with config.locating():
        if (other.kind, other.inputs, other.outputs) != (task.kind, task.inputs, task.outputs):
            message = f"expected {_shape(task)}, as the run was trained for; got {_shape(other)}"
            raise ConfigError.at("dataset", message)
        return build_data(config.experiment).validation, other.has_truth


def _shape(task: Task) -> str:
    kind = f"{len(task.classes)} classes" if task.is_classification else "regression"
    outputs = "" if task.is_classification else f" and {counted(task.outputs, 'output')}"
    return f"{kind} of {counted(task.inputs, 'input')}{outputs}"


def _names(task: Task) -> list[str]:
    return [*input_names(task), *target_names(task)]


def _numbers(block: Block, task: Task) -> Array:
    """A block's inputs and targets in float64."""
    _check_classes(block, task.inputs, task)
    numbers: Array = block.numbers.astype(np.float64)
    return numbers


def _check_classes(block: Block, column: int, task: Task) -> None:
    """Where there are classes, the column holds their numbers."""
    if not task.is_classification:
        return
    labels, largest = block.numbers[:, column], len(task.classes) - 1
    bad = (labels < 0) | (labels > largest) | (labels != np.floor(labels))
    if bad.any():
        row = int(bad.argmax())
        raise block.refusal(row, column, f"a class number from 0 to {largest}")


def _data(inputs: Array, targets: Array, task: Task) -> Data:
    """As ``datasets.Data`` has them: two classes as (n, 1) floats, more as (n,) integers."""
    found = torch.from_numpy(np.ascontiguousarray(targets))
    if task.kind == "multiclass":
        found = found[:, 0].long()
    return Data(torch.from_numpy(np.ascontiguousarray(inputs)), found)


def _from_npz(path: Path, trained: Trained) -> Data:
    """The arrays ``inputs`` (n, inputs) and ``targets`` (n, outputs); one column may be (n,)."""
    task = trained.task
    columns = {"inputs": input_names(task), "targets": target_names(task)}
    blocks: dict[str, ArrayBlock] = {}
    with opened(path) as file:
        for key, values in _arrays(file, path, columns).items():
            blocks[key] = ArrayBlock(values, f"{path}: {key}", columns[key], trained.dtype)
    inputs, targets = (block.numbers.astype(np.float64) for block in blocks.values())
    if len(inputs) != len(targets):
        counts = f"{len(inputs):,} rows of inputs and {len(targets):,} of targets"
        raise DataError(f"{path}: expected as many of each, found {counts}")
    _check_classes(blocks["targets"], 0, task)
    return _data(inputs, targets, task)


def _arrays(file: IO[bytes], path: Path, columns: dict[str, list[str]]) -> dict[str, Array]:
    """The named arrays of an archive, checked before they are unpacked."""
    try:
        with zipfile.ZipFile(file) as archive:
            there = [name.removesuffix(".npy") for name in archive.namelist()]
            for key in columns:
                if key not in there:
                    found = ", ".join(map(repr, there[:MOST_NAMED])) or "nothing"
                    raise DataError(f"{path}: array {key!r} is missing; found {found}")
            return {key: _array(archive, path, key, len(columns[key])) for key in columns}
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, ValueError) as error:
        # RuntimeError: encrypted, or packed in a way that this Python cannot unpack.
        raise DataError(f"{path}: not a readable .npz file") from error


def _array(archive: zipfile.ZipFile, path: Path, key: str, columns: int) -> Array:
    name = f"{path}: {key}"
    with archive.open(f"{key}.npy") as file:
        header = read_header(file, archive.getinfo(f"{key}.npy").file_size, name)
        check_shape(header.shape, columns, name)
        data = file.read(header.bytes)
    order: Literal["C", "F"] = "F" if header.fortran else "C"
    return np.frombuffer(data, header.dtype).reshape(header.shape, order=order)
