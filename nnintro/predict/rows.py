"""A trained run on a file of rows, block by block: its columns, then the predictions."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Container, Iterable, Iterator
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import torch
from torch import Tensor

from nnintro.config.datasets.table import TableDataset
from nnintro.datasets.tables import Block as TableBlock
from nnintro.datasets.tables import Encoding, encoded_blocks
from nnintro.datasets.tables.cells import is_numeral
from nnintro.errors import DataError, UsageError
from nnintro.models import Standardized, input_precision, output_precision, precision_of
from nnintro.models.forward import threads, threads_for
from nnintro.models.standardized import Array, numpy_type
from nnintro.predict import format_of
from nnintro.predict.inputs import Rows, fits, open_inputs, rows_per_block
from nnintro.predict.names import answers, free, input_names, prediction_names
from nnintro.predict.writers import Writer, texts, write_output, writer_for
from nnintro.runs.run import Run, load_run
from nnintro.wording import counted


def predict_file(
    run: Run | str | Path,
    source: str | Path,
    output: str | Path | None = None,
    format: str | None = None,
    runs_dir: str | Path = "runs",
    *,
    say: Callable[[str], None] = lambda _: None,
) -> int:
    """Predict every row of a file; returns how many predictions there are.

    Args:
        run: a run's folder, its name in ``runs_dir``, or what ``nnintro.train`` returned; a run on images has masks
            and not rows, see ``Run.predict``.
        source: a .csv, .tsv or .npy (of a run on a table also .parquet and .npz), or ``-`` for CSV on stdin.
        output: the file of predictions, behind the columns they are for; by default they go to stdout.
        format: csv, tsv, npy or jsonl; by default what the output's suffix says, and csv without an output.
        say: called with what a reader of the file should know.

    Raises:
        CheckpointError: the run cannot be used.
        UsageError: the format is unknown or contradicts the suffix, no file can be at ``output``, or the run takes
            images.
        DataError: the inputs cannot be used, or the predictions not be written.
    """
    place = None if output is None else Path(output)
    chosen, loaded = format_of(format, place), load_run(run, runs_dir)
    if loaded.has_table:
        return predict_table(loaded, str(source), place, chosen, say)
    if loaded.setup.task.image is not None:
        raise UsageError(f"{loaded.directory} was trained on images: expected an image or a folder of them")
    return _predict_numbers(loaded, str(source), place, chosen)


def _predict_numbers(run: Run, source: str, output: Path | None, format: str) -> int:
    """Predict every row of a file of inputs alone, in the order of the network's inputs."""
    task, logits = run.setup.task, run.setup.logits
    read, written = (numpy_type(of(run.model)) for of in (input_precision, precision_of))
    predicted = prediction_names(task, logits=logits)
    inputs = open_inputs(source, input_names(task), read)
    free(inputs.names, predicted, inputs.place)
    count = 0

    def fill(file: IO[bytes]) -> None:
        nonlocal count
        writer = writer_for(format, file, inputs.names, predicted, written)
        for rows in inputs.blocks():
            outputs = run.predict(rows.numbers.astype(read))
            if task.is_classification:
                _require_answers(outputs, rows)
            writer.write(rows, answers(outputs, task, logits=logits))
            count += len(rows.numbers)
        writer.close()

    with threads(threads_for(run.model, rows_per_block(len(inputs.names)))):
        write_output(output, fill)
    return count


def _require_answers(outputs: Tensor, rows: Rows) -> None:
    """NaN is not of any class, though comparisons would give it one."""
    bad = outputs.isnan().any(1)
    if bad.any():
        wanted = "inputs that the network has an answer for (here it gives nan)"
        raise rows.refusal(int(bad.int().argmax()), 0, wanted)


TEXT_FORMATS = ("csv", "tsv")


def encoding_of(run: Run) -> Encoding:
    """How the run's table became inputs."""
    encoding = run.reading
    assert isinstance(encoding, Encoding)
    return encoding


def table_blocks(run: Run, source: str, *, with_targets: bool = False) -> Iterator[TableBlock]:
    """The rows of a table, encoded as the training's were.

    Raises:
        DataError: they cannot be used, or not be held in the network's precision.
    """
    dataset, encoding = cast(TableDataset, run.setup.dataset), encoding_of(run)
    for block in encoded_blocks(
        source, encoding, with_targets=with_targets, text_encoding=dataset.encoding, delimiter=dataset.delimiter
    ):
        _require_held(block, encoding, run)
        yield block


def predict_table(run: Run, source: str, output: Path | None, format_: str, say: Callable[[str], None]) -> int:
    """Predict every row of a .csv, .tsv, .parquet or .npz; returns how many predictions there are.

    The columns that training had must be there, by name and in any order; others go through as
    they are.  Rows that have no whole window before them have no prediction.

    Raises:
        UsageError: no file can be at ``output``.
        DataError: the rows cannot be used, or the predictions not be written.
    """
    rows = unanswered = 0

    def fill(file: IO[bytes]) -> None:
        nonlocal rows, unanswered
        writing = _Writing(run, format_, file)
        for block in table_blocks(run, source):
            writing.write(block)
        writing.close()
        rows, unanswered = writing.rows, writing.unanswered

    with threads(threads_for(run.model, 1 << 12)):
        write_output(output, fill)
    if unanswered:
        say(f"no prediction for {counted(unanswered, 'row')} without a whole window before")
    return rows - unanswered


