"""Predict every row of a file with a trained run, block by block, behind the columns it has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import IO, cast

import numpy as np
import torch
from torch import Tensor

from nnintro.config.datasets.table import TableDataset
from nnintro.config.task import Task, prediction_names
from nnintro.datasets.tables import Block, Encoding, encoded_blocks
from nnintro.datasets.tables.columns.column import Unseen
from nnintro.datasets.tables.encoding import unseen_note
from nnintro.errors import DataError, UsageError, memory_for
from nnintro.files import refuse_own_input
from nnintro.models import Standardized, input_precision, output_precision, precision_of
from nnintro.models.basis import first_not_finite
from nnintro.models.forward import own_modes, threads, threads_for
from nnintro.models.standardized import Array, numpy_type
from nnintro.predict import format_of
from nnintro.predict.inputs import Rows, fits, open_inputs, rows_per_block
from nnintro.predict.names import answers, free, input_names
from nnintro.predict.writers import texts, write_output, write_predictions
from nnintro.runs.run import Run, load_run
from nnintro.wording import counted

WANTED = "inputs whose outputs are numbers (here an output is nan)"


@own_modes()
@memory_for("the predictions")
def predict_file(
    run: Run | str | Path,
    source: str | Path,
    output: str | Path | None = None,
    format: str | None = None,
    runs_dir: str | Path = "runs",
    *,
    say: Callable[[str], None] = lambda _: None,
    spreadsheet_safe: bool = False,
    unseen: Unseen | None = None,
) -> int:
    """Predict every row of a file; returns how many predictions there are.

    Args:
        run: a run's folder, its name in ``runs_dir``, or what ``nnintro.train`` returned; a run on images has masks
            and not rows, see ``Run.predict``.
        source: a .csv, .tsv or .npy (of a run on a table also .parquet and .npz), or ``-`` for CSV on stdin.
        output: the file of predictions, behind the columns they are for; by default they go to stdout.
        format: csv, tsv, npy or jsonl; by default what the output's suffix says, and csv without an output.
        say: called with what a reader of the file should know.
        unseen: of a run on a table, what becomes of categories that training did not have: zeros or error; by default
            what the run's config says.
        spreadsheet_safe: of csv and tsv, put ' in front of texts that a spreadsheet would compute (=, +, -, @).

    Raises:
        CheckpointError: the run cannot be used.
        UsageError: the format is unknown or contradicts the suffix, no file can be at ``output``, or the run takes
            images.
        DataError: the inputs cannot be used, or the predictions not be written.
    """
    place = None if output is None else Path(output)
    loaded = with_unseen(load_run(run, runs_dir), unseen)
    chosen = format_of(format, place)
    if place is not None:
        refuse_own_input(source, place)
    if loaded.has_table:
        return predict_table(loaded, str(source), place, chosen, say, spreadsheet_safe=spreadsheet_safe)
    if loaded.setup.task.image is not None:
        raise UsageError(f"{loaded.directory} was trained on images: expected an image or a folder of them")
    return _predict_numbers(loaded, str(source), place, chosen, safe=spreadsheet_safe)


def _predict_numbers(run: Run, source: str, output: Path | None, format: str, *, safe: bool) -> int:
    """Predict every row of a file of inputs alone, in the order of the network's inputs."""
    task, logits = run.setup.task, run.setup.logits
    read, written = (numpy_type(of(run.model)) for of in (input_precision, precision_of))
    predicted = prediction_names(task, logits=logits)
    inputs = open_inputs(source, input_names(task), read)
    free(inputs.names, predicted, inputs.place)
    count = 0

    def answered() -> Iterator[tuple[Rows, list[Array]]]:
        nonlocal count
        for rows in inputs.blocks():
            outputs = run.predict(rows.numbers.astype(read))
            bad = _without_class(outputs, task)
            if bad is not None:
                raise rows.refusal(bad, 0, WANTED)
            basis, exact = run.setup.basis, torch.from_numpy(rows.numbers.astype(np.float64))
            if basis and (undefined := first_not_finite(basis, exact)) is not None:
                row, index, _ = undefined
                raise rows.refusal(row, 0, f"inputs at which {basis[index]} has a value")
            yield rows, answers(outputs, task, logits=logits, scores=run.setup.scores)
            count += len(rows.numbers)

    with threads(threads_for(run.model, rows_per_block(len(inputs.names)))):
        write_output(
            output,
            lambda file: write_predictions(
                format, file, inputs.names, predicted, written, answered(), spreadsheet_safe=safe
            ),
        )
    return count


def with_unseen(run: Run, unseen: Unseen | None) -> Run:
    """The run, newly loaded, with another treatment of categories that training did not have.

    Raises:
        UsageError: it was not trained on a table.
    """
    if unseen is not None:
        if not run.has_table:
            raise UsageError("--unseen applies to runs on tables, whose columns may be categories")
        run.reading = replace(run.reading, unseen=unseen)
    return run


def encoding_of(run: Run) -> Encoding:
    """How the run's table became inputs."""
    return cast(Encoding, run.reading)


