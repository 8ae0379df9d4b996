"""What a person sees while a network trains: a heading, a live line, a closing table.

Everything goes to stderr.  On a terminal the progress is one line, drawn again and again; off a
terminal it is a handful of plain lines.  A terminal that has gone away ends nothing.
"""

from __future__ import annotations

import contextlib
import functools
import math
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Column, Table
from rich.text import Text

from nnintro.wording import duration

REFRESH_SECONDS = 0.1

PLAIN_LINES = 5

PLAIN_WIDTH = 200

NARROWEST_BAR = 10


class _Console(Console):
    """Rich ends the program when the reader of a pipe is gone; a training must go on."""

    def on_broken_pipe(self) -> None:
        self.quiet = True


class Display:
    """Heading, progress and closing table of one training, on stderr."""

    def __init__(self, *, quiet: bool = False) -> None:
        # Off a terminal lines are not folded: whoever reads a log folds for himself.
        self.console = _Console(stderr=True, highlight=False, quiet=quiet)
        # Asked of the file: FORCE_COLOR makes rich take a log for a terminal.
        on_terminal = self.console.file.isatty()
        # A dumb terminal cannot draw a line again.
        self.live = on_terminal and not self.console.is_dumb_terminal and not quiet
        if not on_terminal:
            self.console.width = PLAIN_WIDTH
        self._progress: Progress | None = None
        self._task: Any = None
        self._total = 0
        self._updates_per_epoch = 1
        self._metric = ""
        self._latest: Mapping[str, float] = {}
        self._refreshed = 0.0
        self._printed = 0

    def line(self, text: str, style: str = "") -> None:
        self._guarded(lambda: self.console.print(Text(text, style=style), soft_wrap=not self.live))

    def warn(self, text: str) -> None:
        self.line(f"warning: {text}", "yellow")

    def heading(
        self, title: str, facts: Mapping[str, str], layers: Sequence[Sequence[str]]
    ) -> None:
        """The run's name, what it consists of, and its layers (name, shape, activation, count)."""
        self.line(title, "bold")
        self._facts(facts)
        shapes = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
        for name in ("layer", "shape", "activation"):
            shapes.add_column(name)
        shapes.add_column("parameters", justify="right")
        for row in layers:
            shapes.add_row(*row)
        self._print(shapes)

    def start(self, total: int, updates_per_epoch: int, metric: str) -> None:
        """Begin the progress over ``total`` updates; ``metric`` is shown beside the loss."""
        self._total, self._updates_per_epoch, self._metric = total, updates_per_epoch, metric
        if not self.live or total == 0:
            return
        self._progress = Progress(
            TextColumn("{task.description}", table_column=Column(no_wrap=True)),
            BarColumn(bar_width=None),
            MofNCompleteColumn(table_column=Column(no_wrap=True)),
            TextColumn("{task.fields[status]}", table_column=Column(no_wrap=True)),
            console=self.console,
            auto_refresh=False,  # a refreshing thread would take the interpreter from the updates
            transient=True,
            expand=True,
        )
        self._task = self._progress.add_task("epoch 0", total=total, status="")
        self._guarded(self._progress.start)

    def scalars(self, step: int, seconds: float, scalars: Mapping[str, float]) -> None:
        """New measurements; off a terminal every fifth part of the way becomes a line."""
        self._latest = scalars
        if self._progress is not None:
            self.update(step, seconds)
        elif self._total and step * PLAIN_LINES >= self._printed * self._total:
            self._printed = step * PLAIN_LINES // self._total + 1
            self.line(
                f"{self._epoch(step)}  step {step}/{self._total}  {self._status(step, seconds)}"
            )

    def update(self, step: int, seconds: float) -> None:
        """Move the bar, at most ten times a second."""
        now = time.perf_counter()
        if self._progress is None or now - self._refreshed < REFRESH_SECONDS:
            return
        self._refreshed = now
        self._progress.update(
            self._task,
            completed=step,
            description=self._epoch(step),
            status=self._status(step, seconds),
        )
        self._guarded(self._progress.refresh)

    def stop(self) -> None:
        """Take the bar away."""
        if self._progress is not None:
            self._guarded(self._progress.stop)
            self._progress = None

    def closing(self, title: str, style: str, facts: Mapping[str, str]) -> None:
        """The last word: how it went, where things are."""
        self.line(title, style)
        self._facts(facts)

    def _facts(self, facts: Mapping[str, str]) -> None:
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        for name, fact in facts.items():
            table.add_row(name, Text(fact))
        self._print(table)

    def _epoch(self, step: int) -> str:
        return f"epoch {step // self._updates_per_epoch}"

    def _status(self, step: int, seconds: float) -> str:
        """Loss, main metric, speed, time left; beside a bar only what there is room for."""
        parts = {}
        for name, tag in (("loss", "train/loss"), (self._metric.split("/")[-1], self._metric)):
            if tag in self._latest:
                parts[name] = f"{name} {self._latest[tag]:.4g}"
        if seconds > 0 and step > 0:
            speed = step / seconds
            parts["speed"] = f"{speed:,.0f} updates/s"
            parts["left"] = f"{duration((self._total - step) / speed)} left"
        if self._progress is not None:
            taken = len(f"{self._epoch(step)}  {self._total}/{self._total} ") + NARROWEST_BAR
            # The least needed goes first.
            for name in ("speed", self._metric.split("/")[-1], "left", "loss"):
                if taken + len("  ".join(parts.values())) > self.console.width:
                    parts.pop(name, None)
        return "  ".join(parts.values())

    def _print(self, table: Table) -> None:
        if self.live:
            self._guarded(lambda: self.console.print(table))
            return
        with self.console.capture() as captured:
            self.console.print(table)
        for line in captured.get().splitlines():
            # A log has no use for the blanks that fill a table's lines.
            text = Text.from_ansi(line)
            text.rstrip()
            self._guarded(functools.partial(self.console.print, text, soft_wrap=True))

    def _guarded(self, action: Any) -> None:
        """A closed terminal (EIO, EPIPE) silences the display and nothing else."""
        try:
            action()
        except (OSError, ValueError):
            self.console.quiet = True


