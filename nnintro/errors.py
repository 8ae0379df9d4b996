"""Every error that nnintro raises, each with its exit code.

NnintroError              1   any other error that nnintro reports
├── UsageError            2   the command itself is wrong
├── ConfigError           3   the YAML (or dict) cannot be used
├── DataError             4   the data cannot be used as asked
├── DivergedError         5   training left the finite numbers
├── CheckpointError       6   a run on disk cannot be written, read or trusted
└── OutOfMemoryError      8   the machine has not the memory for it
"""

from __future__ import annotations

import contextlib
import errno
import importlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in a config: where it stands, its key, and what was wanted."""

    message: str
    path: str = ""
    """Dotted key, as in ``descent.learning_rate``; empty for a problem of the whole file."""
    file: str | None = None
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        return ": ".join([*filter(None, (place, self.path)), self.message])


class NnintroError(Exception):
    """Root of everything nnintro raises on purpose."""

    exit_code = 1
    reported = False
    """Whether another process of the training shows it."""


class UsageError(NnintroError):
    """The command is wrong: an option that does not go with another, an unknown column."""

    exit_code = 2


class ConfigError(NnintroError):
    """A config that cannot be used; ``problems`` lists all that is wrong, in the file's order."""

    exit_code = 3

    def __init__(self, problems: Iterable[Problem] | str) -> None:
        self.problems = (Problem(problems),) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))

    @classmethod
    def at(cls, path: str, message: str) -> ConfigError:
        """A single problem at a key whose line is not known here (see ``config.locating``)."""
        return cls([Problem(message, path=path)])


class DataError(NnintroError):
    """Data that cannot be read or used as the config asks."""

    exit_code = 4


class DivergedError(NnintroError):
    """Training met a loss that is not finite; the last good parameters were saved.

    ``directory`` is the run's folder and ``summary`` what its summary.json says.
    """

    exit_code = 5

    def __init__(self, message: str, directory: Path | None = None, summary: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.directory = directory
        self.summary = summary


class CheckpointError(NnintroError):
    """A run on disk that cannot be written, read or trusted."""

    exit_code = 6


class OutOfMemoryError(NnintroError):
    """The machine has not the memory that something takes, whichever allocator said so."""

    exit_code = 8


SHORTAGES = (
    "can't allocate memory", "cannot allocate memory", "not enough memory", "out of memory", "bad_alloc",
    "bad allocation", "failed to map segment", "storage size calculation overflowed",
)  # fmt: skip
"""What torch, the libraries below it and the loader of libraries say, in part, where memory is short."""


@contextlib.contextmanager
def memory_for(what: str) -> Iterator[None]:
    """Where an allocator refuses, say for what; what has been said already passes through.

    Raises:
        OutOfMemoryError: not enough memory for ``what``.
    """
    try:
        yield
    except (MemoryError, RuntimeError, OSError, ImportError) as error:
        if not _is_shortage(error):
            raise
        raise OutOfMemoryError(f"not enough memory for {what}") from error


def _is_shortage(error: Exception) -> bool:
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
        return True
    return any(words in str(error).lower() for words in SHORTAGES)


def require_package(package: str, need: str, extra: str) -> None:
    """Load a package that comes with an extra.

    Args:
        need: who needs what, for the message.

    Raises:
        UsageError: it is not installed, or does not load; says how to install it.
    """
    try:
        importlib.import_module(package)
    except ImportError as error:
        message = f"{need}: pip install 'nnintro[{extra}]'"
        missing = isinstance(error, ModuleNotFoundError) and error.name == package
        raise UsageError(message if missing else f"{message} ({error})") from error
