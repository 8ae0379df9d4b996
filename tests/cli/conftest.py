"""The command line, run in this process or in one of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from nnintro.cli import app
from tests.support import config

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Done:
    """What a command left in the user's hands."""

    code: int
    out: str
    err: str


class _Left(BaseException):
    """Stands for the end of the process."""


@pytest.fixture
def command(monkeypatch, capsys, tmp_path) -> Callable[..., Done]:
    """``command("train", "a.yaml")`` in an empty folder, up to the exit code."""
    monkeypatch.chdir(tmp_path)

    def leave(code: int) -> None:
        raise _Left(code)

    monkeypatch.setattr(app, "_leave", leave)

    def run(*arguments: object) -> Done:
        words = [str(argument) for argument in arguments]
        monkeypatch.setattr(sys, "argv", ["nnintro", *words])
        with pytest.raises(_Left) as left:
            app.run(time.perf_counter())
        out, err = capsys.readouterr()
        return Done(left.value.args[0], out, err)

    return run


@pytest.fixture
def written(tmp_path) -> Callable[..., Path]:
    """``written("a.yaml", training={...})`` writes a small config (see ``tests.support``)."""

    def write(name: str = "small.yaml", **sections: Any) -> Path:
        path = tmp_path / name
        path.write_text(yaml.safe_dump(config(**sections), sort_keys=False), encoding="utf-8")
        return path

    return write


@pytest.fixture
def process(tmp_path) -> Callable[..., subprocess.Popen[str]]:
    """``process("train", "a.yaml")`` starts a real process in an empty folder."""

    def start(*arguments: object, **options: Any) -> subprocess.Popen[str]:
        words = [sys.executable, "-m", "nnintro", *map(str, arguments)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(words, text=True, **{"cwd": tmp_path, "env": environment(), **pipes, **options})

    return start


def environment(**variables: str) -> dict[str, str]:
    """This process's environment, finding nnintro from any folder, without a say on colours."""
    silent = ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TERM", "COLUMNS", "LINES")
    kept = {name: value for name, value in os.environ.items() if name not in silent}
    path = os.pathsep.join([str(ROOT), *kept.get("PYTHONPATH", "").split(os.pathsep)])
    return {**kept, "PYTHONPATH": path.rstrip(os.pathsep), "TERM": "xterm-256color", **variables}
