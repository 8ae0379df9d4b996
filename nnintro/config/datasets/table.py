"""dataset kind ``table``: a file with a row for each sample and a column for each quantity."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag

from nnintro.config.section import Count, Fraction, one_or_list
from nnintro.config.task import FromFiles

ColumnName = Annotated[str, Field(min_length=1, max_length=1000)]

ColumnNames = Annotated[list[ColumnName], Field(max_length=100_000)]

OneOrMore = Annotated[
    Annotated[ColumnName, Tag("one")] | Annotated[ColumnNames, Tag("list"), Field(min_length=1)],
    Discriminator(one_or_list),
]


def _delimiter(text: str) -> str:
    if not text.isascii() or text.isalnum() or text in "\"'\r\n\0.+-_":
        raise ValueError(f"expected a mark that no cell contains, such as ';', got {text!r}")
    return text


class TableDataset(FromFiles):
    """A CSV, TSV, Parquet or .npz file; the network learns its target columns from the others."""

    kind: Literal["table"]
    path: Annotated[str, Field(min_length=1)]
    """The file, relative to the config: .csv, .tsv (also .gz), .parquet or .npz."""
    target: OneOrMore
    """The column to predict; several numeric ones as a list."""
    task_kind: Annotated[Literal["auto", "regression", "classification"], Field(alias="task")] = (
        "auto"
    )
    """auto: text and truth values are classes, numbers a regression."""
    inputs: ColumnNames | None = None
    """The columns to predict from; by default all but the target and `split_by`."""
    exclude: ColumnNames = Field(default=[])
    """Columns to leave out, where `inputs` is not given."""
    categorical: ColumnNames = Field(default=[])
    """Columns of numbers that are names: each value becomes an input of its own (one-hot). Columns
    of text are that anyway."""
    text: ColumnNames = Field(default=[])
    """Columns of words: each becomes counts of hashed words, scaled to a vector of length 1."""
    text_features: Annotated[int, Field(ge=2, le=1 << 20)] = 512
    """Inputs that a text column becomes."""
    missing: Literal["error", "drop", "mean", "indicator"] = "error"
    """Empty cells and the like (NA, N/A, n/a, nan, NaN, null, NULL, ?): error; drop the row (of the
    training's file; in others it is an error); take the training rows' mean; or that and a 0/1
    input besides. With the last two a missing category is a category of its own (where a training
    row lacks one; else it is unseen), missing text has no words, and a missing target is an error.
    """
    unseen: Literal["error", "zeros"] = "error"
    """Categories that no training row has, in validation rows and other files: error, or none of
    the known ones (all zeros)."""
    standardize: Literal["none", "inputs", "both"] = "both"
    """Shift and scale numeric inputs to mean 0 and deviation 1; both: a regression's targets too.
    Errors are told in the targets' own units all the same."""
    validation: Annotated[Fraction, Field(gt=0)] = 0.2
    """The fraction of the samples kept for validation."""
    split: Literal["auto", "random", "stratified", "group", "time"] = "auto"
    """How they are chosen: at random; within each class; whole groups; the latest. auto is the
    latest with a window, stratified for classes, else at random."""
    split_by: ColumnName | None = None
    """The column of the groups, or of the time (numbers, ISO dates); without it the rows of a time
    series are in order. It is an input only where `inputs` names it."""
    class_weights: Literal["none", "balanced"] = "none"
    """balanced: a sample counts by n / (classes * samples of its class) in the loss."""
    window: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """Rows of a time series that make one sample: this one and those before it, targets included.
    They follow each other as `split_by` says, or as in the file."""
    horizon: Annotated[int, Field(ge=1, le=100_000)] = 1
    """With a window: how many rows ahead the target is."""
    samples: Annotated[Count, Field(ge=2)] | None = None
    """At most so many rows (of a time series the latest, else chosen at random); all by default.
    More where so few cannot be split: a class needs two rows, and each is learned from."""
    encoding: Annotated[str, Field(min_length=1, max_length=40)] = "utf-8"
    """Of a text file, such as cp1252."""
    delimiter: (
        Annotated[str, Field(min_length=1, max_length=1), AfterValidator(_delimiter)] | None
    ) = None
    """Of a text file; seen from its first line by default."""

    @property
    def targets(self) -> list[str]:
        return self.target if isinstance(self.target, list) else [self.target]
