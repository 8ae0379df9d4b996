"""Draw figures in a second process, so that training never waits for one.

Matplotlib takes a second to import and a third of one per figure. ``Painter`` starts the process, in which ``work``
runs. A thread writes a job into its stdin, reads the reply from its stdout, then writes the next job.

The process is started by subprocess. The spawn of multiprocessing would import the caller's script again: that loads
torch, fails where no ``if __name__ == "__main__"`` protects the script, and leaves a resource tracker running.
"""

from __future__ import annotations

import importlib
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import IO, TYPE_CHECKING, Any, cast

from nnintro.files import write_whole
from nnintro.signals import leave_with
from nnintro.temporary import remove_leftovers, remove_own, temporary_folder

if TYPE_CHECKING:  # numpy is imported where it is used: a painter starts before anything heavy
    import numpy.typing as npt

HURRIED_SECONDS = 1.5
"""For the last figures of a run that is to end now."""
MOST_WAITING = 2**30
"""Bytes of waiting jobs; once there are as many, no further job is accepted."""
REPLY = b"nnintro figure: "
"""How a reply begins. Any other line was printed while Python started, and is skipped."""


@dataclass
class Picture:
    """A figure that was asked for at the Unix time ``wall_time``."""

    tag: str
    step: int
    wall_time: float
    job: bytes = b""
    png: bytes = b""
    reply: tuple[str, bytes] | None = None  # set by the thread: an error or "", a PNG or b""


class Painter:
    """Draws in the background; ``errors`` says what failed, for nothing here is ever raised."""

    def __init__(self) -> None:
        self.errors: list[str] = []
        self._waiting: deque[Picture] = deque()
        self._queue: SimpleQueue[Picture | None] = SimpleQueue()
        self._process: subprocess.Popen[bytes] | None = None
        self._end_is_known = False
        self._open = ExitStack()
        # A daemon, for a program may end without having closed its painter.
        self._thread = threading.Thread(target=self._serve, name="painter", daemon=True)
        try:
            self._stderr = self._open.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
            self._process = self._open.enter_context(_start(self._stderr))
            self._thread.start()
            self._open.callback(self._thread.join, 1)
        except (OSError, RuntimeError, TypeError, ValueError) as error:
            self.errors.append(f"figures cannot be drawn: {error}")
            self.kill()

    def draw(
        self,
        kind: str,
        tag: str,
        step: int,
        arrays: Mapping[str, npt.NDArray[Any]],
        texts: Mapping[str, str | list[str]],
        save_as: Path | None = None,
    ) -> None:
        """Ask for ``FIGURES[kind]`` of copies of ``arrays``, also as the PNG ``save_as``; returns at once."""
        if self._is_dead():
            return
        picture = Picture(tag, step, time.time())
        try:
            if sum(len(earlier.job) for earlier in self._waiting) >= MOST_WAITING:
                raise BlockingIOError("too many figures wait already")
            path = None if save_as is None else str(save_as.absolute())
            picture.job = job_bytes(arrays, kind, dict(texts), path)
        except (OSError, TypeError, ValueError) as error:
            self.errors.append(f"figure {tag} at step {step}: {error}")
        else:
            self._waiting.append(picture)
            self._queue.put(picture)

    def finished(self) -> list[Picture]:
        """The figures that became ready since the last call, in the order they were asked for."""
        dead = self._is_dead()
        if dead and self._waiting:
            self._thread.join(1)  # it reads what the process had finished before it ended
        drawn = []
        while self._waiting and (dead or self._waiting[0].reply):
            one = self._waiting.popleft()
            error, one.png = one.reply or ("not drawn", b"")
            if error:
                self.errors.append(f"figure {one.tag} at step {one.step}: {error}")
            if one.png:
                drawn.append(one)
        return drawn

    def close(self, timeout: float = 30.0, hurried: Callable[[], bool] = lambda: False) -> list[Picture]:
        """The remaining figures, after at most ``timeout`` seconds; no process or thread stays.

        Once ``hurried()`` is true, ``HURRIED_SECONDS`` have to do.
        """
        try:
            drawn = self.finished()
            if self._process and self._waiting:  # else even its imports are not worth waiting for
                self._finish(self._process, time.monotonic() + timeout, hurried)
            return drawn + self.finished()
        finally:
            self.kill()

    def kill(self) -> None:
        """End the process and the thread at once; figures not read are lost."""
        process, self._process = self._process, None
        self._waiting.clear()
        self._queue.put(None)
        if process is not None:
            process.kill()
        self._open.close()  # waits for thread and process, closes the pipes and stderr's file
        if process is not None and process.returncode:
            remove_leftovers(Path(tempfile.gettempdir()))

    def _serve(self) -> None:
        """The thread: have one job after the other drawn, until None comes or the process ends."""
        assert self._process is not None
        jobs = cast(io.RawIOBase, self._process.stdin)
        replies = io.BufferedReader(cast(io.RawIOBase, self._process.stdout))
        with suppress(OSError, EOFError, ValueError), replies, jobs:
            for picture in iter(self._queue.get, None):
                rest = memoryview(picture.job)
                while rest:  # an unbuffered pipe may take only a part
                    rest = rest[jobs.write(rest) :]
                picture.reply = _read_reply(replies)
            jobs.close()  # at the end of its stdin the process ends
            replies.read()  # ends when the process does

    def _finish(self, process: subprocess.Popen[bytes], deadline: float, hurried: Callable[[], bool]) -> None:
        """Let the process do its last jobs and end; it is killed when that takes too long."""
        self._queue.put(None)
        while process.poll() is None:
            self._thread.join(0.05)
            if hurried():  # the minimum keeps the deadline of the first time
                deadline = min(deadline, time.monotonic() + HURRIED_SECONDS)
            if time.monotonic() > deadline:
                self._end_is_known = True
                self.errors.append("drawing was ended: it took too long")
                process.kill()
                process.wait()

    def _is_dead(self) -> bool:
        """Whether the process has ended; when it is seen first, the reason is noted."""
        if self._process is None:
            return True
        status = self._process.poll()
        if status and not self._end_is_known:
            self._end_is_known = True
            self.errors.append(f"the drawing process ended with status {status}")
            with suppress(OSError):
                self._stderr.seek(0)  # its last line is often the exception that ended it
                lines = self._stderr.read().decode(errors="replace").rstrip().splitlines()
                self.errors[-1] += "".join(f": {line.strip()}" for line in lines[-1:])
        return status is not None


