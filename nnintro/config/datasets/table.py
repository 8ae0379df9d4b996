"""dataset kind ``table``: a file with one row per sample and one column per quantity."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Discriminator, Field, PrivateAttr, Tag

from nnintro.config.datasets.basis import Basis
from nnintro.config.datasets.spelling_keys import (
    DateFormat,
    DecimalOrMapping,
    NoValuesOrMapping,
    Strip,
    ThousandsOrMapping,
)
from nnintro.config.datasets.text_keys import (
    ColumnName,
    ColumnNames,
    Comment,
    Delimiter,
    LineCount,
    Lines,
    TextKeys,
    composed,
)
from nnintro.config.section import (
    Count,
    DatasetSection,
    FilePath,
    FractionOrData,
    Positive,
    ValidationData,
    one_or_list,
)

NameOrNone = Annotated[str, Field(max_length=1000), AfterValidator(composed)]
OneOrMore = Annotated[
    Annotated[ColumnName, Tag("one")] | Annotated[ColumnNames, Tag("list"), Field(min_length=1)],
    Discriminator(one_or_list),
]


LOSSES_OF_NUMBERS = ("mse", "mae", "huber")
"""Losses that say of 0 and 1 that they are meant as numbers."""


class TableDataset(DatasetSection):
    """A CSV, TSV, Parquet or .npz file; the network learns its target columns from the others."""

    kind: Literal["table"]
    path: FilePath
    """The file, relative to the config: .csv, .tsv (also .gz), .parquet or .npz."""
    target: OneOrMore
    """The column to predict; several numeric ones as a list."""
    task_kind: Annotated[Literal["auto", "regression", "classification"], Field(alias="task")] = "auto"
    """auto: text, truth values and two whole numbers (0 and 1) are classes, other numbers a regression; with
    loss mse, mae or huber two whole numbers are one too."""
    inputs: ColumnNames | None = None
    """The columns to predict from; by default all but the target and `split_by`."""
    exclude: Annotated[list[NameOrNone], Field(max_length=100_000)] = Field(default=[])
    """Columns to leave out, where `inputs` is not given; '' is those without a name."""
    categorical: ColumnNames = Field(default=[])
    """Columns of numbers that are names: each value becomes an input of its own (one-hot). Columns
    of text are that anyway."""
    text: ColumnNames = Field(default=[])
    """Columns of words: each becomes counts of hashed words, scaled to a vector of length 1."""
    text_features: Annotated[int, Field(ge=2, le=1 << 20)] = 512
    """Inputs that a text column becomes."""
    missing: Literal["error", "drop", "mean", "indicator"] = "error"
    """Empty cells and the like (NA, N/A, n/a, #N/A, <NA>, nan, NaN, None, null, NULL, ?): error; drop the row (of the
    training's file; in others it is an error); take the training rows' mean; or that and a 0/1
    input besides. With the last two a missing category is a category of its own (where a training
    row lacks one; else all zeros), missing text has no words, and a missing target is an error.
    """
    unseen: Literal["error", "zeros"] = "zeros"
    """Categories that no training row has, in validation rows and other files: none of the known
    ones (all zeros), with a note; or an error."""
    standardize: Literal["none", "inputs", "both"] = "both"
    """Shift and scale numeric inputs to mean 0 and deviation 1; both: a regression's targets too.
    Errors are still in the targets' own units."""
    validation: FractionOrData = 0.2
    """The fraction of the samples kept for validation; or {path: test.csv}, a file of its own, encoded as the
    training's is: all of the training's file is learned from then."""
    split: Literal["auto", "random", "stratified", "group", "time"] = "auto"
    """How they are chosen: at random; within each class; whole groups; the latest. auto is the
    latest with a window, stratified for classes, else at random."""
    split_by: OneOrMore | None = None
    """The column of the groups, or of the time (numbers, dates); [Date, Time] where one has the day and one the time
    of day. Without it the rows of a time series are in order. It is an input only where `inputs` names it."""
    series: OneOrMore | None = None
    """The column, or columns, that tell several series of one table apart, such as shops: no window reaches from
    one into another, and the latest part of each is kept for validation. Inputs only where `inputs` names them."""
    gaps: Literal["note", "error", "allow"] = "note"
    """Where `split_by` shows holes in a series with a window: a note, an error, or nothing."""
    dates: Annotated[dict[ColumnName, DateFormat], Field(max_length=1000)] = Field(default={})
    """Columns of dates or times that are not ISO's, each with its format as Python's strptime has it, such as
    `{day: "%d.%m.%Y"}`."""
    class_weights: Literal["none", "balanced"] = "none"
    """balanced: a sample counts by n / (classes * samples of its class) in the loss."""
    window: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """Rows of a time series that make one sample: this one and those before it, targets included.
    They follow each other as `split_by` says, or as in the file."""
    horizon: Annotated[int, Field(ge=1, le=100_000)] = 1
    """With a window: how many rows ahead the target is."""
    samples: Annotated[Count, Field(ge=2)] | None = None
    """At most this many rows (of a time series the latest, else chosen at random); all by default.
    More where they could not be split: every class needs a row on both sides."""
    memory: Positive = 4096.0
    """MiB that the file may take once it is unpacked, and its columns in memory, 8 bytes for each cell that is
    read. What takes more is an error; a file of kilobytes may unpack to gigabytes."""
    encoding: Annotated[str, Field(min_length=1, max_length=40)] = "utf-8"
    """Of a text file, such as cp1252."""
    delimiter: Delimiter | None = None
    """Of a text file, such as ; or a tab; whitespace is one blank or tab or more. Seen from its first line by
    default."""
    header: bool | None = None
    """false: a text file's first line is a row already, and its columns are called `column 1`, `column 2`, ...
    unless `names` names them. true: it holds names, even if they look like numbers."""
    names: Annotated[ColumnNames, Field(min_length=1)] | None = None
    """The names of a text file's columns, in their order: of one without a header, or in place of its header
    (with `header: true`)."""
    skip_rows: Lines = 0
    """Lines of a text file that are not read: so many at its top, or as a list those of these numbers, as an
    editor shows them ([2]: a row of units below the header)."""
    skip_footer: LineCount = 0
    """So many lines at the end of a text file, blank ones aside, are not read."""
    comment: Comment | None = None
    """Lines of a text file that begin with this, such as '#', are not read."""
    decimal: DecimalOrMapping | None = None
    """The decimal mark of numbers in texts, '.' by default; of some columns only as a mapping: {price: ','}."""
    thousands: ThousandsOrMapping | None = None
    """What stands between groups of three digits: ',', '.', "'", '_' or ' ' (any blank); by default nothing does.
    Also as a mapping of columns."""
    strip: Strip = Field(default=[])
    """What may stand beside numbers in their cells and says nothing, such as ['$', '%', kg]: 5 % is read as 5."""
    missing_values: NoValuesOrMapping = Field(default=[])
    """What stands for no value besides the empty cell and the like, such as ['-', -999]; numbers count however
    they are written. Of some columns only as a mapping: {age: [-999]}."""
    basis: Basis | None = None
    """Basis functions: formulas of the inputs by the names of their columns, such as `[area, log(rooms)]`,
    that the network takes in place of them. An input whose name is not a plain word is `x3`, by its place
    among the inputs. They are a part of the model: `predict` is asked with the columns themselves."""

    _two_numbers_are_classes: bool = PrivateAttr(default=True)

    def under(self, loss: str | None) -> Self:
        section = self.model_copy()
        section._two_numbers_are_classes = loss not in LOSSES_OF_NUMBERS
        return section

    @property
    def two_numbers_are_classes(self) -> bool:
        """Whether a target of two whole numbers is taken as classes."""
        return self.task_kind == "auto" and self._two_numbers_are_classes

    @property
    def targets(self) -> list[str]:
        return self.target if isinstance(self.target, list) else [self.target]

    @property
    def held_out(self) -> float:
        """The fraction of the file's samples that are kept for validation: none where that has a file of its own."""
        return 0.0 if isinstance(self.validation, ValidationData) else self.validation

    @property
    def split_names(self) -> list[str]:
        """The column of the groups or the time, or those of the day and the time of day; none where there is none."""
        return [self.split_by] if isinstance(self.split_by, str) else self.split_by or []

    @property
    def series_names(self) -> list[str]:
        """The columns that tell series apart; none where all rows are one series."""
        return [self.series] if isinstance(self.series, str) else self.series or []

    @property
    def formulas(self) -> list[str]:
        return self.basis or []

    @property
    def text_keys(self) -> TextKeys:
        """How its text files are laid out."""
        skipped = frozenset(self.skip_rows) if isinstance(self.skip_rows, list) else self.skip_rows
        return TextKeys(
            self.encoding, self.delimiter, self.header, tuple(self.names or ()),
            skip_lines=skipped, skip_footer=self.skip_footer, comment=self.comment,
        )  # fmt: skip

    @property
    def source(self) -> str:
        return self.path

    @property
    def files(self) -> str:
        return self.path

    @property
    def weighs_classes(self) -> bool:
        return self.class_weights != "none"

    def few(self, samples: int) -> dict[str, Any]:
        # The first rows of a series are only the past of later samples.
        before = 0 if self.window is None else self.window - 1 + self.horizon
        rows = samples if 2 * before <= samples else samples + before
        # With few rows, validation may hold categories that training lacks.
        return {"samples": min(self.samples or rows, rows), "unseen": "zeros"}
