"""What only the data can say of itself: sections whose task is known once files were read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from pydantic import PrivateAttr

from nnintro.config.section import Section
from nnintro.config.task import Task


@dataclass(frozen=True)
class Found:
    """What was found in the data.

    ``description`` is plain JSON: all that turns a stranger's file into the network's inputs, the
    way the training's file was (columns, categories, means; sizes of images).
    """

    task: Task
    training_samples: int
    description: Mapping[str, Any] = field(default_factory=dict)


class FromFiles(Section):
    """A dataset whose task stands in its files."""

    _found: Found | None = PrivateAttr(default=None)

    @property
    def found(self) -> Found | None:
        """What was found in the files; None before they were looked at."""
        return self._found

    def with_found(self, found: Found) -> Self:
        """The same section, knowing its data."""
        known = self.model_copy()
        known._found = found
        return known

    @property
    def task(self) -> Task:
        return self._known.task

    @property
    def training_samples(self) -> int:
        return self._known.training_samples

    @property
    def _known(self) -> Found:
        assert self._found is not None, "the data was not looked at yet"
        return self._found
