"""``nnintro find-rate``: a learning rate for a config, by a range test and then by trainings."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nnintro.config.descent import Lbfgs
from nnintro.config.experiment import Experiment, Setup
from nnintro.config.load import load_config
from nnintro.engines.engine import Interrupted
from nnintro.errors import ConfigError, DataError, DivergedError, UsageError
from nnintro.files import require_place, write_whole
from nnintro.models.forward import own_modes, threads_here
from nnintro.sweeps.range_test import RangeTest, range_test
from nnintro.sweeps.short_training import ShortTraining, Tried
from nnintro.wording import cause, counted, duration

LONGEST_SECONDS = 2.0
"""About: a training that takes longer is tried by a part of its updates."""
LEAST_UPDATES = 100
LAST_LONGER = 4
"""The last trainings (the suggestion, half and double of it) have so many times the updates of the first."""
TRAININGS = 20
"""How many there are, about."""
LONGEST_IN_ALL = 1200.0
"""Seconds: what would take longer, by the time of the range test's updates, is refused."""
WORSE = 4.0
"""A rate is steady where the next higher one has at most so many times its loss."""
AS_GOOD = 1.25
"""A loss of at most so many times the least counts as good as it."""
LOWEST_RATE, HIGHEST_RATE = 1e-9, 1e6
"""Beyond which it is not looked for; the upper one is that of the YAML."""


@dataclass(frozen=True)
class Found:
    """A learning rate, and how it was found."""

    learning_rate: float
    tried: list[Tried]
    """Every training, by learning rate."""
    test: RangeTest
    setup: Setup
    notes: list[str]

    def as_dict(self) -> dict[str, Any]:
        return {"learning_rate": self.learning_rate, "tried": [asdict(tried) for tried in self.tried]}


def find_rate(
    config: str | Path | Mapping[str, Any],
    overrides: Sequence[str] = (),
    *,
    interrupted: Interrupted = lambda: False,
    say: Callable[[str], None] = lambda _: None,
) -> Found:
    """Find a learning rate for a config; the same one each time.

    A range test (Smith, 2017) shows between which rates the loss falls at all.  There the config is trained with its
    own optimizer and schedule at rates a factor of 2 apart, and around the best at rates a factor of sqrt(2) apart.
    A rate counts only where the next higher one did well too: the best is often the last before trainings diverge.
    Of the neighbours whose training loss is at most 1.25 times the least the middle one is taken.

    Args:
        config: path of a YAML file, or the same content as a dict.
        overrides: laid over the config.
        interrupted: whether to give up.
        say: called with a line about what comes next.

    Raises:
        ConfigError: the config is wrong, or has no learning rate to be found.
        DataError: the data cannot be used.
        DivergedError: it diverges at every rate.
        UsageError: it would take more than 20 minutes.
        OutOfMemoryError: the machine has not the memory.
        KeyboardInterrupt: ``interrupted`` said so.
    """
    loaded = load_config(config, overrides)
    threads_here()  # before torch's first operation in this thread settles the number by itself
    with own_modes(), loaded.locating():
        _refuse(loaded.experiment)
        training = ShortTraining(loaded, interrupted, say)
        say("range test: one training with a growing learning rate")
        short = _length(training)
        test = range_test(training, interrupted, lambda seconds: _require_time(seconds, short))
        if not test.rates:
            raise DivergedError("training diverges at every learning rate: the loss is not finite from the start")
        return _Search(training, test, short, say).found()


def _refuse(experiment: Experiment) -> None:
    training, optimizer = experiment.training, experiment.descent.optimizer
    if 0 in (training.epochs, training.steps):
        key = "training.epochs" if training.epochs == 0 else "training.steps"
        raise ConfigError.at(key, "a training of no updates has no learning rate; expected at least 1")
    if isinstance(optimizer, Lbfgs) and optimizer.line_search != "none":
        message = f"lbfgs with line_search: {optimizer.line_search} finds its step lengths itself; no rate to be found"
        raise ConfigError.at("descent.optimizer", message)


def _length(training: ShortTraining) -> int:
    """Updates of each training: all, or a part of them where all would take long."""
    total = training.setup.total_updates
    share = min(LONGEST_SECONDS / max(training.seconds, 1e-9), 1.0)
    return min(max(round(total * share), LEAST_UPDATES), total)


def _require_time(seconds_per_update: float, updates: int) -> None:
    seconds = seconds_per_update * updates * TRAININGS
    if seconds > LONGEST_IN_ALL:
        raise UsageError(
            f"find-rate would take about {duration(seconds)}: {counted(TRAININGS, 'training')} of "
            f"{counted(updates, 'update')}, {duration(seconds_per_update)} each; less with fewer training.epochs, "
            "fewer samples, or smaller images"
        )


