"""What the sections of the YAML share: strict, closed, immutable; their rules; common types."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainValidator,
    Tag,
    WithJsonSchema,
)
from pydantic_core import PydanticKnownError, core_schema

from nnintro.config.task import DataFacts
from nnintro.wording import shown

PATH, VALIDATION_PATH = "dataset.path", "dataset.validation.path"
"""The keys of what is read."""


class Section(BaseModel):
    """Unknown keys, converted types, infinities and later changes are all refused."""

    # Built on first use, all in one go from the root: a fifth of the time of building each alone.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False, defer_build=True)

    rules: ClassVar[tuple[Rule, ...]] = ()
    """Those of the section alone, set below it in its file."""


@dataclass(frozen=True)
class Complaint:
    """A rule that is broken: the key to change, and why."""

    path: str
    message: str
    entry: str | None = None
    """The entry under ``path`` whose own key is at fault, where users name the keys (metrics)."""


Complaints = Iterator[Complaint]


@dataclass(frozen=True)
class Rule:
    """A check that types cannot make, and the keys that it reads."""

    check: Callable[[Any], Complaints]
    """Takes the section that the rule belongs to (see ``rules`` for those across sections)."""
    reads: tuple[str, ...]
    """Where one of these is itself in error the rule is skipped: one mistake is reported once."""


class DatasetSection(Section):
    """What the rest of the code may ask of every kind of dataset; a kind overrides what differs."""

    gives: ClassVar[Literal["rows", "images"]] = "rows"
    """What a sample's input is."""

    @property
    def facts(self) -> DataFacts | None:
        """Task and number of samples; None where only its files say so."""
        return None

    @property
    def source(self) -> str:
        """Where the samples come from, in a word: a formula, a generator, a name, a path."""
        return ""

    @property
    def targets(self) -> list[str]:
        """The names of the target columns, where they have some."""
        return []

    @property
    def files(self) -> str | None:
        """The path of the file or folder that is read."""
        return None

    @property
    def validation_file(self) -> str | None:
        """The path of validation data of its own, where there is some."""
        own = getattr(self, "validation", None)
        return own.path if isinstance(own, ValidationData) else None

    @property
    def paths(self) -> dict[str, str]:
        """Key -> path, of all that is read."""
        named = {PATH: self.files, VALIDATION_PATH: self.validation_file}
        return {key: path for key, path in named.items() if path is not None}

    def with_paths(self, paths: Mapping[str, str]) -> Self:
        """The section with other paths under these keys (see ``paths``)."""
        update: dict[str, Any] = {}
        if PATH in paths:
            update["path"] = paths[PATH]
        own = getattr(self, "validation", None)
        if VALIDATION_PATH in paths and isinstance(own, ValidationData):
            update["validation"] = own.model_copy(update={"path": paths[VALIDATION_PATH]})
        return self.model_copy(update=update)

    @property
    def formulas(self) -> list[str]:
        """The basis functions that the network takes in place of the inputs; none where it takes these."""
        return []

    def keys_of_numbers(self, *, noise: bool) -> tuple[str, str]:  # noqa: ARG002
        """The keys that inputs and targets follow from; the targets with or without their noise."""
        return "dataset", "dataset"

    @property
    def weighs_classes(self) -> bool:
        """Whether a sample's class decides what it counts in the loss."""
        return False

    @property
    def ignores_pixels(self) -> bool:
        """Whether a mask has pixels that enter neither loss nor metrics."""
        return False

    def resolved(self) -> dict[str, Any]:
        """The values that follow from others, written out."""
        return {}

    def under(self, loss: str | None) -> Self:  # noqa: ARG002
        """The section as a loss has it, where that decides what ``auto`` stands for."""
        return self

    def few(self, _: int) -> dict[str, Any]:
        """The keys that cut the data down to about this many samples, for ``--smoke``."""
        return {}


