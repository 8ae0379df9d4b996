"""From a mask's pixels to the values of its classes: colours, instances, smooth edges, values that are ignored."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from nnintro.config.datasets.masks import MaskKeys
from nnintro.config.task import STRICT
from nnintro.datasets.images.files import (
    Header,
    decode,
    open_image,
    orientation_of,
    place,
    read_header,
    refuse,
    without_alpha,
)
from nnintro.datasets.images.folders import Pair, image_files
from nnintro.errors import DataError
from nnintro.objectives.losses import IGNORED
from nnintro.wording import counted

IGNORED_CLASS = 255
"""The class number that stands for it in memory, where a class is a byte."""
MOST_PROPOSED = 16
"""Colours of a mask that an error names: more are blurred edges, or a photo."""
Values = NDArray[np.int64]
Number = Annotated[int, Field(ge=0, lt=1 << 24)]


@dataclass(frozen=True)
class MaskRules:
    """How a mask's pixels become values."""

    __pydantic_config__ = STRICT

    ignore: tuple[Number, ...] = ()
    """Values, or colours where the masks are read by these."""
    colours: tuple[Number, ...] = ()
    """red * 65536 + green * 256 + blue of each class: its values are 0, 1, ..."""
    instances: Literal["no", "any", "outline"] = "no"
    """Whether any value above 0 is an object, of value 1; its outline is 2 where it is a class."""
    threshold: Annotated[int, Field(ge=1)] | None = None
    """The value from which a pixel is 1; below it is 0."""
    orientation: Literal["auto", "displayed", "stored"] = "auto"
    """What masks without EXIF were drawn on, where an image has EXIF's rotation."""

    @property
    def values(self) -> tuple[int, ...] | None:
        """The values of the classes; None where the masks' own are."""
        if self.colours:
            return tuple(range(len(self.colours)))
        if self.instances != "no" or self.threshold is not None:
            return (0, 1, 2) if self.instances == "outline" else (0, 1)
        return None


def rules_of(keys: MaskKeys, *, objects: bool = False) -> MaskRules:
    """The rules that a dataset section asks for.

    Args:
        objects: whether the masks are folders of objects, which are instances without being called so.
    """
    instances = keys.instances or objects
    return MaskRules(
        ignore=tuple(_number(value) for value in keys.ignored),
        colours=tuple(_number(colour) for colour in (keys.colours or {}).values()),
        instances="outline" if instances == "outline" else "any" if instances else "no",
        threshold=keys.threshold_mask,
        orientation=keys.mask_orientation,
    )


def _number(value: int | str) -> int:
    return int(value[1:], 16) if isinstance(value, str) else value


def read_values(path: Path, page: int = 0, *, colours: bool = False, orientation: int = 1) -> NDArray[np.int64]:
    """(height, width) of a mask: gray as it is (one bit: 0 and 255), a palette's index.

    A mask of colours is taken where all of them are grays.

    Args:
        colours: whether a pixel's value is its colour (of a palette too), red * 65536 + green * 256 + blue.
        orientation: EXIF's turn of the image, done to a mask that has none of its own.

    Raises:
        DataError: the file cannot be read, or a pixel has no single value.
    """
    with open_image(path, page) as image:
        if orientation_of(image) != 1:
            orientation = 1
        decoded = decode(path, image)
        if decoded.mode != "P":
            decoded = without_alpha(path, decoded)
        if decoded.mode == "1":
            decoded = decoded.convert("L")
        if colours and not decoded.mode.startswith(("I", "F")):
            decoded = decoded.convert("RGB")
        values = turned(_whole(path, np.asarray(decoded)), orientation)
    if colours and values.ndim == 3:
        red, green, blue = values.transpose(2, 0, 1)
        return np.asarray(red << 16 | green << 8 | blue)
    if values.ndim == 2:
        return values
    if not (values == values[:, :, :1]).all():
        raise refuse(path, "one value per pixel (gray, or a palette)", f"colours; {_colours_to_add(values)}")
    return values[:, :, 0]


def _colours_to_add(values: Values) -> str:
    """What to do about a mask (height, width, 3) of colours: the key with these, where they are few."""
    found = np.unique(values.reshape(-1, 3), axis=0).tolist()
    if not 2 <= len(found) <= MOST_PROPOSED:
        return (
            f"name its {counted(len(found), 'colour')} in dataset.colours, or save the mask as gray or with a palette"
        )
    named = (f"class {number}: '#{red:02x}{green:02x}{blue:02x}'" for number, (red, green, blue) in enumerate(found, 1))
    return f"add colours: {{{', '.join(named)}}}, with names of your own, or save the mask as gray or with a palette"


def _whole(path: Path, values: NDArray[Any]) -> NDArray[np.int64]:
    """A mask's values; DataError where one is negative, or has a fraction."""
    wrong = (values < 0) | (values != np.floor(values)) if values.dtype.kind == "f" else values < 0
    wrong |= ~np.isfinite(values)
    if wrong.any():
        row, column = np.argwhere(wrong)[0].tolist()[:2]
        got = f"{values[row, column]} in row {row + 1}, column {column + 1}"
        raise refuse(path, "whole numbers from 0 on as a mask's values", got)
    return values.astype(np.int64)


