"""Figures are drawn by a second process, so that training never waits for one.

Matplotlib takes a second to import and a third of one per figure. ``Painter`` starts the process
and hands it jobs; ``nnintro.recording.painting`` is what runs there.

A job is a file in a private temporary folder, and a line with its number through a pipe. It is
done when the process has removed the file; what is beside it then, ``.png`` or ``.error``, is
the outcome. Nothing has to be read to know that, and it holds on a full disk as well.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from nnintro.recording.paint_jobs import END, LOG, Job, write_job

if TYPE_CHECKING:
    import numpy.typing as npt


HURRIED_SECONDS = 4.0
"""For the last figures of a run that is to end now."""


@dataclass(frozen=True)
class Drawn:
    """A finished figure; ``wall_time`` is the Unix time at which it was asked for."""

    tag: str
    step: int
    png: bytes
    wall_time: float


@dataclass(frozen=True)
class _Waiting:
    path: Path
    tag: str
    step: int
    wall_time: float


class Painter:
    """Draws in the background; ``errors`` says what failed, for nothing here is ever raised."""

    def __init__(self) -> None:
        self.errors: list[str] = []
        self._waiting: deque[_Waiting] = deque()
        self._count = 0
        self._end_is_known = False
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._folder = Path(tempfile.mkdtemp(prefix="nnintro-painter-"))
            self._process = _start(self._folder)
        except (OSError, ValueError) as error:
            self.errors.append(f"figures cannot be drawn: {error}")
            self._remove_folder()

    def draw(
        self,
        kind: str,
        tag: str,
        step: int,
        arrays: Mapping[str, npt.NDArray[Any]],
        texts: Mapping[str, str | list[str]],
        save_as: Path | None = None,
    ) -> None:
        """Ask for ``FIGURES[kind]`` of copies of ``arrays``; also as the PNG ``save_as``.

        Returns at once.
        """
        if self._process is None or self._folder is None or self._is_dead():
            return
        self._count += 1
        job = _Waiting(self._folder / f"{self._count}.job", tag, step, time.time())
        request = Job(kind, arrays, texts, save_as and save_as.absolute())
        try:
            write_job(job.path, request)
            self._say(b"%d\n" % self._count)
        except (OSError, TypeError, ValueError) as error:
            self._note(job, str(error))
            with suppress(OSError):
                job.path.unlink()
        else:
            self._waiting.append(job)

    def finished(self) -> list[Drawn]:
        """The figures that became ready since the last call, in the order they were asked for."""
        # Asked first: what a process finished just before it died is then still found below.
        dead = self._process is None or self._is_dead()
        drawn = []
        while self._waiting and not self._waiting[0].path.exists():
            drawn += self._outcome(self._waiting.popleft())
        if dead:
            for job in self._waiting:
                self._note(job, "not drawn")
            self._waiting.clear()
        return drawn

    def close(
        self, timeout: float = 30.0, hurried: Callable[[], bool] = lambda: False
    ) -> list[Drawn]:
        """The remaining figures, after at most ``timeout`` seconds; no process or file stays.

        Once ``hurried()`` is true, ``HURRIED_SECONDS`` have to do.
        """
        if self._process is None:
            return []
        try:
            drawn = self.finished()
            if self._waiting:  # otherwise even its imports are not worth waiting for
                self._finish(self._process, timeout, hurried)
            return drawn + self.finished()
        finally:
            self.kill()

    def kill(self) -> None:
        """End the process at once and remove the temporary folder; figures not read are lost."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            if process.stdin is not None:
                process.stdin.close()
        self._waiting.clear()
        self._remove_folder()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _finish(
        self, process: subprocess.Popen[bytes], timeout: float, hurried: Callable[[], bool]
    ) -> None:
        """Let the process do its last jobs and end; it is killed when that takes too long."""
        try:
            with suppress(BrokenPipeError):
                self._say(END)
            if process.stdin is not None:
                process.stdin.close()
            _wait(process, timeout, hurried)
        except subprocess.TimeoutExpired:
            self._end_is_known = True
            self.errors.append("drawing was ended: it took too long")
        except OSError as error:
            self.errors.append(f"figures cannot be finished: {error}")
        process.kill()
        process.wait()

    def _say(self, line: bytes) -> None:
        """One line to the process; raises BlockingIOError when thousands wait there already."""
        assert self._process is not None
        assert self._process.stdin is not None
        if self._process.stdin.write(line) is None:  # how a full pipe shows
            raise BlockingIOError("too many figures wait already")

    def _is_dead(self) -> bool:
        """Whether the process has ended; when it is seen first, the reason is noted."""
        if self._process is None or self._process.poll() is None:
            return self._process is None
        if self._process.returncode != 0 and not self._end_is_known:
            self._end_is_known = True
            status = self._process.returncode
            self.errors.append(f"the drawing process ended with status {status}{self._complaint()}")
        return True

    def _complaint(self) -> str:
        """The last line the process wrote to stderr, such as the error that ended it."""
        lines = _read(self._folder / LOG).split(b"\n") if self._folder else []
        words = [line.decode(errors="replace").strip() for line in lines if line.strip()]
        return f": {words[-1]}" if words else ""

    def _outcome(self, job: _Waiting) -> list[Drawn]:
        """The figure of a job that is done, if there is one; what went wrong is noted."""
        error = _read(job.path.with_suffix(".error"))
        png = _read(job.path.with_suffix(".png"))
        if error or not png:
            self._note(job, error.decode(errors="replace") or "nothing was drawn")
        return [Drawn(job.tag, job.step, png, job.wall_time)] if png else []

    def _note(self, job: _Waiting, problem: str) -> None:
        self.errors.append(f"figure {job.tag} at step {job.step}: {problem}")

    def _remove_folder(self) -> None:
        folder, self._folder = self._folder, None
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _wait(process: subprocess.Popen[bytes], timeout: float, hurried: Callable[[], bool]) -> None:
    """As ``process.wait`` does, which on its way to the end asks only every 50 ms."""
    deadline, in_a_hurry = time.monotonic() + timeout, False
    while process.poll() is None:
        if hurried() and not in_a_hurry:
            deadline, in_a_hurry = min(deadline, time.monotonic() + HURRIED_SECONDS), True
        if time.monotonic() > deadline:
            raise subprocess.TimeoutExpired(process.args, timeout)
        time.sleep(0.003)


def _start(folder: Path) -> subprocess.Popen[bytes]:
    """The drawing process: no window, one thread, and nothing of it on our terminal."""
    command = [sys.executable, "-P", "-W", "ignore", "-m", "nnintro.recording.painting"]
    with (folder / LOG).open("wb") as log:
        process = subprocess.Popen(
            [*command, str(folder), str(os.getpid())],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=log,
            env=os.environ | _environment(),
            process_group=0,  # Ctrl-C on the terminal is for the parent alone
        )
    assert process.stdin is not None
    os.set_blocking(process.stdin.fileno(), False)
    return process


def _environment() -> dict[str, str]:
    """One thread per numerical library, and modules are found where this process found them."""
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    modules = os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path)
    return {**dict.fromkeys(threads, "1"), "PYTHONPATH": modules, "MPLBACKEND": "agg"}


def _read(path: Path) -> bytes:
    """The file's bytes, and the file is gone; empty when there is none."""
    try:
        data = path.read_bytes()
        path.unlink()
    except OSError:
        return b""
    return data
