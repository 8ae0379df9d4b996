"""Show a sweep on stderr: what is to come, the best trials so far, the result.

On a terminal a table is drawn again and again; off a terminal a line comes now and then.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnintro.config.load import Config
from nnintro.config.sweep import Range, Sweep
from nnintro.recording.console import Display, table_of
from nnintro.runs.settings import headings
from nnintro.sweeps.record import as_cell
from nnintro.sweeps.space import Space
from nnintro.sweeps.tally import Tally
from nnintro.wording import counted, duration, plain

if TYPE_CHECKING:
    from rich.console import Group
    from rich.live import Live
    from rich.table import Table

REFRESH_SECONDS = 0.5
PLAIN_LINES = 5
SHOWN = 8
"""Of the best trials."""
WIDEST = 28
"""Characters of a value in the table."""


class SweepDisplay:
    """Heading, live table and closing table of one sweep."""

    def __init__(self, config: Config, sweep: Sweep, space: Space, *, quiet: bool) -> None:
        self._display = Display(quiet=quiet)
        self.line, self.warn = self._display.line, self._display.warn
        self._sweep, self._space, self._name = sweep, space, config.experiment.name
        self._headings = headings(list(space.axes), ("trial", "objective"))
        self._live: Live | None = None
        self._begun, self._before, self._drawn = 0.0, 0, 0.0
        self._printed = 0

    def begin(self, folder: Path, tally: Tally, workers: int) -> None:
        """Show what is to be done."""
        sweep, space = self._sweep, self._space
        seeds = f", each the mean over {sweep.seeds} seeds" if sweep.seeds > 1 else ""
        trained = f"; {tally.ended:,} of them are there already" if tally.ended else ""
        self.line(f"sweep {self._name}", "bold")
        self._display.facts(
            {
                **{f"over {key}": _axis_text(sweep, key) for key in space.axes},
                "trials": f"{space.trials:,} ({space.sampler}){seeds}{trained}",
                "objective": f"{sweep.tag}, {'largest' if tally.maximize else 'smallest'} first",
                "workers": str(workers),
                "folder": str(folder),
            }
        )
        if space.sampler == "grid" and sweep.trials is not None and sweep.trials < space.trials:
            self.warn(f"a grid runs all of its {space.trials:,} trials; trials: {sweep.trials} is for random and tpe")
        self._begun, self._before = time.perf_counter(), tally.ended
        self._printed = tally.ended * PLAIN_LINES // space.trials
        if self._display.live:
            from rich.live import Live

            self._live = Live(console=self._display.console, auto_refresh=False, transient=True)
            self._display.console.guarded(self._live.start)

    def update(self, tally: Tally) -> None:
        """Draw again where it is time to."""
        live = self._live
        if live is not None and time.perf_counter() - self._drawn >= REFRESH_SECONDS:
            self._drawn = time.perf_counter()
            self._display.console.guarded(lambda: live.update(self._drawing(tally), refresh=True))
        elif live is None and tally.ended * PLAIN_LINES // tally.wanted > self._printed:
            self._printed = tally.ended * PLAIN_LINES // tally.wanted
            self.line(self._progress(tally))

    def keeping(self, count: int) -> None:
        """So many trials are trained again, as runs."""
        self.line(f"keeping the best {counted(count, 'trial')} as runs")

    def stop(self) -> None:
        """Take the live table away."""
        if self._live is not None:
            self._display.console.guarded(self._live.stop)
            self._live = None

    def close(self, tally: Tally, summary: dict[str, Any], folder: Path) -> None:
        """The result, and what to type next."""
        done = summary["status"] == "completed"
        counts = ", ".join(f"{tally.counts[name]:,} {name}" for name in tally.counts)
        of = "" if done else f" of {tally.wanted:,}"
        title = f"{summary['status']}: {tally.ended:,}{of} trials ({counts or 'none'})"
        self.line(f"{title} in {duration(summary['seconds'])}", "bold green" if done else "bold red")
        if tally.best():
            self._display.table(self._table(tally))
        for result in tally.failures[:SHOWN]:
            reason, _, more = result.reason.partition("\n")
            self.warn(f"trial {result.number} failed: {reason}{' ...' if more else ''}")
        if not done:
            self.line(f"to go on: nnintro sweep --resume {folder}")
        elif tally.best():
            self.line(f"to train the best again: nnintro train {folder / 'best.yaml'}")
        else:
            self.line("no trial has an objective: nothing is the best")

    def _progress(self, tally: Tally) -> str:
        seconds, now = time.perf_counter() - self._begun, tally.ended - self._before
        parts = [f"{tally.ended:,}/{tally.wanted:,} trials"]
        parts += [f"{tally.counts[name]:,} {name}" for name in ("diverged", "stopped", "failed") if tally.counts[name]]
        best = next(iter(tally.best()), None)
        if best is not None:
            parts.append(f"best {best.objective:.4g} (trial {best.number})")
        if now and seconds > 0:
            parts += [f"{now / seconds:.3g} trials/s", f"{duration((tally.wanted - tally.ended) * seconds / now)} left"]
        return "  ".join(parts)

    def _drawing(self, tally: Tally) -> Group:
        """The best so far, and a line of progress below."""
        from rich.console import Group
        from rich.text import Text

        return Group(self._table(tally), Text(self._progress(tally), no_wrap=True, overflow="ellipsis"))

    def _table(self, tally: Tally) -> Table:
        rows = [
            [str(result.number), f"{result.objective:.6g}", *(_short(result.values[key]) for key in self._headings)]
            for result in tally.best(SHOWN)
        ]
        return table_of(["trial", self._sweep.tag, *self._headings.values()], rows)


def _short(value: Any) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else as_cell(value)
    return plain(text if len(text) <= WIDEST else f"{text[: WIDEST - 3]}...")


def _axis_text(sweep: Sweep, key: str) -> str:
    values = sweep.over[key]
    if isinstance(values, Range):
        return f"{values.low:g} to {values.high:g}" + (", logarithmic" if values.log else "")
    shown = [_short(value) for value in values[:SHOWN]]
    return ", ".join(shown) + (f", ... ({len(values):,} values)" if len(values) > SHOWN else "")
