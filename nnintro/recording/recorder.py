"""Pass each measurement of the training loop to history.csv, TensorBoard, the figures and the display."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nnintro.recording.console import Display
from nnintro.recording.events import EventFile, Shown, rewind
from nnintro.recording.painter import Painter, Picture
from nnintro.runs.folder import explained
from nnintro.runs.history import History
from nnintro.runs.state import Records

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
    earlier: Records | None = None
    """Of a run that goes on: where its records stood; None begins them."""
    begins_at: int = 0
    """The first update whose events are to come."""
    hurried: Callable[[], bool] = lambda: False
    """Whether the run is to end now."""

    def __post_init__(self) -> None:
        self._event_files = dict(self.earlier.events) if self.earlier else {}
        with explained(f"cannot write {self.directory}"):
            cut = rewind(self.directory, self._event_files)
        history = self.earlier.history if self.earlier else None
        self.history = History(self.directory / "history.csv", self.tags, history)
        self.events = EventFile(self.directory, purge_step=self.begins_at)
        self._flushed = 0.0
        self._weighed: set[int] = set()
        self._shown: set[tuple[str, int]] = set()
        # Asked for before the checkpoint, and finished after it: nobody else draws them again.
        self._show([one for one in cut if one.step < self.begins_at and one.step in self.sketch_moments])

    def observe(self, point: Any, *, last: bool) -> None:
        """Record one look of the loop's (a ``training.loop.Point``)."""
        # A run that ends right after a look (it diverges at the very next update, it is interrupted) is looked at
        # there once more, which is not a second row.
        again = self._steps[-1:] == [point.step]
        if not again and (self.scalars or last or point.step == 0):
            row = {"step": point.step, "epoch": point.epoch, "samples": point.samples}
            self.history.append({**row, "seconds": point.seconds, **point.scalars})
            self.events.scalars(point.step, _with_values(point.scalars))
        if not last:  # the last network is for ``conclude``: early stopping may go back first
            if point.step in self.histogram_moments:
                self._histograms(point.step)
            if self.painter is not None and point.step in self.sketch_moments:
                self._draw(self.painter, self.sketches(point.step), point.step)
        self._collect()
        self.display.scalars(point.step, point.seconds, point.scalars)
        if last or point.seconds - self._flushed > FLUSH_SECONDS:
            self._flushed = point.seconds
            self.history.flush()
            self.events.flush()

    def progress(self, step: int, seconds: float) -> None:
        self.display.update(step, seconds)

    @property
    def _steps(self) -> list[float]:
        return self.history.columns["step"]

    def records(self) -> Records:
        """Where the records stand now; the events up to here are on the disk."""
        self._collect()
        self.history.flush()
        self._event_files[self.events.path.name] = self.events.length()
        return Records(self.history.columns, dict(self._event_files), self._lost())

    def _lost(self) -> list[str]:
        lost = list(self.earlier.lost) if self.earlier else []
        return lost if self.events.error is None else [*lost, self.events.error]

    def conclude(self, step: int, title: str) -> None:
        """Weights and figures of the network as it is saved, and the learning curves."""
        if self.last_histogram and step not in self._weighed:
            self._histograms(step)
        if self.painter is not None:
            self._draw(self.painter, self.sketches(step), step, last=True)
            if len(self._steps) > 1:
                self._draw(self.painter, [self._curves(title)], int(self._steps[-1]), last=True)

    def finally_of_each(self, step: int, values: Mapping[str, Mapping[str, float | None]]) -> None:
        """The metrics of each of several targets, of the network as it is saved."""
        for name, metrics in values.items():
            known = {f"targets/{metric}/{name}": value for metric, value in metrics.items() if value is not None}
            self.events.scalars(step, known)

    def _histograms(self, step: int) -> None:
        self._weighed.add(step)
        for tag, values in self.weights().items():
            self.events.histogram(step, tag, values)

    def _draw(self, painter: Painter, sketches: Iterable[Sketch], step: int, *, last: bool = False) -> None:
        for sketch in sketches:
            name = sketch.tag.rsplit("/", 1)[-1]
            path = self.directory / "figures" / f"{name}.png" if last else None
            painter.draw(sketch.kind, sketch.tag, step, sketch.arrays, sketch.texts, path)

    def _collect(self) -> None:
        """Pictures that are ready go into the events."""
        if self.painter is not None:
            self._show(self.painter.finished())

    def _show(self, pictures: Sequence[Picture | Shown]) -> None:
        for drawn in pictures:
            if (drawn.tag, drawn.step) not in self._shown:
                self._shown.add((drawn.tag, drawn.step))
                self.events.image(drawn.step, drawn.tag, drawn.png, drawn.wall_time)

    def _curves(self, title: str) -> Sketch:
        arrays = {"steps": np.asarray(self._steps)}
        for tag, values in self.history.columns.items():
            if tag.startswith(("train/", "validation/")):
                arrays[f"columns/{tag}"] = np.asarray(values)
        return Sketch("learning_curves", "figures/curves", arrays, {"title": title})

    def finish(self, status: str) -> list[str]:
        """Wait for the pictures, close the files; returns what is incomplete, in words."""
        incomplete: list[str] = []
        if self.painter is not None:
            self._show(self.painter.close(hurried=self.hurried))
            incomplete += self.painter.errors
        self.events.finish(status)
        self.events.close()
        self.history.close()
        self.history.write_again_if_gone()
        if self.events.error is None and not self.events.path.exists():
            incomplete.append(f"{self.events.path}: was removed while training, with all that it held")
        return [*incomplete, *self._lost(), *([self.history.error] if self.history.error else [])]

    def abandon(self) -> None:
        """Let go of files and processes after an error elsewhere."""
        with contextlib.suppress(OSError):
            if self.painter is not None:
                self.painter.kill()
            self.events.close()
            self.history.close()


def _with_values(scalars: Mapping[str, float]) -> Mapping[str, float]:
    """Without metrics that have no value on this data (auc of one class), which TensorBoard would mark as points.

    Where the loss itself is not finite, that is what is to be seen.
    """
    if not math.isfinite(scalars.get("train/loss", 0.0)):
        return scalars
    return {tag: value for tag, value in scalars.items() if not math.isnan(value)}
