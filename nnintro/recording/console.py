"""Show a training on stderr: a heading, a live line, a closing table.

On a terminal the progress is one line, drawn again and again; off a terminal it is a handful of plain lines.  A
terminal that has gone away ends nothing.
"""

from __future__ import annotations

import contextlib
import math
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

_STATE = random.getstate()  # it is the caller's, and rich draws from it while it is loaded

# ruff: noqa: E402 (for that alone)
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn
from rich.table import Column, Table
from rich.text import Text

from nnintro.wording import duration, pace, plain

random.setstate(_STATE)

REFRESH_SECONDS = 0.1
PLAIN_LINES = 5
PLAIN_WIDTH = 200
NARROWEST_BAR = 10


class _Console(Console):
    """A console whose terminal may go away: that silences it and ends nothing."""

    def on_broken_pipe(self) -> None:
        self.quiet = True  # where rich would end the program

    def guarded(self, action: Callable[[], object]) -> None:
        """Do what a closed terminal (EIO, EPIPE) may refuse."""
        try:
            action()
        except (OSError, ValueError):
            self.quiet = True


class _Bar:
    """One line, drawn again at most ten times a second: texts, a bar, a status; gone in the end."""

    def __init__(self, console: _Console, total: float, *columns: ProgressColumn) -> None:
        self._console = console
        self._refreshed = 0.0
        self._progress = Progress(
            *columns,
            TextColumn("{task.fields[status]}", table_column=Column(no_wrap=True)),
            console=console,
            auto_refresh=False,  # a refreshing thread would take the interpreter from the work
            transient=True,
            expand=True,
        )
        self._task = self._progress.add_task("", total=total, status="")
        console.guarded(self._progress.start)

    def is_due(self) -> bool:
        """Whether it is time to draw again; asked before a status is put into words."""
        now = time.perf_counter()
        due = now - self._refreshed >= REFRESH_SECONDS
        self._refreshed = now if due else self._refreshed
        return due

    def show(self, completed: float, status: str, text: str = "") -> None:
        self._progress.update(self._task, completed=completed, status=status, description=text)
        self._console.guarded(self._progress.refresh)

    def stop(self) -> None:
        self._console.guarded(self._progress.stop)