class _Search:
    def __init__(self, training: ShortTraining, test: RangeTest, short: int, say: Callable[[str], None]) -> None:
        self.training, self.test, self.say = training, test, say
        self.short, self.long = short, min(LAST_LONGER * short, training.setup.total_updates)
        self.tried: dict[tuple[float, int], Tried] = {}

    def found(self) -> Found:
        best = self._coarse()
        # Around the best by half the step; what is already tried is not trained again.
        for number in (-1, 1):
            self._train(best * 2 ** (number / 2), self.short)
        chosen = self._chosen(self.short)
        if self.long > self.short:
            self.say(f"the suggestion, half and double of it: {counted(self.long, 'update')} each")
            for factor in (0.5, 1.0, 2.0):
                self._train(chosen.learning_rate * factor, self.long)
            chosen = self._chosen(self.long)
        return Found(
            chosen.learning_rate,
            sorted(self.tried.values(), key=lambda tried: (tried.learning_rate, tried.updates)),
            self.test,
            self.training.setup,
            self._notes(chosen),
        )

    def _coarse(self) -> float:
        """Train at rates a factor of 2 apart over the range test's window, and beyond it while that is better."""
        low, high = self.test.window
        middle = self.test.suggestion
        down, up = (math.ceil(math.log2(middle / low)), math.ceil(math.log2(high / middle)))
        rates = [middle * 2.0**power for power in range(-down, up + 1)]
        self.say(f"{counted(len(rates), 'training')} of {counted(self.short, 'update')}, a factor of 2 apart")
        for rate in rates:
            self._train(rate, self.short)
        while True:
            best = self._best(self.short).learning_rate
            ends = rates[0], rates[-1]
            falls = self._best(self.short).loss < self.test.start
            if falls and best == _pasted(ends[0]) and ends[0] / 2 > LOWEST_RATE:
                rates.insert(0, ends[0] / 2)
                self._train(rates[0], self.short)
            elif best == _pasted(ends[1]) and ends[1] * 2 < HIGHEST_RATE:
                rates.append(ends[1] * 2)
                self._train(rates[-1], self.short)
            else:
                return best

    def _train(self, rate: float, updates: int) -> None:
        rate = _pasted(rate)
        if (rate, updates) not in self.tried:
            self.tried[rate, updates] = self.training.train(rate, updates)

    def _of(self, updates: int) -> list[Tried]:
        of_these = [tried for (_, made), tried in self.tried.items() if made == updates]
        return sorted(of_these, key=lambda tried: tried.learning_rate)

    def _finite(self, updates: int) -> list[Tried]:
        """The trainings of so many updates that did not diverge, by learning rate."""
        of_these = self._of(updates)
        finite = [tried for tried in of_these if tried.status != "diverged"]
        if not finite:
            low, high = of_these[0].learning_rate, of_these[-1].learning_rate
            raise DivergedError(f"training diverges at every learning rate from {low:g} to {high:g}")
        return finite

    def _best(self, updates: int) -> Tried:
        return min(self._finite(updates), key=lambda tried: tried.loss)

    def _steady(self, updates: int) -> list[Tried]:
        """Those whose next higher rate did well too; all, where there are none.

        The best rate is often the last before trainings diverge: with another seed it would be one of them.
        """
        tried = self._finite(updates)
        higher = {lower.learning_rate: upper.loss for lower, upper in itertools.pairwise(self._of(updates))}
        steady = [one for one in tried if higher.get(one.learning_rate, math.nan) <= WORSE * one.loss]
        return steady or tried

    def _chosen(self, updates: int) -> Tried:
        """Of the neighbours of the best that are as good, the one in the middle."""
        tried = self._steady(updates)
        best = tried.index(min(tried, key=lambda one: one.loss))
        enough = AS_GOOD * tried[best].loss
        first = last = best
        while first > 0 and tried[first - 1].loss <= enough:
            first -= 1
        while last < len(tried) - 1 and tried[last + 1].loss <= enough:
            last += 1
        middle = math.sqrt(tried[first].learning_rate * tried[last].learning_rate)
        return min(tried[first : last + 1], key=lambda t: (abs(math.log(t.learning_rate / middle)), t.learning_rate))

    def _notes(self, chosen: Tried) -> list[str]:
        if chosen.loss >= self.test.start:
            return ["at no learning rate is the training loss lower at the end than at the start"]
        return []


def _pasted(rate: float) -> float:
    """The rate in two digits, as it will be pasted."""
    return float(f"{rate:.2g}")


def as_text(found: Found) -> str:
    """The trainings as a table, and the lines that set the learning rate."""
    lines = [f"{'learning rate':>13} {'updates':>9} {'train/loss':>12}"]
    longest = max(tried.updates for tried in found.tried)
    for tried in found.tried:
        loss = "diverged" if tried.status == "diverged" else f"{tried.loss:.4g}"
        is_it = tried.learning_rate == found.learning_rate and tried.updates == longest
        lines.append(f"{tried.learning_rate:13g} {tried.updates:9,} {loss:>12}{'  <- suggested' if is_it else ''}")
    rate = found.learning_rate
    return "\n".join([*lines, "", f"--set descent.learning_rate={rate:g}", f"descent: {{learning_rate: {rate:g}}}"])


def draw(found: Found, path: Path) -> None:
    """Write the picture of the range test and the trainings, a PNG.

    Raises:
        DataError: it cannot be written.
        UsageError: no file can be there.
    """
    from nnintro.figures import render

    longest = max(tried.updates for tried in found.tried)
    shown = [tried for tried in found.tried if tried.updates == min(t.updates for t in found.tried)]
    best = next(t for t in found.tried if (t.learning_rate, t.updates) == (found.learning_rate, longest))
    arrays = {
        "test_rates": found.test.rates,
        "test_losses": found.test.losses,
        "start": [found.test.start],
        "rates": [tried.learning_rate for tried in shown],
        "losses": [tried.loss for tried in shown],
        "suggested": [best.learning_rate, best.loss],
    }
    title = f"{found.setup.experiment.name}: train/loss by learning rate"
    png = render("learning_rates", {name: np.array(values) for name, values in arrays.items()}, {"title": title})
    place = require_place(path)
    try:
        write_whole(place, lambda file: file.write(png))
    except OSError as error:
        raise DataError(f"cannot write {path}: {cause(error)}") from error
