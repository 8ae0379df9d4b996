"""A trained run on a file of rows, block by block: its columns, then the predictions."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np
import torch
from torch import Tensor

from nnintro.config.datasets.table import TableDataset
from nnintro.datasets.tables import Block as TableBlock
from nnintro.datasets.tables import Encoding, encoded_blocks, shown_path
from nnintro.errors import DataError, UsageError
from nnintro.models import Standardized, input_precision, output_precision, precision_of
from nnintro.models.forward import threads, threads_for
from nnintro.models.standardized import Array, numpy_type
from nnintro.predict.block import Block, fits, rows_per_block, texts
from nnintro.predict.names import answers, free, input_names, prediction_names
from nnintro.predict.read import STDIN, open_table
from nnintro.predict.writers import Columns, TableLines, Writer, write_output, writer_for
from nnintro.runs.run import Run, load_run
from nnintro.wording import counted


def predict_file(
    directory: Path,
    source: str,
    output: Path | None,
    format_: str,
    say: Callable[[str], None] = lambda _: None,
) -> int:
    """Predict every row of a file; returns how many predictions there are.

    Args:
        directory: the run.
        source: a .csv, .tsv or .npy (of a run on a table also .parquet and .npz), or ``-`` for CSV
            on stdin.
        output: where to write; None for stdout.
        format_: csv, tsv, npy or jsonl.
        say: told what a reader of the file should know.

    Raises:
        CheckpointError: the run cannot be used.
        UsageError: no file can be at ``output``.
        DataError: the inputs cannot be used, or the predictions not be written.
    """
    run = load_run(directory)
    if run.has_table:
        return predict_table(run, source, output, format_, say)
    if run.setup.task.image is not None:
        message = f"{directory} was trained on images: expected an image or a folder of them"
        raise UsageError(message)
    task, logits = run.setup.task, run.setup.logits
    read, written = (numpy_type(of(run.model)) for of in (input_precision, precision_of))
    predicted = prediction_names(task, logits=logits)
    with open_table(source, input_names(task), read) as table:
        free(table.names, predicted, table.place)
        columns = Columns(table.names, table.positions, predicted)
        rows = 0

        def fill(file: IO[bytes]) -> None:
            nonlocal rows
            writer = writer_for(format_, file, columns, written)
            for block in table.blocks():
                outputs = run.predict(block.numbers.astype(read))
                if task.is_classification:
                    _require_answers(outputs, block)
                writer.write(block, answers(outputs, task, logits=logits))
                rows += len(block.numbers)
            writer.close()

        rows_at_once = rows_per_block(len(table.names))
        with threads(threads_for(run.model, rows_at_once)):
            write_output(output, fill)
    return rows


def _require_answers(outputs: Tensor, block: Block) -> None:
    """What is no number is of no class, though every comparison would give it one."""
    bad = outputs.isnan().any(1)
    if bad.any():
        wanted = "inputs that the network has an answer for (here it gives nan)"
        raise block.refusal(int(bad.int().argmax()), 0, wanted)


TEXT_FORMATS = ("csv", "tsv")


def encoding_of(run: Run) -> Encoding:
    """How the run's table became inputs."""
    encoding = run.reading
    assert isinstance(encoding, Encoding)
    return encoding


def predict_table(
    run: Run, source: str, output: Path | None, format_: str, say: Callable[[str], None]
) -> int:
    """Predict every row of a .csv, .tsv, .parquet or .npz; returns how many predictions there are.

    The columns that training had must be there, by name and in any order; others go through as
    they are.  Rows that have no whole window before them have no prediction.

    Raises:
        UsageError: no file can be at ``output``.
        DataError: the rows cannot be used, or the predictions not be written.
    """
    dataset = run.setup.dataset
    assert isinstance(dataset, TableDataset)
    rows = unanswered = 0

    def fill(file: IO[bytes]) -> None:
        nonlocal rows, unanswered
        writing = _Writing(run, format_, file)
        with path_of(source) as path:
            blocks = encoded_blocks(
                path,
                writing.encoding,
                text_encoding=dataset.encoding,
                delimiter=dataset.delimiter,
            )
            for block in blocks:
                writing.write(block)
        writing.close()
        rows, unanswered = writing.rows, writing.unanswered

    with threads(threads_for(run.model, 1 << 12)):
        write_output(output, fill)
    if unanswered:
        say(f"no prediction for {counted(unanswered, 'row')} without a whole window before")
    return rows - unanswered


