"""The drawing process: ``python -m nnintro.recording.painting FOLDER PARENT`` (see ``Painter``).

It must never outlive its parent, nor leave the temporary folder behind: it ends when its stdin
does, and also when the parent is gone but a child of that parent still holds the pipe.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from nnintro.recording.paint_jobs import END, read_job

_CHANGING = threading.Lock()
"""Held while the folder's files change: what is written amid its removal would keep it there."""


def work(folder: Path, parent: int) -> None:
    """Draw the jobs whose numbers come through stdin, one after the other, until it ends."""
    _stay_in_the_background()
    threading.Thread(target=_leave_with, args=(parent, folder), daemon=True).start()

    for line in sys.stdin.buffer:
        if line == END:
            os._exit(0)  # everything is written; taking matplotlib apart would keep a run waiting
        _do(folder / f"{int(line)}.job")
    with _CHANGING:
        shutil.rmtree(folder, ignore_errors=True)


def _stay_in_the_background() -> None:
    """Whether an interrupted run still wants its figures is for the parent to decide."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(5)


def _leave_with(parent: int, folder: Path) -> None:
    """End this process soon after its parent, in the middle of a figure if need be."""
    while os.getppid() == parent:
        time.sleep(0.5)
    _CHANGING.acquire(timeout=5)  # and not given back; a disk that hangs must not keep us here
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


def _do(path: Path) -> None:
    """Draw one job; its file goes last, because that tells the parent that the rest is there."""
    try:
        _draw(path)
    except Exception as error:
        problem = f"{type(error).__name__}: {error}"
        with _CHANGING, suppress(OSError):  # of a full disk the missing picture tells enough
            path.with_suffix(".error").write_text(problem)
    finally:
        with _CHANGING, suppress(OSError):
            path.unlink()


def _draw(path: Path) -> None:
    from nnintro.figures import render

    job = read_job(path)
    png = render(job.kind, job.arrays, job.texts)
    with _CHANGING:
        _write_whole(path.with_suffix(".png"), png)
    if job.save_as is not None:
        job.save_as.parent.mkdir(exist_ok=True)
        _write_whole(job.save_as, png)


def _write_whole(path: Path, data: bytes) -> None:
    """Write ``path`` so that it is there as a whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


if __name__ == "__main__":
    work(Path(sys.argv[1]), int(sys.argv[2]))