class _TableRows:
    """A block of a table, as it is written (see ``writers.Written``)."""

    def __init__(self, block: TableBlock, numbers: Container[str]) -> None:
        self._block, self._numbers = block, numbers

    def texts(self) -> list[list[str]]:
        return self._block.texts()

    def values(self) -> list[Iterable[Any]]:
        """Of a text file cells of the columns that training took as numbers are numbers, and empty
        ones null; other cells are texts as they stand.  Of other files numbers, truth values and
        texts stay what they are, and whatever else there is becomes text."""
        names = self._block.columns.schema.names
        return [
            [_json(value, as_number=name in self._numbers) for value in values]
            for name, values in zip(names, self._block.values(), strict=True)
        ]


_WHOLE = re.compile(r"[+-]?\d{1,300}", re.ASCII)


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


class _Writing:
    """Predictions behind the columns that they are for."""

    def __init__(self, run: Run, format_: str, file: IO[bytes]) -> None:
        self.run, self.format, self.file = run, format_, file
        self.encoding = encoding_of(run)
        self.task, self.logits = run.setup.task, run.setup.logits
        self.predicted = prediction_names(
            self.task, logits=self.logits, classes=self.encoding.classes, targets=self.encoding.target_names
        )
        self.numbers = {c.name for c in self.encoding.columns if c.kind == "number"}
        self.numbers |= {t.name for t in self.encoding.targets if t.kind == "number"}
        if self.encoding.window is not None and self.encoding.window.order is not None:
            self.numbers.add(self.encoding.window.order.name)
        self.writer: Writer | None = None
        self.rows = self.unanswered = 0

    def write(self, block: TableBlock) -> None:
        if self.writer is None:
            names = list(block.columns.schema.names)
            free(names, self.predicted, block.places.name)
            dtype = numpy_type(output_precision(self.run.model))
            self.writer = writer_for(self.format, self.file, names, self.predicted, dtype)
        self.writer.write(_TableRows(block, self.numbers), self._answers(block))
        self.rows += block.columns.num_rows
        self.unanswered += block.columns.num_rows - len(block.inputs)

    def close(self) -> None:
        assert self.writer is not None  # a table without rows was refused
        self.writer.close()

    def _answers(self, block: TableBlock) -> list[Array]:
        missing = block.columns.num_rows - len(block.inputs)
        outputs = self.run.predict(block.inputs)
        if self.task.classes:
            _require_numbers(outputs, block)
        found = answers(outputs, self.task, logits=self.logits)
        if self.task.classes:  # by their names, but in an array of numbers
            numbers = found[0]
            as_number = self.format == "npy"
            found[0] = numbers.astype(float) if as_number else np.array(self.task.classes)[numbers]
        if self.format in TEXT_FORMATS:
            return [np.concatenate([np.full(missing, ""), np.array(texts(a))]) for a in found]
        return [np.concatenate([_nothing(missing, a), a]) for a in found]


def _require_held(block: TableBlock, encoding: Encoding, run: Run) -> None:
    """Check that the network's precision can hold a block's inputs, standardised, and targets.

    Raises:
        DataError: it cannot, with the place of the first that is too large.
    """
    dtype, inputs = numpy_type(precision_of(run.model)), block.inputs
    if isinstance(run.model, Standardized):
        inputs = (inputs - run.model.mean.numpy()) / run.model.scale.numpy()
    bad = ~fits(inputs, dtype)
    if bad.any():
        sample, feature = (int(index) for index in np.argwhere(bad)[0])
        window = 1 if encoding.window is None else encoding.window.rows
        ago = window - 1 - feature // len(encoding.row_features)
        row = block.columns.num_rows - len(inputs) + sample - ago
        name = encoding.column_of(feature).name
        raise _too_large(block, row, name, float(block.inputs[sample, feature]), dtype)
    if block.targets is None or encoding.classes:
        return
    bad = ~fits(block.targets, dtype)
    if bad.any():
        row, index = (int(index) for index in np.argwhere(bad)[0])
        value = float(block.targets[row, index])
        raise _too_large(block, row, encoding.target_names[index], value, dtype)


def _too_large(block: TableBlock, row: int, name: str, value: float, dtype: np.dtype[Any]) -> DataError:
    return block.places.refusal(row, name, f"a number that {dtype.name} can hold", value)


def _require_numbers(outputs: torch.Tensor, block: TableBlock) -> None:
    """NaN is not of any class, though comparisons would give it one."""
    bad = outputs.isnan().any(1)
    if bad.any():
        row = block.columns.num_rows - len(outputs) + int(bad.int().argmax())
        wanted = "inputs that the network has an answer for, which here is nan"
        raise DataError(f"{block.places.at(row)}: expected {wanted}")


def _nothing(count: int, like: Array) -> Array:
    return np.full(count, np.nan if like.dtype.kind == "f" else "", like.dtype)
