"""The display on terminals of every width, and where there is none."""

from __future__ import annotations

import io
import re

import pytest

from nnintro.recording.console import Display
from nnintro.wording import duration

FACTS = {"data": "function (sin(3*x)): regression", "run": "/a/rather/long/folder" * 4}
LAYERS = [("hidden 1", "1 -> 64", "tanh", "128"), ("output", "64 -> 1", "identity", "65")]
SCALARS = {"train/loss": 1.23456e-05, "validation/sup_error": 0.00987654321}


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Gone(io.StringIO):
    """A pipe without a reader, or a terminal that was closed."""

    def __init__(self, error, *, terminal):
        super().__init__()
        self.error, self.terminal = error, terminal

    def isatty(self):
        return self.terminal

    def write(self, _):
        raise self.error

    def flush(self):
        raise self.error


def show(stream, monkeypatch, *, width=80, total=12_345_678, quiet=False):
    """A whole training on ``stream``."""
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("nnintro.recording.console.REFRESH_SECONDS", 0.0)
    display = Display(quiet=quiet)
    display.heading("name", FACTS, LAYERS)
    display.warn("something")
    display.start(total, 1000, "validation/sup_error")
    for tenth in range(11):
        step = total * tenth // 10
        display.scalars(step, tenth * 700.0, SCALARS)
        display.update(step, tenth * 700.0)
    display.stop()
    display.closing("completed", "bold green", {"train/loss": "1e-5", "figures": "a.png\nb.png"})
    return display


def lines(stream):
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue())
    return [line for line in re.split(r"[\r\n]+", text) if line.strip()]


@pytest.mark.parametrize("width", [30, 40, 50, 60, 70, 80, 100, 140, 200])
def test_nothing_is_wider_than_the_terminal(monkeypatch, width):
    stream = Terminal()
    show(stream, monkeypatch, width=width)
    assert max(map(len, lines(stream))) <= width
    bars = [line for line in lines(stream) if line.startswith("epoch ")]
    assert len(bars) >= 11
    assert all(line.count("epoch") == 1 for line in bars)
    assert not any("…" in line for line in bars)
    if width >= 60:
        assert " loss 1.235e-05" in bars[-1]
    if width >= 140:
        assert all(part in bars[-2] for part in ("sup_error 0.009877", "updates/s", " left"))


def test_off_a_terminal_there_are_a_few_whole_lines(monkeypatch):
    stream = io.StringIO()
    show(stream, monkeypatch, width=40)
    text = stream.getvalue()
    assert "\x1b" not in text
    assert "\r" not in text
    progress = [line for line in lines(stream) if line.startswith("epoch ")]
    assert len(progress) == 6
    assert progress[0] == "epoch 0  step 0/12345678  loss 1.235e-05  sup_error 0.009877"
    assert progress[-1].startswith("epoch 12345  step 12345678/12345678  loss 1.235e-05  sup_error")
    assert f"run   {FACTS['run']}" in lines(stream)
    assert all(line == line.rstrip() for line in text.splitlines())


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize(
    "error", [BrokenPipeError(32, "Broken pipe"), OSError(5, "Input/output error"), ValueError("closed")]
)
def test_a_reader_that_has_gone_ends_nothing(monkeypatch, error, terminal):
    display = show(Gone(error, terminal=terminal), monkeypatch)
    assert display.console.quiet


@pytest.mark.parametrize("stream", [Terminal, io.StringIO])
def test_quiet(monkeypatch, stream):
    stream = stream()
    show(stream, monkeypatch, quiet=True)
    assert stream.getvalue() == ""


@pytest.mark.parametrize("stream", [Terminal, io.StringIO])
def test_no_updates(monkeypatch, stream):
    stream = stream()
    show(stream, monkeypatch, total=0)
    assert "completed" in lines(stream)


def test_a_text_is_shown_as_it_is_written(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    Display().heading("[bold]not markup[/]", {"data": "[0, 1] :smile:"}, [])
    assert lines(stream)[0] == "[bold]not markup[/]"
    assert "data  [0, 1] :smile:" in lines(stream)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.0 s"), (9.94, "9.9 s"), (12.4, "12 s"), (100, "1:40"), (185, "3:05"), (3729, "1:02:09")],
)
def test_duration(seconds, text):
    assert duration(seconds) == text
