"""How files become samples: what a run keeps in order to read a stranger's images its own way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Format:
    """Plain values, in and out of JSON by ``description`` and ``from_description``."""

    size: tuple[int, int]
    """Height and width of a sample."""
    fit: Literal["resize", "crop"] | None
    """How files come to that size; None where they must have it."""
    channels: int
    """1 for gray, 3 for red, green and blue."""
    convert: bool
    """Whether gray and coloured files are made into one another; else they must be alike."""
    bits: int | None
    """8 or 16: a sample's number is the file's by the largest of so many bits. None: the file's
    number is a count, taken as it is."""
    values: tuple[int, ...]
    """The values in masks, rising; class k is value k."""
    classes: tuple[str, ...]
    threshold: float
    """Probability from which a pixel belongs to the second of two classes."""
    point_radius: float | None
    """Pixels within which a peak is a point of the mask; None where points do not matter."""

    @property
    def largest(self) -> float:
        """What a pixel's number is divided by."""
        return 1.0 if self.bits is None else float(2**self.bits - 1)

    def description(self) -> dict[str, Any]:
        """As JSON has it."""
        plain = asdict(self)
        return {key: list(v) if isinstance(v, tuple) else v for key, v in plain.items()}

    @classmethod
    def from_description(cls, description: Mapping[str, Any]) -> Format:
        plain: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in description.items()
        }
        return cls(**plain)
