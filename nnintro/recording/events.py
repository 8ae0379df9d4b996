"""One TensorBoard event file, written by the calling thread.

``torch.utils.tensorboard`` would cost 0.3 s of imports and a thread; here a call that writes ten scalars takes about 15
microseconds. The caller never sees a disk that fails: the file turns itself off and says why in ``error``.
"""

from __future__ import annotations

import errno
import os
import platform
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any

import numpy.typing as npt
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from tensorboard.compat.proto.event_pb2 import Event, SessionLog

from nnintro.files import is_regular, open_regular
from nnintro.recording import protos
from nnintro.recording.tfrecord import messages, records
from nnintro.wording import cause

BUFFER = 1 << 18
"""Bytes kept back before they go to the file."""
PATIENCE = 2.0
"""Seconds after which they go there all the same: TensorBoard may be open on them."""
OWN_NAME = re.compile(r"events\.out\.tfevents\.[0-9]{10}\.[0-9]{9}\..*\.[0-9]+")


class EventFile:
    """A new ``events.out.tfevents.*`` in ``directory``; one thread writes it.

    ``purge_step`` says where this file takes over: TensorBoard then forgets what older files of the directory hold from
    this step on, if the first of them began with a ``purge_step`` as well (its readers overlook the first one of a
    run). ``error`` is None until writing failed; after that, and after ``close``, every call does nothing.
    """

    def __init__(self, directory: Path, purge_step: int | None = None) -> None:
        self.error: str | None = None
        self.path = directory / _file_name()
        self._file: FileIO | None = None
        self._pending: list[bytes] = []  # a batch of records is cheaper to frame than each alone
        self._size = 0
        self._whole = 0  # bytes of the file that end with a whole record
        self._flushed = time.monotonic()
        try:
            directory.mkdir(parents=True, exist_ok=True)
            # No buffer of Python's own: it would try again, and fail again, when it is closed.
            self._file = FileIO(self.path, "xb")
        except OSError as error:
            self._turn_off(error)
        self._write(Event(wall_time=time.time(), file_version="brain.Event:2"))
        if purge_step is not None:
            restart = SessionLog(status=SessionLog.START)
            self._write(Event(wall_time=time.time(), step=purge_step, session_log=restart))

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Values by tag, as one event."""
        if self._file is None or not values:
            return
        event = Event(wall_time=time.time(), step=step)
        add = event.summary.value.add
        for tag, value in values.items():
            add(tag=tag, simple_value=float(value))
        self._write(event)

    def image(self, step: int, tag: str, png: bytes, seconds: float | None = None) -> None:
        """A PNG file's bytes; ``seconds`` is the Unix time to show, by default now."""
        self._write_value(step, protos.image_value(tag, png), seconds)

    def histogram(self, step: int, tag: str, values: npt.NDArray[Any]) -> None:
        """The distribution of the finite ``values`` (any shape); nothing when there is none."""
        if self._file is not None:
            self._write_value(step, protos.histogram_value(tag, values))

    def text(self, tag: str, markdown: str, step: int = 0) -> None:
        """Markdown for the TEXT view."""
        self._write_value(step, protos.text_value(tag, markdown))

    def hyperparameters(self, values: Mapping[str, str | float | bool]) -> None:
        """Put this run, its ``values`` and its scalars into the HPARAMS view.

        No column is named here: TensorBoard then collects them from all runs that it shows.
        """
        self._write_value(0, protos.session_start_value(values, time.time()))

    def finish(self, status: str) -> None:
        """Tell HPARAMS how the run ended: completed, stopped or diverged.

        TensorBoard keeps the first answer for good, so nothing is said of an interrupted run.
        """
        self._write_value(0, protos.session_end_value(status, time.time()))

    def layout(self, charts: Mapping[str, Mapping[str, Sequence[str]]]) -> None:
        """Charts of the CUSTOM SCALARS view: category -> title of a chart -> tags drawn in it."""
        self._write_value(0, protos.layout_value(charts))

    def flush(self, durable: bool = False) -> None:
        """Hand everything to the operating system, and with ``durable`` to the disk."""
        if self._file is None:
            return
        try:
            self._drain(self._file)
            if durable:
                os.fsync(self._file.fileno())
        except OSError as error:
            self._turn_off(error)

    def length(self) -> int:
        """Bytes of the file up to now, all of them whole records and on the disk."""
        self.flush(durable=True)
        return self._whole

    def close(self) -> None:
        """Flush and close; may be called again."""
        self.flush()
        if self._file is not None:
            try:
                self._file.close()
            except OSError as error:
                self._turn_off(error)
            self._file = None

    def _write_value(self, step: int, value: Any | None, seconds: float | None = None) -> None:
        if value is not None:
            event = Event(wall_time=time.time() if seconds is None else seconds, step=step)
            event.summary.value.append(value)
            self._write(event)

    def _write(self, event: Any) -> None:
        if self._file is None:
            return
        data = event.SerializeToString()
        self._pending.append(data)
        self._size += len(data)
        if self._size >= BUFFER or time.monotonic() - self._flushed >= PATIENCE:
            self.flush()

    def _drain(self, file: FileIO) -> None:
        """Write all that is pending; raises OSError, also when the file was deleted meanwhile."""
        self._flushed = time.monotonic()
        data = memoryview(records(self._pending) if self._pending else b"")
        self._pending.clear()
        self._size = written = 0
        while written < len(data):
            written += file.write(data[written:])
        self._whole += written
        if os.fstat(file.fileno()).st_nlink == 0:
            raise FileNotFoundError(errno.ENOENT, "the event file was deleted")

    def _turn_off(self, error: OSError) -> None:
        """Remember why, and cut off a torn record: readers would stumble on it."""
        self.error = f"{self.path}: cannot write TensorBoard events any more: {cause(error)}"
        self._pending.clear()
        if self._file is not None:
            file, self._file = self._file, None
            with suppress(OSError, ValueError):  # ValueError: it is the closing that failed
                file.truncate(self._whole)
            with suppress(OSError):
                file.close()


