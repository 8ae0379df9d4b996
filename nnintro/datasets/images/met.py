"""The values met in the masks of a folder, and what they may stand for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnintro.datasets.images.files import refuse
from nnintro.datasets.images.fitting import MOST_VALUES
from nnintro.datasets.images.folders import Pair
from nnintro.datasets.images.masks import IGNORED_CLASS, is_jpeg, palette_of
from nnintro.objectives.losses import IGNORED

MOST_VALUES_WITHOUT_NAMES = 16
"""More of them are rather a mask that was blurred than classes."""
SMOOTH = 4
"""Times the pixels of a gray between 0 and 255 that 255 has in a mask whose grays look like smooth edges."""


class ValuesMet:
    """The values met in masks, numbered as they come: which there are is known only after all."""

    def __init__(self, named: bool, *, own: bool) -> None:
        self.named, self.known, self.ignores = named, np.empty(0, np.int64), False
        self._own = own
        """Whether they are the pixels' own values, and not made of them by a rule."""
        self._colours: dict[int, tuple[tuple[int, ...], str]] = {}
        """Index of a palette -> its colour, and the name of the mask that has it."""
        self._ones: dict[tuple[bool, bool], Path] = {}
        """(has 1, has 255) -> the first mask of the kind."""

    def numbered(self, pair: Pair, values: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Values of one mask -> numbers in the order of first meeting, of what is ignored IGNORED_CLASS."""
        ignored = values == IGNORED
        some = bool(ignored.any())
        self.ignores |= some
        new = np.setdiff1d(values, self.known)
        self.known = np.concatenate([self.known, new[new != IGNORED]])
        if self._own:
            self._note(pair, values)
        jpeg = is_jpeg(pair.mask)
        most = MOST_VALUES - self.ignores if self.named else 2 if jpeg else MOST_VALUES_WITHOUT_NAMES
        if len(self.known) > most:
            hint = "" if self.named else f"; {_looks(values[~ignored])}"
            hint = "; JPEG blurs the values, save masks as PNG, or give dataset.threshold_mask: 128" if jpeg else hint
            raise refuse(pair.mask, f"at most {most} values in all masks", f"{len(self.known)}{hint}")
        if not len(self.known):
            return np.full(values.shape, IGNORED_CLASS, np.uint8)
        order = np.argsort(self.known)
        numbers = order[np.searchsorted(self.known, values, sorter=order).clip(max=len(order) - 1)]
        numbers = np.where(ignored, IGNORED_CLASS, numbers) if some else numbers
        return numbers.astype(np.uint8)

    def _note(self, pair: Pair, values: NDArray[np.int64]) -> None:
        """Take note of what the values stand for in this mask; DataError where it is another colour than before."""
        self._ones.setdefault((bool((values == 1).any()), bool((values == 255).any())), pair.mask)
        palette = palette_of(pair.mask, pair.page)
        if palette is None:
            return
        for value in np.unique(values[values != IGNORED]).tolist():
            colour = tuple(palette[value].tolist()) if value < len(palette) else ()
            known, name = self._colours.setdefault(value, (colour, pair.mask.name))
            if known != colour:
                was, now = ("#{:02x}{:02x}{:02x}".format(*parts) if parts else "nothing" for parts in (known, colour))
                remedy = "name the colours of the classes in dataset.colours, or save masks as gray"
                raise refuse(pair.mask, f"entry {value} of its palette to be {was} as in {name}", f"{now}; {remedy}")

    def require_one_spelling(self) -> None:
        """Raise DataError where foreground is 1 in some masks and 255 in others, without names for three classes."""
        ones, full = self._ones.get((True, False)), self._ones.get((False, True))
        if self.named or ones is None or full is None or self.known.max() > 255 or len(self.known) != 3:
            return
        if (True, True) not in self._ones:
            remedy = (
                "dataset.threshold_mask: 1 makes both foreground; if there are three classes, dataset.classes: [...]"
            )
            raise refuse(ones, f"0 and 255 as {full.name} has", f"0 and 1; {remedy}")


def _looks(values: NDArray[np.int64]) -> str:
    """What so many values in a mask are like, and the key for such masks."""
    counts = np.bincount(values)
    present = np.flatnonzero(counts)
    named = f"if they are classes, name them in dataset.classes, for up to {MOST_VALUES}"
    largest, between = counts[present[-1]], counts[present[1:-1]]
    # The last object is about as large as the others; the inside of all objects is larger than each gray of an edge.
    if largest >= between.sum() or (present[-1] == 255 and largest > SMOOTH * between.mean()):
        middle = (int(present.min()) + int(present.max()) + 1) // 2
        return f"they look like smooth edges, for which there is dataset.threshold_mask: {middle}; {named}"
    return f"they look like numbers of objects, for which there is dataset.instances: true; {named}"