def turned(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """(height, width, ...) as EXIF's orientation asks."""
    if orientation in range(5, 9):
        pixels = pixels.swapaxes(0, 1)
    rows = slice(None, None, -1 if orientation in (3, 4, 7, 8) else None)
    columns = slice(None, None, -1 if orientation in (2, 3, 6, 7) else None)
    return np.ascontiguousarray(pixels[rows, columns])


def mask_values(pair: Pair, rules: MaskRules) -> Values:
    """(height, width) values of a pair's mask, IGNORED where it says nothing.

    Raises:
        DataError: a file cannot be read, or has a colour that is not a class.
    """
    has_objects = pair.mask.is_dir()
    values = _objects(pair, rules) if has_objects else _read(pair, rules)
    unknown = np.isin(values, rules.ignore) if rules.ignore else None
    if rules.colours:
        values = _classes_of_colours(pair, values, rules)
    elif rules.threshold is not None and not has_objects:
        values = (values >= rules.threshold).astype(np.int64)
    elif rules.instances != "no":
        edge = outlines(values) if rules.instances == "outline" else False
        values = np.where(edge, 2, values > 0).astype(np.int64)
    return values if unknown is None else np.where(unknown, IGNORED, values)


def _read(pair: Pair, rules: MaskRules) -> Values:
    values = read_values(pair.mask, pair.page, colours=bool(rules.colours), orientation=pair.orientation)
    if rules.instances != "no":
        _require_sharp(pair.mask, values)
    return values


def is_jpeg(path: Path) -> bool:
    return path.suffix.lower() in (".jpg", ".jpeg")


def _require_sharp(path: Path, values: Values) -> None:
    """Raise DataError where the blur of JPEG would make pixels beside an object a part of it."""
    if is_jpeg(path) and len(np.unique(values)) > 2:
        remedy = "save masks as PNG, or give dataset.threshold_mask: 128"
        raise refuse(path, "a mask whose values JPEG has not blurred", f"{len(np.unique(values))} values; {remedy}")


def palette_of(path: Path, page: int = 0) -> NDArray[Any] | None:
    """(entries, 3) red, green and blue of a mask's palette; None of other masks."""
    with open_image(path, page) as image:
        colours = image.getpalette("RGB") if image.mode == "P" else None
    return None if colours is None else np.array(colours).reshape(-1, 3)


def _objects(pair: Pair, rules: MaskRules) -> Values:
    """The number of the object that a pixel belongs to, from a folder of masks of one object each; 0 of none."""
    result: Values | None = None
    for number, path in enumerate(image_files(pair.mask), start=1):
        values = read_values(path, orientation=pair.orientation)
        result = np.zeros(values.shape, np.int64) if result is None else result
        if values.shape != result.shape:
            size = f"{result.shape[0]} x {result.shape[1]}"
            raise refuse(path, f"{size} as the other masks of its image have", f"{values.shape[0]} x {values.shape[1]}")
        if rules.threshold is None:
            _require_sharp(path, values)
        result[values >= (rules.threshold or 1)] = number
    assert result is not None
    return result


def outlines(values: Values) -> NDArray[np.bool_]:
    """The objects' pixels that have another object, or none, above, below, left or right of them."""
    padded = np.pad(values, 1, mode="edge")  # what is beyond the image is not known
    middle = padded[1:-1, 1:-1]
    others = (padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:])
    return np.asarray((middle > 0) & np.logical_or.reduce([other != middle for other in others]))


def _classes_of_colours(pair: Pair, colours: Values, rules: MaskRules) -> Values:
    order = np.argsort(rules.colours)
    known = np.array(rules.colours)[order]
    places = np.searchsorted(known, colours).clip(max=len(known) - 1)
    wrong = (known[places] != colours) & ~np.isin(colours, rules.ignore)
    if wrong.any():
        row, column = (int(index) for index in np.argwhere(wrong)[0])
        raise _unnamed(pair, row, column, int(colours[row, column]), rules)
    return np.asarray(order[places], np.int64)


def _unnamed(pair: Pair, row: int, column: int, colour: int, rules: MaskRules) -> DataError:
    parts = np.array([_parts(other) for other in rules.colours])
    distances = np.square(parts - _parts(colour)).sum(1)
    nearest = rules.colours[int(distances.argmin())]
    where = f"{place(pair.mask)}: row {row + 1}, column {column + 1}"
    wanted = "a colour that dataset.colours or dataset.ignore names"
    return DataError(f"{where}: expected {wanted}, got #{colour:06x}; the nearest that is named is #{nearest:06x}")


def _parts(colour: int) -> NDArray[np.int64]:
    return np.array([colour >> 16, colour >> 8 & 255, colour & 255])


def oriented(pair: Pair, image: Header, rules: MaskRules) -> Pair:
    """The pair with the turn that its mask needs, as EXIF turns its image.

    A mask without EXIF of its own was drawn on the image as it is displayed, or as its pixels are stored.  Where a
    quarter turn changes the size that decides; else only the user knows.

    Raises:
        DataError: it cannot be known, or the mask has another size than its image.
    """
    path = image_files(pair.mask)[0] if pair.mask.is_dir() else pair.mask
    mask = read_header(path, pair.page)
    stored = image.size[::-1] if image.orientation >= 5 else image.size
    turns = image.orientation != 1 and mask.orientation == 1
    drawn_on = rules.orientation
    if turns and drawn_on == "auto" and image.size != stored and mask.size in (stored, image.size):
        drawn_on = "stored" if mask.size == stored else "displayed"
    if mask.size != (stored if turns and drawn_on == "stored" else image.size):
        wanted = f"{image.size[0]} x {image.size[1]} as its image has"
        raise refuse(path, wanted, f"{mask.size[0]} x {mask.size[1]}")
    if turns and drawn_on == "auto":
        wanted = "to know whether it was drawn on the image as EXIF turns it or as its pixels are stored"
        remedy = "say so by dataset.mask_orientation: displayed or stored"
        raise refuse(path, wanted, f"no EXIF here, and orientation {image.orientation} in {pair.image.name}; {remedy}")
    return replace(pair, orientation=image.orientation) if turns and drawn_on == "stored" else pair
