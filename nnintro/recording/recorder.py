"""One run's records: history, events, figures and the display, fed by the training loop."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nnintro.recording.console import Display
from nnintro.recording.history import History
from nnintro.recording.painter import Drawn, Painter
from nnintro.recording.tensorboard import EventFile

FLUSH_SECONDS = 2.0


@dataclass(frozen=True)
class Sketch:
    """A figure to be drawn: its kind (see ``figures.FIGURES``), its data and its words."""

    kind: str
    tag: str
    arrays: Mapping[str, np.ndarray[Any, Any]]
    texts: Mapping[str, str | list[str]]


@dataclass
class Recorder:
    """Writes down what the loop observes, thinned as the loop's moments are."""

    directory: Path
    tags: Sequence[str]
    display: Display
    painter: Painter | None
    sketches: Callable[[int], list[Sketch]]
    """Draws the network as it is now."""
    weights: Callable[[], dict[str, np.ndarray[Any, Any]]]
    """Parameters as they are now, by tag."""
    sketch_moments: Collection[int]
    histogram_moments: Collection[int]
    scalars: bool = True
    """Whether points between the first and the last are recorded."""
    last_histogram: bool = True

    def __post_init__(self) -> None:
        self.history = History(self.directory / "history.csv", self.tags)
        self.events = EventFile(self.directory)
        self.columns: dict[str, list[float]] = {}
        self.steps: list[int] = []
        self._flushed = 0.0
        self._weighed: set[int] = set()
        self._shown: set[tuple[str, int]] = set()

    def observe(self, point: Any, *, last: bool) -> None:
        """Record one look of the loop's (a ``training.loop.Point``).

        A run that ends right after a look (it diverges at the very next update, it is
        interrupted) is looked at there once more: that is no second row.
        """
        again = bool(self.steps) and self.steps[-1] == point.step
        if not again and (self.scalars or last or point.step == 0):
            row = {"step": point.step, "epoch": point.epoch, "samples": point.samples}
            self.history.append({**row, "seconds": point.seconds, **point.scalars})
            self.events.scalars(point.step, point.scalars)
            self._remember(point)
        if not last:  # the last network is for ``conclude``: early stopping may go back first
            self._picture(point.step)
        self._collect()
        self.display.scalars(point.step, point.seconds, point.scalars)
        if last or point.seconds - self._flushed > FLUSH_SECONDS:
            self._flushed = point.seconds
            self.history.flush()
            self.events.flush()

    def progress(self, step: int, seconds: float) -> None:
        self.display.update(step, seconds)

    def _remember(self, point: Any) -> None:
        for tag in self.tags:
            earlier = self.columns.setdefault(tag, [])
            earlier.append(point.scalars.get(tag, float("nan")))
        self.steps.append(point.step)

    def _picture(self, step: int) -> None:
        """Weights and figures of the network as it is now, where it is their turn."""
        if step in self.histogram_moments:
            self._histograms(step)
        if self.painter is not None and step in self.sketch_moments:
            self._sketch(step, last=False)

    def conclude(self, step: int, title: str) -> None:
        """Weights and figures of the network as it is saved, and the learning curves."""
        if self.last_histogram and step not in self._weighed:
            self._histograms(step)
        if self.painter is not None:
            self._sketch(step, last=True)
            self._curves(title)

    def _histograms(self, step: int) -> None:
        self._weighed.add(step)
        for tag, values in self.weights().items():
            self.events.histogram(step, tag, values)

    def _sketch(self, step: int, *, last: bool) -> None:
        for sketch in self.sketches(step):
            self._draw(sketch, step, last=last)

    def _draw(self, sketch: Sketch, step: int, *, last: bool) -> None:
        assert self.painter is not None
        name = sketch.tag.rsplit("/", 1)[-1]
        path = self.directory / "figures" / f"{name}.png" if last else None
        self.painter.draw(sketch.kind, sketch.tag, step, sketch.arrays, sketch.texts, path)

    def _collect(self) -> None:
        """Pictures that are ready go into the events."""
        if self.painter is not None:
            self._show(self.painter.finished())

    def _show(self, pictures: list[Drawn]) -> None:
        for drawn in pictures:
            if (drawn.tag, drawn.step) not in self._shown:
                self._shown.add((drawn.tag, drawn.step))
                self.events.image(drawn.step, drawn.tag, drawn.png, drawn.wall_time)

    def _curves(self, title: str) -> None:
        if len(self.steps) < 2:
            return
        wanted = {
            f"columns/{tag}": np.asarray(values)
            for tag, values in self.columns.items()
            if tag.startswith(("train/", "validation/"))
        }
        sketch = Sketch(
            "learning_curves",
            "figures/curves",
            {"steps": np.asarray(self.steps), **wanted},
            {"title": title},
        )
        self._draw(sketch, self.steps[-1], last=True)

    def finish(self, status: str) -> list[str]:
        """Wait for the pictures, close the files; returns what is incomplete, in words."""
        incomplete = []
        if self.painter is not None:
            self._show(self.painter.close())
            incomplete += self.painter.errors
        self.events.finish(status)
        self.events.close()
        self.history.close()
        for error in (self.events.error, self.history.error):
            if error is not None:
                incomplete.append(error)
        return incomplete

    def abandon(self) -> None:
        """Let go of files and processes after an error elsewhere."""
        with contextlib.suppress(OSError):
            if self.painter is not None:
                self.painter.kill()
            self.events.close()
            self.history.close()