@contextlib.contextmanager
def path_of(source: str) -> Iterator[str]:
    """The file; stdin is laid aside in one, for messages look into it a second time."""
    if source != STDIN:
        yield source
        return
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "stdin.csv")
        if sys.stdin is None:
            raise DataError("<stdin>: is closed")
        with Path(path).open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        try:
            yield path
        except DataError as error:
            told = str(error).replace(path, "<stdin>").replace(shown_path(path), "<stdin>")
            raise DataError(told) from error


class Lines(Protocol):
    """Takes a table's blocks in their order; ``close`` once after the last."""

    def write(self, block: TableBlock, predictions: Sequence[Array], /) -> None: ...

    def close(self) -> None: ...


class _Texts:
    """A writer of rows of text."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def write(self, block: TableBlock, predictions: Sequence[Array]) -> None:
        self._writer.write(_Rows(block), predictions)

    def close(self) -> None:
        self._writer.close()


class _Rows:
    """A block of a table, as writers of text take it: its cells."""

    numbers = np.empty((0, 0))

    def __init__(self, block: TableBlock) -> None:
        self.block = block

    def cells(self) -> list[list[str]]:
        return self.block.cells()

    def refusal(self, row: int, column: int, expected: str) -> DataError:
        return self.block.places.refusal(row, str(column), expected, None)


class _Writing:
    """Predictions behind the columns that they are for."""

    def __init__(self, run: Run, format_: str, file: IO[bytes]) -> None:
        self.run, self.format, self.file = run, format_, file
        self.encoding = encoding_of(run)
        self.task, self.logits = run.setup.task, run.setup.logits
        self.predicted = prediction_names(
            self.task,
            logits=self.logits,
            classes=self.encoding.classes,
            targets=self.encoding.target_names,
        )
        self.writer: Lines | None = None
        self.rows = self.unanswered = 0

    def write(self, block: TableBlock) -> None:
        if self.writer is None:
            names = list(block.columns.schema.names)
            free(names, self.predicted, block.places.name)
            self.writer = self._writer(names)
        self.writer.write(block, self._answers(block))
        self.rows += block.columns.num_rows
        self.unanswered += block.columns.num_rows - len(block.inputs)

    def _writer(self, names: list[str]) -> Lines:
        if self.format == "jsonl":
            return TableLines(self.file, self.encoding, self.predicted)
        dtype = numpy_type(output_precision(self.run.model))
        columns = Columns(names, [], self.predicted)
        return _Texts(writer_for(self.format, self.file, columns, dtype))

    def close(self) -> None:
        assert self.writer is not None  # a table without rows was refused
        self.writer.close()

    def _answers(self, block: TableBlock) -> list[Array]:
        missing = block.columns.num_rows - len(block.inputs)
        require_held(block, self.encoding, self.run)
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


def require_held(block: TableBlock, encoding: Encoding, run: Run) -> None:
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


def _too_large(
    block: TableBlock, row: int, name: str, value: float, dtype: np.dtype[Any]
) -> DataError:
    return block.places.refusal(row, name, f"a number that {dtype.name} can hold", value)


def _require_numbers(outputs: torch.Tensor, block: TableBlock) -> None:
    """What is no number is of no class, though every comparison would give it one."""
    bad = outputs.isnan().any(1)
    if bad.any():
        row = block.columns.num_rows - len(outputs) + int(bad.int().argmax())
        wanted = "inputs that the network has an answer for, which here is nan"
        raise DataError(f"{block.places.at(row)}: expected {wanted}")


def _nothing(count: int, like: Array) -> Array:
    return np.full(count, np.nan if like.dtype.kind == "f" else "", like.dtype)
