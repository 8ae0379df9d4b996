"""What a person sees on a terminal, narrow or wide, plain or dumb."""

from __future__ import annotations

import fcntl
import json
import os
import re
import struct
import subprocess
import sys
import termios

import pytest

import nnintro
from nnintro.wording import plain
from tests.cli.conftest import environment
from tests.support import PATIENCE, config

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


HOSTILE = "\x1b[2J\x1b[31mred\x07\u202egnp\x9b1m"


def test_what_would_steer_a_terminal_is_shown_as_escapes():
    assert plain(HOSTILE) == r"\x1b[2J\x1b[31mred\x07\u202egnp\x9b1m"
    assert plain("half \ud800, tab\tand\nline, Ümlaut, 漢字, \N{GRINNING FACE}") == (
        "half \\ud800, tab\tand\nline, Ümlaut, 漢字, \N{GRINNING FACE}"
    )


@pytest.mark.parametrize("arguments", ["runs", "evaluate {run}", "evaluate {run} --json", "predict {run}x t.csv"])
def test_names_from_a_strangers_run(arguments, tmp_path):
    """The name of its folder, and of its classes."""
    (tmp_path / "t.csv").write_text(
        "x,y\n" + "".join(f"{k},{'a' if k % 2 else 'b' + HOSTILE}\n" for k in range(12)), encoding="utf-8"
    )
    values = config(
        dataset={"kind": "table", "path": str(tmp_path / "t.csv"), "target": "y"}, descent={"batch_size": 2}
    )
    run = nnintro.train({**values, "name": "r"}, runs_dir=tmp_path / "runs").directory
    hostile = run.rename(run.with_name(f"run{HOSTILE}"))
    done = subprocess.run(
        [sys.executable, "-m", "nnintro", *arguments.format(run="RUN").replace("RUN", str(hostile)).split(" ")],
        capture_output=True, text=True, cwd=tmp_path, env=environment(), check=False, timeout=PATIENCE,
    )  # fmt: skip
    shown = done.stdout + done.stderr
    assert r"\x1b[2J" in shown or r"\u001b[2J" in shown
    assert not {"\x1b", "\x07", "\u202e", "\x9b"} & set(shown)
    assert "Traceback" not in shown


def test_a_warning_is_its_words_alone(tmp_path):
    run = nnintro.train(config(training={"checkpoint": {"every": "2 steps"}}, name="r"), runs_dir=tmp_path).directory
    latest = json.loads((run / "checkpoints/latest.json").read_text())["file"]
    (run / "checkpoints" / latest).write_bytes(b"torn")
    (tmp_path / "in.csv").write_text("x\n0.5\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "nnintro", "predict", str(run), "in.csv"],
        capture_output=True, text=True, cwd=tmp_path, env=environment(), check=False, timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == 0
    (line,) = done.stderr.splitlines()
    assert line.startswith("warning: ")
    assert "is used in its place" in line


ASCII = [{"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}, {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"}]


@pytest.mark.parametrize("variables", ASCII, ids=["C", "ascii"])
@pytest.mark.parametrize("arguments", ["evaluate runs/r", "runs", "predict runs/r t.csv", "validate nö.yaml"])
def test_names_that_the_locale_has_no_letters_for(arguments, variables, tmp_path):
    rows = "".join(f"{k},{'größer' if k > 5 else 'über'}\n" for k in range(12))
    (tmp_path / "t.csv").write_text(f"x,y\n{rows}", encoding="utf-8")
    dataset = {"kind": "table", "path": str(tmp_path / "t.csv"), "target": "y"}
    nnintro.train(config(dataset=dataset, descent={"batch_size": 2}, name="r"), runs_dir=tmp_path / "runs")
    done = subprocess.run(
        [sys.executable, "-m", "nnintro", *arguments.split()],
        capture_output=True, cwd=tmp_path, env=environment(**variables), check=False, timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == (3 if "validate" in arguments else 0)
    assert b"Traceback" not in done.stderr
    if "evaluate" in arguments:
        assert rb"gr\xf6\xdfer" in done.stdout
    if "predict" in arguments:  # data are UTF-8, whatever the terminal
        assert "größer" in done.stdout.decode("utf-8")