def table_blocks(run: Run, source: str, *, with_targets: bool = False) -> Iterator[Block]:
    """The rows of a table, encoded as the training's were.

    Raises:
        DataError: they cannot be used, or not be held in the network's precision.
    """
    dataset, encoding = cast(TableDataset, run.setup.dataset), encoding_of(run)
    for block in encoded_blocks(source, encoding, with_targets=with_targets, keys=dataset.text_keys):
        _require_held(block, encoding, run)
        yield block


def predict_table(
    run: Run,
    source: str,
    output: Path | None,
    format_: str,
    say: Callable[[str], None],
    *,
    spreadsheet_safe: bool = False,
) -> int:
    """Predict every row of a .csv, .tsv, .parquet or .npz; returns how many predictions there are.

    The columns that training had must be there, by name and in any order; others go through as
    they are.  Rows that have no whole window before them have no prediction.

    Raises:
        UsageError: no file can be at ``output``.
        DataError: the rows cannot be used, or the predictions not be written.
    """
    encoding, task, logits = encoding_of(run), run.setup.task, run.setup.logits
    predicted = prediction_names(task, logits=logits, classes=encoding.classes, targets=encoding.target_names)
    dtype = numpy_type(output_precision(run.model))
    rows = unanswered = 0
    unseen: Mapping[str, int] = {}

    def answered(blocks: Iterable[Block]) -> Iterator[tuple[Block, list[Array]]]:
        nonlocal rows, unanswered, unseen
        for block in blocks:
            yield block, _answers(run, block, format_)
            rows += block.columns.num_rows
            unseen = block.unseen
            unanswered += block.columns.num_rows - len(block.rows)

    def fill(file: IO[bytes]) -> None:
        blocks = table_blocks(run, source)
        first = next(blocks)  # a table without rows was refused
        names = first.columns.schema.names
        free(names, predicted, first.places.name)
        every = answered(chain([first], blocks))
        write_predictions(format_, file, names, predicted, dtype, every, spreadsheet_safe=spreadsheet_safe)

    with threads(threads_for(run.model, 1 << 12)):
        write_output(output, fill)
    if note := unseen_note(unseen):
        say(note)
    if unanswered:
        say(f"no prediction for {counted(unanswered, 'row')} without a whole window before")
    return rows - unanswered


def _without_class(outputs: Tensor, task: Task) -> int | None:
    """The first row whose outputs give no class; None if there is no such row."""
    bad = outputs.isnan().any(1)
    # NaN does not belong to any class, but comparisons would assign one.
    return int(bad.int().argmax()) if task.is_classification and bad.any() else None


def _answers(run: Run, block: Block, format_: str) -> list[Array]:
    """One (rows of the block,) array per predicted column."""
    task = run.setup.task
    outputs = run.predict(block.inputs)
    bad = _without_class(outputs, task)
    if bad is not None:
        raise DataError(f"{block.places.at(int(block.rows[bad]))}: expected {WANTED}")
    columns = answers(outputs, task, logits=run.setup.logits, scores=run.setup.scores)
    if task.classes:  # by their names, but in an array of numbers
        columns[0] = columns[0].astype(float) if format_ == "npy" else np.array(task.classes)[columns[0]]
    if format_ in ("csv", "tsv"):
        columns = [np.array(texts(column)) for column in columns]
    return [_of_all_rows(column, block) for column in columns]


def _of_all_rows(column: Array, block: Block) -> Array:
    """Of rows with inputs -> of all rows of the block; a row without inputs has an empty text or NaN."""
    every = np.full(block.columns.num_rows, np.nan if column.dtype.kind == "f" else "", column.dtype)
    every[block.rows] = column
    return every


UNHELD = "has no value that {} can hold"


def _require_held(block: Block, encoding: Encoding, run: Run) -> None:
    """Raise DataError where the network's precision cannot hold the inputs, standardised, or targets."""
    dtype, inputs = numpy_type(precision_of(run.model)), block.inputs
    if isinstance(run.model, Standardized):
        features = run.model.features(torch.from_numpy(inputs)).numpy()
        inputs = (features - run.model.mean.numpy()) / run.model.scale.numpy()
    bad = ~fits(inputs, dtype)
    if bad.any() and run.setup.basis:
        sample, index = (int(index) for index in np.argwhere(bad)[0])
        place = block.places.at(int(block.rows[sample]))
        raise DataError(f"{place}: the basis function {run.setup.basis[index]} {UNHELD.format(dtype.name)} here")
    if bad.any():
        sample, feature = (int(index) for index in np.argwhere(bad)[0])
        row = block.row_of(sample, feature, encoding)
        name, value = encoding.column_of(feature).name, block.inputs[sample, feature]
    elif block.targets is not None and not encoding.classes and (bad := ~fits(block.targets, dtype)).any():
        row, index = (int(index) for index in np.argwhere(bad)[0])
        name, value = encoding.target_names[index], block.targets[row, index]
    else:
        return
    raise block.places.refusal(row, name, f"a number that {dtype.name} can hold", float(value))