WIDEST = 1000.0
"""A gap from which on the bar begins."""


class GapBar:
    """A bar on stderr, on a terminal and unless quiet; full when the gap is ``tolerance``."""

    def __init__(self, tolerance: float, *, quiet: bool = False) -> None:
        display = Display(quiet=quiet)
        self._tolerance = tolerance
        self._refreshed = 0.0
        self._progress: Progress | None = None
        self._task: Any = None
        if display.live:
            self._progress = Progress(
                TextColumn("certify"),
                BarColumn(bar_width=None),
                TextColumn("{task.fields[status]}", table_column=Column(no_wrap=True)),
                console=display.console,
                auto_refresh=False,  # a refreshing thread would take the interpreter from the proof
                transient=True,
                expand=True,
            )
            self._task = self._progress.add_task("", total=1.0, status="")

    def __enter__(self) -> GapBar:
        if self._progress is not None:
            with contextlib.suppress(OSError, ValueError):  # a terminal that has gone away
                self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if self._progress is not None:
            with contextlib.suppress(OSError, ValueError):
                self._progress.stop()

    def update(self, bound: float, lower: float) -> None:
        """Move the bar, at most ten times a second."""
        now = time.perf_counter()
        if self._progress is None or now - self._refreshed < REFRESH_SECONDS:
            return
        self._refreshed = now
        with contextlib.suppress(OSError, ValueError):
            self._progress.update(
                self._task,
                completed=closed(bound, lower, self._tolerance),
                status=f"found {lower:.4g}  proved {bound:.4g}",
            )
            self._progress.refresh()


def closed(bound: float, lower: float, tolerance: float) -> float:
    """How much of the way from a gap of ``WIDEST`` to one of ``tolerance`` is made, in digits."""
    if not lower > 0 or math.isinf(bound):
        return 0.0
    gap = max(bound / lower - 1, tolerance)
    way = math.log(WIDEST / tolerance)
    return min(max(math.log(WIDEST / gap) / way, 0.0), 1.0) if way > 0 else 0.0