@dataclass(frozen=True)
class Shown:
    """A picture in an event file."""

    tag: str
    step: int
    wall_time: float
    png: bytes


def rewind(directory: Path, lengths: Mapping[str, int]) -> list[Shown]:
    """Take the events of a run back to an earlier moment: each file to its length then.

    Files that were begun later go.  Event files of other programs, links and whatever else has such a name are left
    alone.

    Returns:
        The pictures in what was cut off: drawing takes a while, and theirs may be of that moment or before.

    Raises:
        OSError: the folder cannot be written.
    """
    cut: list[Shown] = []
    for path in directory.glob("events.out.tfevents.*"):
        if not (OWN_NAME.fullmatch(path.name) and is_regular(path)):
            continue
        if path.name not in lengths:
            cut += _pictures(path, 0)
            path.unlink()
        elif path.stat().st_size > lengths[path.name]:
            cut += _pictures(path, lengths[path.name])
            os.truncate(path, lengths[path.name])
    return cut


def _pictures(path: Path, start: int) -> Iterator[Shown]:
    """Those in an event file from a byte on, as far as it is whole."""
    with open_regular(path) as file, suppress(DecodeError):
        file.seek(start)
        for message in messages(file):
            event = Event.FromString(message)
            for value in event.summary.value:
                if value.HasField("image"):
                    yield Shown(value.tag, event.step, event.wall_time, value.image.encoded_image_string)


def _file_name() -> str:
    """TensorBoard reads the files of a run in the order of their names, so time comes first."""
    seconds, nanoseconds = divmod(time.time_ns(), 10**9)
    host = platform.node() or "localhost"
    return f"events.out.tfevents.{seconds:010d}.{nanoseconds:09d}.{host}.{os.getpid()}"