class Display:
    """Heading, progress and closing table of one training, on stderr."""

    def __init__(self, *, quiet: bool = False) -> None:
        # Off a terminal lines are not folded: a log's reader does that, if at all.
        self.console = _Console(stderr=True, highlight=False, quiet=quiet)
        # Asked of the file: FORCE_COLOR makes rich take a log for a terminal.
        on_terminal = self.console.file.isatty()
        # A dumb terminal cannot draw a line again.
        self.live = on_terminal and not self.console.is_dumb_terminal and not quiet
        if not on_terminal:
            self.console.width = PLAIN_WIDTH
        self._bar: _Bar | None = None
        self._total = 0
        self._updates_per_epoch = 1
        self._metric = ""
        self._latest: Mapping[str, float] = {}
        self._printed = 0

    def line(self, text: str, style: str = "") -> None:
        self._print(Text(plain(text), style=style), soft_wrap=not self.live)

    def warn(self, text: str) -> None:
        self.line(f"warning: {text}", "yellow")

    def heading(self, title: str, facts: Mapping[str, str], layers: Sequence[Sequence[str]]) -> None:
        """The run's name, what it consists of, and its layers (name, shape, activation, count)."""
        self.line(title, "bold")
        self.facts(facts)
        names: list[str | Column] = ["layer", "shape", "activation", Column("parameters", justify="right")]
        shapes = Table(*names, box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
        for row in layers:
            shapes.add_row(*row)
        self.table(shapes)

    def start(self, total: int, updates_per_epoch: int, metric: str) -> None:
        """Begin the progress over ``total`` updates; ``metric`` is shown beside the loss."""
        self._total, self._updates_per_epoch, self._metric = total, updates_per_epoch, metric
        if self.live and total > 0:
            epoch = TextColumn("{task.description}", table_column=Column(no_wrap=True))
            count = MofNCompleteColumn(table_column=Column(no_wrap=True))
            self._bar = _Bar(self.console, total, epoch, BarColumn(bar_width=None), count)

    def scalars(self, step: int, seconds: float, scalars: Mapping[str, float]) -> None:
        """New measurements; off a terminal every fifth part of the way becomes a line."""
        self._latest = scalars
        if self._bar is not None:
            self.update(step, seconds)
        elif self._total and step * PLAIN_LINES >= self._printed * self._total:
            self._printed = step * PLAIN_LINES // self._total + 1
            self.line(f"{self._epoch(step)}  step {step}/{self._total}  {self._status(step, seconds)}")

    def update(self, step: int, seconds: float) -> None:
        """Move the bar, at most ten times a second."""
        if self._bar is not None and self._bar.is_due():
            self._bar.show(step, self._status(step, seconds), self._epoch(step))

    def stop(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def closing(self, title: str, style: str, facts: Mapping[str, str]) -> None:
        """The last word: how it went, where things are."""
        self.line(title, style)
        self.facts(facts)

    def facts(self, facts: Mapping[str, str]) -> None:
        """Names and what there is to say of them, a line each."""
        columns = Column(style="dim", no_wrap=True), Column(overflow="fold")
        table = Table(*columns, box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
        for name, fact in facts.items():
            table.add_row(plain(name), Text(plain(fact)))
        self.table(table)

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
            parts["speed"] = pace(speed)
            parts["left"] = f"{duration((self._total - step) / speed)} left"
        if self._bar is not None:
            taken = len(f"{self._epoch(step)}  {self._total}/{self._total} ") + NARROWEST_BAR
            # The least needed goes first.
            for name in ("speed", self._metric.split("/")[-1], "left", "loss"):
                if taken + len("  ".join(parts.values())) > self.console.width:
                    parts.pop(name, None)
        return "  ".join(parts.values())

    def table(self, table: Table) -> None:
        """A table, as wide as the terminal; in a log without the blanks that fill it."""
        if self.live:
            self._print(table)
            return
        with self.console.capture() as captured:
            self.console.print(table)
        for line in captured.get().splitlines():
            text = Text.from_ansi(line)
            text.rstrip()  # a log has no use for the blanks that fill a table's lines
            self._print(text, soft_wrap=True)

    def _print(self, what: Text | Table, *, soft_wrap: bool = False) -> None:
        self.console.guarded(lambda: self.console.print(what, soft_wrap=soft_wrap))


def table_of(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """A table without lines, its cells as they are; the first two columns are of numbers."""
    columns = [Column(title, justify="right" if index < 2 else "left") for index, title in enumerate(titles)]
    table = Table(*columns, box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for row in rows:
        table.add_row(*map(Text, row))
    return table


WIDEST = 1000.0
"""A gap from which on the bar of a proof begins."""


@contextlib.contextmanager
def gap_bar(tolerance: float, *, quiet: bool = False) -> Iterator[Callable[[float, float], None]]:
    """Show on a terminal how a proof nears its end; yields what to call with (bound, lower)."""
    display = Display(quiet=quiet)
    if not display.live:
        yield lambda *_: None
        return
    bar = _Bar(display.console, 1.0, TextColumn("certify"), BarColumn(bar_width=None))

    def update(bound: float, lower: float) -> None:
        if bar.is_due():
            bar.show(closed(bound, lower, tolerance), f"found {lower:.4g}  proved {bound:.4g}")

    try:
        yield update
    finally:
        bar.stop()


def closed(bound: float, lower: float, tolerance: float) -> float:
    """How much of the way from a gap of ``WIDEST`` to one of ``tolerance`` is made, in digits."""
    if not lower > 0 or math.isinf(bound):
        return 0.0
    gap = max(bound / lower - 1, tolerance)
    way = math.log(WIDEST / tolerance)
    return min(max(math.log(WIDEST / gap) / way, 0.0), 1.0) if way > 0 else 0.0
