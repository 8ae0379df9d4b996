"""The keys of dataset kind ``images`` that say where files and their masks lie, and what a mask's pixels mean."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag

from nnintro.config.section import (
    Complaint,
    Complaints,
    DatasetSection,
    FilePath,
    FractionTag,
    Rule,
    Section,
    ValidationData,
    fraction_or_own,
)
from nnintro.wording import shown

MOST_CLASSES = 256
MaskValue = Annotated[int, Field(ge=0, lt=1 << 16)]


def _colour(text: str) -> str:
    if not re.fullmatch(r"#[0-9A-Fa-f]{6}", text):
        raise ValueError(f'expected a colour such as "#804080" (in quotes), got {shown(text)}')
    return text.lower()


Colour = Annotated[str, AfterValidator(_colour)]


class Folders(Section):
    """The folders of images and masks by other names, or the two TIFF files whose pages they are."""

    images: FilePath = "images"
    """In dataset.path: a folder, or a TIFF file whose pages are the images."""
    masks: FilePath = "masks"
    """The same of the masks."""


class ValidationFolder(ValidationData):
    """A folder of validation data of its own."""

    folders: Folders | None = None
    """Where its images and masks have other names than those of dataset.folders."""


def _one_or_list(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


class MaskKeys(DatasetSection):
    """How files are paired, and how their masks become classes."""

    kind: Literal["images"]
    path: FilePath | None = None
    """The folder that holds images/ and masks/, relative to the config."""
    folders: Folders | None = None
    """{images: imgs, masks: labels}: other names than images/ and masks/, with folders in them at will; or two TIFF
    files, whose pages pair up."""
    image_suffix: str = ""
    """What the images' names have behind the part that image and mask share: _leftImg8bit."""
    mask_suffix: str = ""
    """The same of masks: _mask pairs car.jpg with car_mask.png. Files without it are passed over."""
    unpaired: Literal["error", "leave_out"] = "error"
    """What an image without a mask is (or a mask without an image)."""
    ignore: int | str | list[int | str] | None = None
    """A mask's value (of colour-coded masks a colour) that enters neither loss nor metrics; or a list of them."""
    colours: Annotated[dict[str, Colour], Field(min_length=2, max_length=255)] | None = None
    """{background: "#000000", road: "#804080"}: the classes of colour-coded masks, by name."""
    instances: bool | Literal["outline"] = False
    """Masks number their objects: any object is foreground; outline makes the objects' outlines a third class."""
    threshold_mask: Annotated[int, Field(ge=1, lt=1 << 16)] | None = None
    """The value from which a mask's pixel is foreground, of masks with smooth edges."""
    mask_orientation: Literal["auto", "displayed", "stored"] = "auto"
    """What masks without EXIF were drawn on where the image has EXIF's rotation: the image as it is displayed, or as
    its pixels are stored. auto takes what the sizes say."""
    class_weights: Literal["none", "balanced"] = "none"
    """balanced lets pixels of rare classes count more in cross entropy, all classes alike."""
    validation: Annotated[FractionTag | Annotated[ValidationFolder, Tag("own")], Discriminator(fraction_or_own)] = 0.2
    """The fraction of the images kept for validation, or {path: FOLDER}."""

    @property
    def ignored(self) -> list[int | str]:
        """``ignore`` as a list."""
        return [] if self.ignore is None else _one_or_list(self.ignore)

    @property
    def ignores_pixels(self) -> bool:
        return self.ignore is not None

    @property
    def weighs_classes(self) -> bool:
        return self.class_weights != "none"


KEYS_OF_MASKS = tuple(
    key for key in MaskKeys.__annotations__ if key not in ("kind", "path", "class_weights", "validation")
)
"""Those that go with files alone."""


def one_reading_of_masks(dataset: MaskKeys) -> Complaints:
    """Colours, instances and a threshold each make classes of their own."""
    given = [key for key in ("colours", "instances", "threshold_mask") if getattr(dataset, key)]
    for key in given[1:]:
        yield Complaint(f"dataset.{key}", f"masks are read by {given[0]} already; give one of the two")


def ignored_values_are_of_masks(dataset: MaskKeys) -> Complaints:
    """Colours of colour-coded masks, else whole numbers, and no class."""
    for value in dataset.ignored:
        if dataset.colours is None and (isinstance(value, str) or not 0 <= value < 1 << 16):
            yield Complaint("dataset.ignore", f"expected a mask's value such as 255, got {shown(value)}")
        elif dataset.colours is not None:
            if not isinstance(value, str) or not re.fullmatch(r"#[0-9A-Fa-f]{6}", value):
                wanted = 'a colour such as "#ffffff", as the masks are read by colours'
                yield Complaint("dataset.ignore", f"expected {wanted}, got {shown(value)}")
            elif value.lower() in dataset.colours.values():
                yield Complaint("dataset.ignore", f"{value} is the colour of a class, too")


def colours_differ(dataset: MaskKeys) -> Complaints:
    """No two classes have one colour."""
    names: dict[str, str] = {}
    for name, colour in (dataset.colours or {}).items():
        if colour in names:
            yield Complaint("dataset.colours", f"{names[colour]} and {name} have one colour, {colour}", entry=name)
        names[colour] = name


MASK_RULES = (
    Rule(one_reading_of_masks, ("dataset.colours", "dataset.instances", "dataset.threshold_mask")),
    Rule(ignored_values_are_of_masks, ("dataset.ignore", "dataset.colours")),
    Rule(colours_differ, ("dataset.colours",)),
)
