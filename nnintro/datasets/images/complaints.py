"""What the libraries under Pillow complain of, collected for the message of the file that they read.

libtiff writes to stderr, in whatever thread it decodes. Its handlers are replaced by one that notes the message for
that thread; stderr itself is left alone, for others may be writing to it. Where libtiff is not found among the
libraries that are loaded (it is looked for on Linux) it goes on writing.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nnintro.wording import plain

LONGEST = 200
"""Characters of a complaint that a message shows."""
_LOADED = Path("/proc/self/maps")
_HANDLER = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p)
"""Of the library's module, the format of the message, and its arguments: a va_list, which is passed as a pointer."""
_noted = threading.local()


@contextlib.contextmanager
def collected() -> Iterator[list[str]]:
    """What libtiff complains of in this thread, each once."""
    _listen()
    complaints: list[str] = []
    _noted.complaints = complaints
    try:
        yield complaints
    finally:
        del _noted.complaints


@functools.cache
def warn_once(message: str) -> None:
    """A file may be read in every epoch."""
    warnings.warn(message, stacklevel=2)


def in_one_line(complaints: list[str]) -> str:
    """The first of them, short, and how many others there are."""
    first = plain(" ".join(complaints[0].split()))
    first = first if len(first) <= LONGEST else f"{first[: LONGEST - 3]}..."
    return first if len(complaints) == 1 else f"{first} (and {len(complaints) - 1} more)"


@functools.cache
def _listen() -> Any:
    """Replace libtiff's handlers, for as long as the process lives; what is returned must live as long."""
    library = _libtiff()
    if library is None:
        return None
    text_of = ctypes.CDLL(None).vsnprintf
    text_of.argtypes = (ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_void_p)

    def note(_: bytes | None, template: bytes, arguments: int | None) -> None:
        buffer = ctypes.create_string_buffer(1000)
        text_of(buffer, len(buffer), template, arguments)
        complaint = buffer.value.decode("utf-8", "replace")
        complaints = getattr(_noted, "complaints", None)
        if complaints is not None and complaint not in complaints and len(complaints) < 100:
            complaints.append(complaint)

    handler = _HANDLER(note)
    for name in ("TIFFSetErrorHandler", "TIFFSetWarningHandler"):
        setter = getattr(library, name)
        setter.argtypes, setter.restype = (_HANDLER,), ctypes.c_void_p
        setter(handler)
    return handler


def _libtiff() -> ctypes.CDLL | None:
    """The library that Pillow has loaded."""
    from PIL import _imaging  # noqa: F401 (loads it)

    try:
        lines = _LOADED.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:  # another system
        return None
    paths = {line.partition("/")[2] for line in lines if Path(line).name.startswith("libtiff")}
    return ctypes.CDLL(f"/{min(paths)}") if len(paths) == 1 else None
