"""What a person sees while a network trains: a heading, a live line, a closing table.

Everything goes to stderr.  On a terminal the progress is one line, drawn again and again; off a
terminal it is a handful of plain lines.  A terminal that has gone away ends nothing.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from nnintro.recording.clock import clock

REFRESH_SECONDS = 0.1
PLAIN_LINES = 10
PLAIN_WIDTH = 200


class Display:
    """Heading, progress and closing table of one training, on stderr."""

    def __init__(self, *, quiet: bool = False) -> None:
        # Off a terminal lines are not folded: whoever reads a log folds for himself.
        self.console = Console(stderr=True, highlight=False, quiet=quiet)
        self.live = self.console.is_terminal and not quiet
        if not self.console.is_terminal:
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
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        for name, fact in facts.items():
            table.add_row(name, Text(fact))
        self._print(table)
        shapes = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
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
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[status]}"),
            console=self.console,
            auto_refresh=False,  # a refreshing thread would take the interpreter from the updates
            transient=True,
            expand=True,
        )
        self._task = self._progress.add_task("epoch 0", total=total, status="")
        self._guarded(self._progress.start)

    def scalars(self, step: int, seconds: float, scalars: Mapping[str, float]) -> None:
        """New measurements; off a terminal every tenth part of the way becomes a line."""
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
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        for name, fact in facts.items():
            table.add_row(name, Text(fact))
        self._print(table)

    def _epoch(self, step: int) -> str:
        return f"epoch {step // self._updates_per_epoch}"

    def _status(self, step: int, seconds: float) -> str:
        parts = []
        for tag in ("train/loss", self._metric):
            if tag in self._latest:
                parts.append(
                    f"{tag.split('/')[-1] if tag != 'train/loss' else 'loss'} "
                    f"{self._latest[tag]:.4g}"
                )
        if seconds > 0 and step > 0:
            speed = step / seconds
            parts.append(f"{speed:,.0f} updates/s")
            parts.append(f"{clock((self._total - step) / speed)} left")
        return "  ".join(parts)

    def _print(self, renderable: Any) -> None:
        self._guarded(lambda: self.console.print(renderable))

    def _guarded(self, action: Any) -> None:
        """A closed terminal (EIO, EPIPE) silences the display and nothing else."""
        try:
            action()
        except (OSError, ValueError):
            self.console.quiet = True