def _start(stderr: IO[bytes]) -> subprocess.Popen[bytes]:
    """The drawing process: no window, one thread, and nothing of it on our terminal."""
    # One thread per numerical library, and modules are found where this process found them.
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    modules = os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path)
    changed = {**dict.fromkeys(threads, "1"), "PYTHONPATH": modules, "MPLBACKEND": "agg"}
    command = [sys.executable, "-P", "-W", "ignore", "-m", "nnintro.recording.painter"]
    return subprocess.Popen(
        [*command, str(os.getpid())],
        bufsize=0,  # a fork of this process must not flush a copy of half a job
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        env=os.environ | changed,
        process_group=0,  # Ctrl-C on the terminal is for the parent alone; Windows: the next line
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


def job_bytes(arrays: Mapping[str, npt.NDArray[Any]], *header: Any) -> bytes:
    """A line of JSON, then the arrays in numpy's format; raises TypeError and ValueError.

    No pickle, for what was made by torch would load torch in the drawing process.
    """
    import numpy as np

    body = io.BytesIO()
    for array in arrays.values():
        np.save(body, array, allow_pickle=False)
    return json.dumps([body.tell(), list(arrays), *header]).encode() + b"\n" + body.getvalue()


def _read_reply(replies: IO[bytes]) -> tuple[str, bytes]:
    """An error or "", and a PNG or b""; raises EOFError when the process ended before."""
    for line in replies:
        if line.startswith(REPLY):
            error, size = json.loads(line.removeprefix(REPLY))
            png = replies.read(size)
            if len(png) == size:
                return error, png
    raise EOFError


def work(parent: int) -> None:
    """The drawing process: draw the jobs that come through stdin, one by one, until it ends."""
    # Whether an interrupted run still wants its figures is for the parent to decide.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(5)
    with ExitStack() as scratch:
        _take_folder(scratch)
        scratch.callback(remove_own)
        threading.Thread(target=leave_with, args=(parent, scratch.close), daemon=True).start()
        _draw_jobs()
    os._exit(0)  # taking matplotlib apart would keep a run waiting


def _take_folder(scratch: ExitStack) -> None:
    """Give matplotlib a folder that is removed in the end: without a home it makes one, and would leave it."""
    with suppress(OSError):
        folder = scratch.enter_context(temporary_folder(Path(tempfile.gettempdir()), "figures"))
        tempfile.tempdir = str(folder)


def _draw_jobs() -> None:
    replies = os.fdopen(os.dup(1), "wb")
    with Path(os.devnull).open("wb") as nowhere:  # for what libraries print
        os.dup2(nowhere.fileno(), 1)
    importlib.import_module("nnintro.figures")  # matplotlib loads before the first job comes

    with suppress(BrokenPipeError):
        for line in sys.stdin.buffer:
            size, *header = json.loads(line)
            error, png = draw_job(sys.stdin.buffer.read(size), *header)
            replies.write(b"\n" + REPLY + json.dumps([error, len(png)]).encode() + b"\n" + png)
            replies.flush()


def draw_job(body: bytes, names: list[str], kind: str, texts: dict[str, Any], save_as: str | None) -> tuple[str, bytes]:
    """What went wrong or "", and the PNG or b"", of a job that ``job_bytes`` wrote."""
    png = b""
    try:
        import numpy as np

        from nnintro import figures

        file = io.BytesIO(body)
        arrays = {name: np.load(file, allow_pickle=False) for name in names}
        png = figures.render(kind, arrays, texts)
        if save_as is not None:
            path = Path(save_as)
            path.parent.mkdir(exist_ok=True)
            write_whole(path, lambda file: file.write(png))
    except Exception as error:
        return f"{type(error).__name__}: {error}", png
    return "", png


if __name__ == "__main__":
    work(int(sys.argv[1]))
