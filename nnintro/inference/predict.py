"""A trained run on a file of inputs, block by block."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import IO

from torch import Tensor

from nnintro.config.table import TableDataset
from nnintro.errors import UsageError
from nnintro.inference.answers import answers
from nnintro.inference.block import Block, numpy_type, rows_per_block
from nnintro.inference.columns import free, input_names, prediction_names
from nnintro.inference.output import write_output
from nnintro.inference.predict_table import predict_table
from nnintro.inference.read import open_table
from nnintro.inference.write import Columns, writer_for
from nnintro.models import input_precision, precision_of
from nnintro.training.assemble import threads, threads_for
from nnintro.training.run import load_run


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
    if isinstance(run.experiment.dataset, TableDataset):
        return predict_table(run, source, output, format_, say)
    if run.experiment.task.image is not None:
        message = f"{directory} was trained on images: expected an image or a folder of them"
        raise UsageError(message)
    task, logits = run.experiment.task, run.experiment.logits
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
                    _require_numbers(outputs, block)
                writer.write(block, answers(outputs, task, logits=logits))
                rows += len(block.numbers)
            writer.close()

        rows_at_once = rows_per_block(len(table.names))
        with threads(threads_for(run.model, rows_at_once)):
            write_output(output, fill)
    return rows


def _require_numbers(outputs: Tensor, block: Block) -> None:
    """What is no number is of no class, though every comparison would give it one."""
    bad = outputs.isnan().any(1)
    if bad.any():
        wanted = "inputs that the network has an answer for (here it gives nan)"
        raise block.refusal(int(bad.int().argmax()), 0, wanted)
