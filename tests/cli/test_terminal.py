"""What a person sees on a terminal, narrow or wide, plain or dumb."""

from __future__ import annotations

import fcntl
import os
import re
import struct
import termios

import pytest

from tests.cli.conftest import environment
from tests.support import PATIENCE

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]")
COLOURS = re.compile(r"\x1b\[(?:[0-9;]*;)?(?:3[0-8]|4[0-8]|9[0-7])[0-9;]*m")
MOONS = {"dataset": {"kind": "classification", "generator": "moons", "samples": 200}, "training": {"epochs": 40}}


@pytest.fixture
def on_terminal(process):
    """Run a command with stdout and stderr on a terminal of some width; its code and bytes."""

    def run(width, *words, **variables):
        ours, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
        env = environment(**variables)
        with process(*words, stdin=theirs, stdout=theirs, stderr=theirs, env=env) as running:
            os.close(theirs)
            received = b""
            try:
                while data := os.read(ours, 65536):
                    received += data
            except OSError:  # how the end of a terminal shows
                pass
            code = running.wait(PATIENCE)
        os.close(ours)
        return code, received.decode()

    return run


def pictures(text):
    """Every line as it stood at some time, redrawn ones one by one, without escape codes."""
    return [line for line in re.split(r"[\r\n]+", ESCAPES.sub("", text)) if line.strip()]


def words(lines):
    return re.findall(r"\S+", " ".join(lines))


@pytest.mark.parametrize("width", [60, 140])
def test_training_fits_the_terminal(on_terminal, written, width):
    code, text = on_terminal(width, "train", written(**MOONS))
    lines = pictures(text)
    assert code == 0
    assert max(map(len, lines)) <= width
    assert not any("…" in line for line in lines)
    bars = [line for line in lines if line.startswith("epoch ")]
    assert len(bars) >= 3
    for bar in bars[1:]:
        assert re.search(r"epoch \d+ [━╸╺]{5,} *\d+/1600 ", bar)
        assert " loss " in bar
    assert (" accuracy " in bars[-1] and " updates/s" in bars[-1]) == (width == 140)
    assert "completed" in lines
    # No word of a heading or of the closing table is torn apart.
    for word in ("parameters", "cross_entropy", "validation/accuracy", "nnintro", "dashboard"):
        assert word in words(lines)


def test_pictures_of_the_run_are_named_one_by_one(on_terminal, written):
    # Half the width of a longer sentence: a path is there to be copied.
    _, text = on_terminal(60, "train", written(**MOONS, logging={"figures": "auto"}))
    for name in ("confusion", "curves", "fit"):
        assert f"runs/small/figures/{name}.png" in words(pictures(text))


def test_colours_are_left_out_where_they_are_not_wanted(on_terminal, written):
    path = written(training={"epochs": 1})
    assert COLOURS.search(on_terminal(80, "train", path)[1])
    assert not COLOURS.search(on_terminal(80, "train", path, NO_COLOR="1")[1])


def test_a_dumb_terminal_gets_plain_lines(on_terminal, written):
    code, text = on_terminal(80, "train", written(), TERM="dumb")
    assert code == 0
    assert "\x1b" not in text
    assert "\r" not in text.replace("\r\n", "\n")
    assert re.search(r"^epoch 3  step 18/18  loss ", text, re.MULTILINE)


def test_a_forced_colour_does_not_make_a_log_a_terminal(process, written):
    env = environment(FORCE_COLOR="1")
    with process("train", written(), env=env) as running:
        out, err = running.communicate(timeout=PATIENCE)
    assert (running.returncode, out) == (0, "")
    assert not re.search(r"\x1b\[[0-9;?]*[A-KSTfhl]|\r", err)
    assert len(err.splitlines()) <= 30
