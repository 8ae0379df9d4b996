"""What a sweep shows: a table that is drawn again on a terminal, a few lines off one."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from nnintro.config.load import SweepOptions, load_config
from nnintro.sweeps.display import PLAIN_LINES, SweepDisplay
from nnintro.sweeps.space import Space
from nnintro.sweeps.tally import Tally
from nnintro.sweeps.trial import Result
from tests.support import config


class Terminal(io.StringIO):
    def isatty(self):
        return True


def shown(monkeypatch, stream, trials, most=100):
    """What a sweep of so many trials writes."""
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setenv("COLUMNS", str(most))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("nnintro.sweeps.display.REFRESH_SECONDS", 0.0)
    options = SweepOptions(["descent.learning_rate=log:1e-4..1"], {"trials": trials, "objective": "r2"})
    loaded = load_config(config(), sweep=options)
    sweep = loaded.experiment.sweep
    space = Space(sweep, 0, frozenset())
    display, tally = SweepDisplay(loaded, sweep, space, quiet=False), Tally(maximize=True, wanted=trials)
    display.begin(Path("runs/s"), tally, 2)
    for number in range(trials):
        status = "diverged" if number % 10 == 3 else "completed"
        objective = number / trials if status == "completed" else None
        tally.add(Result(number, space.values(number), status, objective, {}, 0, 0.1))
        display.update(tally)
    display.stop()
    display.close(tally, {"status": "completed", "seconds": 3.0}, Path("runs/s"))
    return stream.getvalue()


def test_off_a_terminal_a_few_lines(monkeypatch):
    text = shown(monkeypatch, io.StringIO(), 1000)
    lines = [line for line in text.splitlines() if "/1,000 trials" in line]
    assert len(lines) == PLAIN_LINES
    assert re.fullmatch(
        r"200/1,000 trials  20 diverged  best 0\.199 \(trial 199\)  [\d.e+]+ trials/s  [\d.]+ s left", lines[0]
    )
    assert "completed: 1,000 trials (900 completed, 100 diverged) in 3.0 s" in text
    best = [line.split()[0] for line in text.splitlines() if re.match(r" *\d+ +0\.\d+ ", line)]
    assert best == ["999", "998", "997", "996", "995", "994", "992", "991"]
    assert "\x1b" not in text


@pytest.mark.parametrize("columns", [40, 100])
def test_on_a_terminal_the_best_so_far(columns, monkeypatch):
    text = shown(monkeypatch, Terminal(), 30, columns)
    drawn = text.split("\x1b[2K")
    assert len(drawn) > 30
    plain = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", text)
    assert all(len(line) <= columns for line in re.split(r"[\r\n]+", plain))
    assert re.search(r"^12/30 trials  1 diverged", plain, re.MULTILINE)
