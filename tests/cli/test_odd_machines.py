"""Machines that lack something: a home, memory, descriptors, a folder, rights; docs/reliability.md has the table."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import nnintro
from nnintro.cli import app
from tests.cli.conftest import environment
from tests.support import PATIENCE

NOBODY = 54321
"""A user without a name, a home, or rights to anything here."""
LEAVE = app._leave
COMMAND = f"exec {sys.executable} -m nnintro"


def shell(script, folder, **variables):
    return subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment(**variables),
        capture_output=True, text=True, check=False, timeout=PATIENCE, stdin=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.fixture
def small(written, tmp_path):
    written("small.yaml", training={"epochs": 1}, logging={"figures": "auto"})
    return tmp_path


ROWS = {
    "no home": ("env -u HOME {} train small.yaml -q", 0, ""),
    "no environment": ("exec env -i PYTHONPATH=$PYTHONPATH {} train small.yaml -q", 0, ""),
    "64 file descriptors": ("ulimit -n 64; {} train small.yaml -q", 0, ""),
    "no addresses for torch": ("ulimit -v 200000; {} train small.yaml", 8, "not enough memory for this command\n"),
    "few addresses": ("ulimit -v 300000; {} validate small.yaml", 0, ""),
    "files of 1 KiB": ("ulimit -f 1; {} train small.yaml -q", 6, r"cannot write \S*step-\d+\.pt: File too large\n"),
    "a vanished folder": ("mkdir d; cd d; rmdir ../d; {} train ../small.yaml", 2, r"the working folder is gone: .*\n"),
    "umask 000": ("umask 000; {} train small.yaml -q", 0, ""),
    "umask 077": ("umask 077; {} train small.yaml -q", 0, ""),
    "a dumb terminal": ("TERM=dumb {} train small.yaml -q", 0, ""),
    "no terminal type": ("TERM= {} train small.yaml -q", 0, ""),
    "an unknown locale": ("LC_ALL=nowhere {} train small.yaml -q", 0, ""),
    "locale C": ("LC_ALL=C {} train small.yaml -q", 0, ""),
    "no temporary folder": ("TMPDIR=/nowhere {} train small.yaml -q", 0, ""),
    "stdin closed": ("{} train small.yaml -q <&-", 0, ""),
    "predict from a closed stdin": (
        "{} predict runs/none - <&-",
        6,
        r"runs/none: no such run; the current folder is .+\n",
    ),
}


@pytest.mark.parametrize("row", ROWS)
def test_one_line_or_none(row, small):
    script, code, said = ROWS[row]
    command = COMMAND.removeprefix("exec ") if script.startswith(("env", "exec env", "TERM", "LC", "TMP")) else COMMAND
    done = shell(script.format(command), small)
    assert done.returncode == code, done.stderr
    assert re.fullmatch(said, done.stderr), done.stderr
    left = {path.name for path in small.iterdir()}
    assert left <= {"small.yaml", "runs"}
    if (code, "train" in script) == (0, True):
        assert nnintro.load(small / "runs/small").summary["status"] == "completed"
        assert not list((small / "runs").rglob(".*"))


def test_a_large_image_in_little_memory(tmp_path, written):
    """Of the whole image at once a layer of 16 maps takes 433 MB; it is predicted in tiles."""
    network = {"kind": "unet", "channels": [16, 32]}
    data = {"kind": "images", "generator": "cells", "samples": 4, "size": [32, 32]}
    written(
        "small.yaml",
        dataset=data,
        model=network,
        descent={"batch_size": 2},
        training={"epochs": 1},
        precision="float32",
    )
    assert shell(f"{COMMAND} train small.yaml -q", tmp_path).returncode == 0
    Image.fromarray(np.zeros((2600, 2600), np.uint8)).save(tmp_path / "large.png")
    done = shell(f"ulimit -v 2000000; {COMMAND} predict runs/small large.png --output out", tmp_path)
    assert (done.returncode, done.stderr) == (0, "1 mask in out\n")


def test_whatever_the_umask_lets_others_is_what_they_get(small):
    """Files of a run are the user's own affair; the machine code's folder is for its owner alone (test_compiled)."""
    for mask in ("000", "077"):
        shell(f"umask {mask}; {COMMAND} train small.yaml -q --name m{mask}", small)
        run = small / f"runs/m{mask}"
        modes = {path.stat().st_mode & 0o777 & int(mask, 8) for path in (run, *run.rglob("*"))}
        assert modes == {0}


@contextlib.contextmanager
def without_rights():
    """A folder that everybody may read and nobody else than its owner may write to."""
    folder = Path(tempfile.mkdtemp())  # pytest's own are closed to others
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def as_nobody(arguments, folder):
    """Exit code and stderr of a command by a user without any rights: a fork, which has everything loaded already."""
    with tempfile.TemporaryFile("w+") as said:
        code = _in_a_fork(arguments, folder, said)
        said.seek(0)
        return code, said.read()


def _in_a_fork(arguments, folder, said):
    pid = os.fork()
    if pid == 0:
        try:
            os.chdir(folder)
            for variable in ("HOME", "NNINTRO_CACHE_DIR", "XDG_CACHE_HOME"):
                os.environ.pop(variable, None)
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            sys.argv = ["nnintro", *map(str, arguments)]
            sys.stdout, sys.stderr = open(os.devnull, "w"), said  # noqa: PTH123, SIM115
            app._leave = LEAVE  # which the test's own commands do without
            app.run(0.0)
        except BaseException:
            traceback.print_exc(file=said)
        finally:
            said.flush()
            os._exit(1)
    try:
        signal.alarm(int(PATIENCE))
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    finally:
        signal.alarm(0)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may become somebody else")
def test_another_user_without_rights(command, written):
    path = written("small.yaml", training={"epochs": 1, "engine": "autograd"})
    with without_rights() as folder:
        shutil.copy(path, folder / "small.yaml")
        (folder / "in.csv").write_text("x\n0.5\n")
        (folder / "own").mkdir()
        os.chown(folder / "own", NOBODY, NOBODY)
        # Everything is loaded by this: the user may not be able to read the program itself.
        runs = ("--runs-dir", folder / "runs")
        for words in (["train", folder / "small.yaml", *runs], ["evaluate", folder / "runs/small"], ["runs", *runs],
                      ["predict", folder / "runs/small", folder / "in.csv"],
                      ["train", "--resume", folder / "runs/small", "--set", "training.epochs=2"]):  # fmt: skip
            assert command(*words).code == 0
        before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
        assert as_nobody(["evaluate", "runs/small"], folder) == (
            0,
            "runs/small on its own validation data, 2,001 samples\n",
        )
        assert as_nobody(["runs"], folder) == (0, "")
        assert as_nobody(["predict", "runs/small", "in.csv"], folder) == (0, "")
        code, said = as_nobody(["predict", "runs/small", "in.csv", "--output", "out.csv"], folder)
        assert (code, said) == (4, "cannot write out.csv: Permission denied\n")
        code, said = as_nobody(["train", "small.yaml", "--runs-dir", "new"], folder)
        assert (code, said) == (6, "cannot make a run in new: Permission denied\n")
        code, said = as_nobody(["train", "--resume", "runs/small", "--set", "training.epochs=9", "-q"], folder)
        assert code == 6
        assert re.fullmatch(r"cannot write runs/small\S*: Permission denied\n", said), said
        assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
        assert as_nobody(["train", "small.yaml", "--runs-dir", "own/runs", "-q"], folder) == (0, "")
        os.chmod(folder / "runs/small/checkpoints", 0o700)  # noqa: PTH101
        code, said = as_nobody(["evaluate", "runs/small"], folder)
        assert code == 6
        assert len(said.splitlines()) == 1


@pytest.fixture(scope="module")
def far_names(tmp_path_factory):
    """A run whose classes and column have names that an ASCII terminal cannot show, made under such a locale."""
    folder = tmp_path_factory.mktemp("names")
    rows = "".join(f"{k},{('Köln', 'Ulm')[k // 2 % 2]},{('grün', '東京', 'красный')[k % 3]}\n" for k in range(60))
    (folder / "orte.csv").write_text(f"größe,город,farbe\n{rows}", encoding="utf-8")
    text = "dataset: {kind: table, path: orte.csv, target: farbe}\nmodel: {kind: mlp, hidden: [3]}\n"
    (folder / "orte.yaml").write_text(f"{text}training: {{epochs: 2}}\nname: grün-東京\n", encoding="utf-8")
    return folder


ASCII = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"}


@pytest.mark.parametrize(
    ("script", "shown"),
    [  # in this order: the first makes the run
        ("{} train orte.yaml", "completed"),
        ("{} evaluate runs/*", r"\u6771\u4eac"),
        ("{} runs", r"gr\xfcn-\u6771\u4eac"),
        ("{} predict runs/* orte.csv", "grün"),
        ("{} predict runs/* orte.csv --output out.csv", ""),
        ("{} explain runs/* --sample 0", ""),
        ("{} validate orte.yaml", ""),
    ],
)
def test_names_that_the_console_cannot_show(far_names, script, shown):
    done = subprocess.run(
        ["bash", "-c", script.format(COMMAND)], cwd=far_names, env=environment(**ASCII),
        capture_output=True, check=False, timeout=PATIENCE, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    text = (done.stdout + done.stderr).decode("utf-8")
    assert done.returncode == 0, text
    assert "Traceback" not in text
    assert shown in text


def test_a_name_that_the_file_system_encoding_cannot_hold(far_names):
    """As under LC_ALL=ru_RU.KOI8-R; Python has UTF-8 for the C locale, unless it is told not to."""
    plain = {**ASCII, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = shell(f"{COMMAND} train orte.yaml -q", far_names, **plain)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr.endswith("give the run another one with --name, or set LC_ALL=C.UTF-8\n")
    assert shell(f"{COMMAND} train orte.yaml -q --name plain", far_names, **plain).returncode == 0