class ModelSection(Section):
    """The same of every kind of model."""

    takes: ClassVar[Literal["rows", "images"]] = "rows"

    @property
    def final_activation(self) -> str:
        """What the outputs go through."""
        return "identity"

    @property
    def is_random(self) -> bool:
        """Whether an update sees another network than the one before: dropout."""
        return False

    def resolved(self) -> dict[str, Any]:
        """The settings whose default follows from others, written out."""
        return {}

    @property
    def mixes_samples(self) -> bool:
        """Whether a sample's output depends on the others of its block: batch normalization."""
        return False

    def notes(self) -> list[str]:
        """Sentences about choices that train less than they seem to."""
        return []


def _path(value: Any) -> str:
    """A text that is not empty; pydantic's own texts cannot hold the path of a file whose name is not UTF-8."""
    if not isinstance(value, str):
        raise PydanticKnownError("string_type")
    if not value:
        raise PydanticKnownError("string_too_short", {"min_length": 1})
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", value):
        raise ValueError(f"nothing is downloaded; expected a path to a file that is here, got {value!r}")
    return value


FilePath = Annotated[str, PlainValidator(_path), WithJsonSchema({"minLength": 1, "type": "string"})]
Fraction = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]


class ValidationData(Section):
    """Validation data of its own."""

    path: FilePath
    """Laid out as the training's is, and read the same way; relative to the config."""


def _fraction(value: Any) -> Any:
    """Refuse what is not a fraction; the message names validation data of its own, which pydantic's does not."""
    wanted = "expected a number above 0 and below 1, or {path: ...} for validation data of its own"
    if isinstance(value, str) and not re.match(r"[\d.,]", value):
        hint = f"; write {{path: {value}}}" if value.isprintable() and value else ""
        raise ValueError(f"{wanted}, got {shown(value)}{hint}")
    if isinstance(value, int | float) and not isinstance(value, bool) and not 0 < value < 1:
        raise ValueError(f"{wanted}, got {shown(value)}")
    return value


def fraction_or_own(value: Any) -> str:
    """The tag of a union of a fraction and a section of validation data."""
    return "own" if isinstance(value, dict | Section) else "fraction"


FractionTag = Annotated[Fraction, Field(gt=0), BeforeValidator(_fraction), Tag("fraction")]
FractionOrData = Annotated[FractionTag | Annotated[ValidationData, Tag("own")], Discriminator(fraction_or_own)]
Count = Annotated[int, Field(ge=1, le=100_000_000)]
Standardize = Literal["none", "inputs"]


@dataclass(frozen=True)
class NameOrMapping:
    """Lets ``adam`` stand for ``{kind: adam}``, in the YAML and in its JSON Schema."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(_name_to_mapping, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        mapping = handler(schema)
        return {"anyOf": [{"enum": list(mapping["discriminator"]["mapping"])}, mapping]}


def _name_to_mapping(value: Any) -> Any:
    return {"kind": value} if isinstance(value, str) else value


def exactly(count: int, wanted: str) -> BeforeValidator:
    """A list of ``count``, asked for in words of its own: ``[low, high]``."""

    def check(value: Any) -> Any:
        if not isinstance(value, list) or len(value) != count:
            raise ValueError(f"expected {wanted}, got {shown(value)}")
        return value

    return BeforeValidator(check)


def one_or_list(value: Any) -> str:
    """The tag of a union of a thing and a list of such things."""
    return "list" if isinstance(value, list | tuple) else "one"


def held_out(samples: int, fraction: float) -> int:
    """How many of the samples that fraction is: at least one, never all."""
    return min(max(1, round(samples * fraction)), samples - 1)


def class_parts_fit(training: int, validation: int, classes: int) -> Complaints:
    """Training and validation part can each hold a sample of every class."""
    if min(training, validation) < classes:
        yield Complaint(
            "dataset.samples",
            f"too few: {training} for training and {validation} for validation cannot both hold all {classes} classes",
        )


def samples_for_classes(classes: int, validation: float) -> int:
    """How many samples it takes to hold every class on both sides of a split."""
    return math.ceil((classes + 1) / min(validation, 1 - validation))
