"""Find, make, name and lock the folder of a run; write its config.yaml and data.json."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import itertools
import os
import shutil
import stat
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from nnintro.errors import CheckpointError, UsageError
from nnintro.files import current_folder, make_folder, sync_folder, write_text
from nnintro.temporary import remove_leftovers, temporary_name
from nnintro.wording import cause, nearest

CONFIG, DATA = "config.yaml", "data.json"
SWEEP = "sweep.yaml"
"""The config of a sweep, which is no run."""
LARGEST = 1 << 23
"""Bytes of a file of JSON in a run."""


def find_run(run: str | Path, runs_dir: str | Path = "runs") -> Path:
    """The folder of a run, given by its path or by its name in ``runs_dir``; a path comes first.

    Raises:
        CheckpointError: there is no such folder, or it is not a run.
    """
    with explained(f"cannot open {run}"):
        places = [place for place in (Path(run), Path(runs_dir) / run) if place.is_dir()]
        if not places:
            # A hidden folder is a run that never took its name.
            configs = sorted(Path(runs_dir).glob(f"[!.]*/{CONFIG}"))
            close = nearest(Path(run).name, [path.parent.name for path in configs])
            meant = f"did you mean '{close}'?" if close else current_folder()
            raise CheckpointError(f"{run}: no such run; {meant}")
        for name in (CONFIG, "checkpoints"):
            if not (places[0] / name).exists():
                is_sweep = (places[0] / SWEEP).is_file()
                below = "; it is a sweep, whose runs are folders below it" if is_sweep else ""
                raise CheckpointError(f"{places[0]} is not a run: it has no {name}{below}")
    return places[0]


@contextlib.contextmanager
def explained(what: str) -> Iterator[None]:
    """In a run, a disk that fails is a CheckpointError: ``what``, and why."""
    try:
        yield
    except OSError as error:
        raise CheckpointError(f"{what}: {cause(error)}") from error


def write_config(directory: Path, config: str, data: str | None) -> None:
    """Write config.yaml, and data.json where the config does not say everything of the data.

    Raises:
        CheckpointError: the disk failed.
    """
    for name, text in ((CONFIG, config), (DATA, data)):
        if text is not None:
            with explained(f"cannot write {directory / name}"):
                write_text(directory / name, text)


def tidy(directory: Path) -> None:
    """Before a run goes on: halves of files are of no use, and figures may have been moved away.

    Raises:
        CheckpointError: the disk failed.
    """
    with explained(f"cannot write {directory}"):
        (directory / "figures").mkdir(exist_ok=True)
    for folder in (directory, *(directory / name for name in FOLDERS)):
        remove_leftovers(folder)


def create_run_directory(runs_dir: Path, name: str, config: str, data: str | None = None) -> tuple[Path, RunLock]:
    """``runs_dir/name``, or ``name-2``, ``name-3``, ...: the first that does not exist yet.

    It takes its name only with config.yaml in it, and data.json if ``data`` is given, so that each named run can be
    resumed.

    Returns:
        The folder, and the lock on it.

    Raises:
        CheckpointError: the folder cannot be made.
        UsageError: the locale's encoding has no such name.
    """

    def fill(unnamed: Path) -> None:
        for kind in ("checkpoints", "figures"):
            (unnamed / kind).mkdir()
        write_config(unnamed, config, data)

    return create_named(runs_dir, name, "a run", fill)


def create_named(
    runs_dir: Path, name: str, what: str, fill: Callable[[Path], object] = lambda _: None
) -> tuple[Path, RunLock]:
    """A folder that takes the first free name of ``name``, ``name-2``, ... once ``fill`` has put its files into it.

    Returns:
        The folder, and the lock on it.

    Raises:
        CheckpointError: it cannot be made; ``what`` says what for.
        UsageError: the locale's encoding has no such name.
    """
    require_encodable(name)
    with explained(f"cannot make {what} in {runs_dir}"), contextlib.ExitStack() as undo:
        make_folder(runs_dir)
        remove_leftovers(runs_dir)
        unnamed = runs_dir / temporary_name(name)
        unnamed.mkdir()
        undo.callback(shutil.rmtree, unnamed, ignore_errors=True)
        lock = undo.enter_context(RunLock(unnamed))
        fill(unnamed)
        directory = take_name(unnamed, runs_dir, name)
        sync_folder(runs_dir)
        undo.pop_all()
    return directory, lock


def require_encodable(name: str) -> None:
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        raise UsageError(
            f"{name}: the encoding of file names, {sys.getfilesystemencoding()}, does not have all of these letters; "
            "give the run another one with --name, or set LC_ALL=C.UTF-8"
        ) from None


def take_name(unnamed: Path, runs_dir: Path, name: str) -> Path:
    """Rename the folder to the first free name of its series; never onto another."""
    for number in itertools.count(1):
        directory = runs_dir / (name if number == 1 else f"{name}-{number}")
        if os.path.lexists(directory):
            continue
        try:
            return unnamed.rename(directory)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                raise  # those three: another process was faster
    raise AssertionError


class MovedError(CheckpointError):
    """The folder of a run that trains was moved away, or another one has its name now."""


OWN = (CONFIG, DATA, "environment.json", "history.csv", "summary.json", "supremum.json", "certificate.json")
"""Files of a run; its event files have names of their own."""
FOLDERS = ("checkpoints", "figures")


def require_own_files(directory: Path) -> None:
    """Refuse a run whose files are links, or pipes, or devices: what is written to it would land elsewhere.

    Raises:
        CheckpointError: one of them is; or the folder cannot be read.
    """
    with explained(f"cannot read {directory}"):
        for path in sorted(directory.iterdir()):
            if path.name in FOLDERS:
                _require(stat.S_ISDIR, path, "a folder of its own")
                for inner in sorted(path.iterdir()):
                    if not stat.S_ISDIR(inner.lstat().st_mode):  # into which nothing is written
                        _require(stat.S_ISREG, inner, "a regular file")
            elif path.name in OWN or path.name.startswith("events.out.tfevents."):
                _require(stat.S_ISREG, path, "a regular file")


def _require(is_kind: Callable[[int], bool], path: Path, kind: str) -> None:
    if not is_kind(path.lstat().st_mode):
        what = "a link" if path.is_symlink() else "something else"
        raise CheckpointError(
            f"{path}: expected {kind} of this run, found {what}; a run is not gone on with through it"
        )


UNSUPPORTED = (errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.ENOTSUP)
"""What file systems answer that cannot lock a folder."""


class RunLock(contextlib.ExitStack):
    """An exclusive ``flock`` on the run's folder itself, released by ``close``, which may be called again.

    The kernel releases it when the process ends, however it ends, and it leaves no file behind.
    ``warning`` is None, or says why this file system gives no such lock.

    Raises:
        CheckpointError: another process holds it, or the folder cannot be opened.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.warning: str | None = None
        with explained(f"cannot open {directory}"):
            descriptor = os.open(directory, os.O_RDONLY)
        self.callback(os.close, descriptor)
        self._descriptor = descriptor
        try:
            _lock(descriptor)
        except OSError as error:
            if error.errno not in UNSUPPORTED:
                owner = _owner(descriptor)
                self.close()
                message = f"{directory}: another process{owner} is training in it"
                raise CheckpointError(message) from error
            self.warning = (
                f"this file system locks no folders ({cause(error)}): see to it that no two processes train in one run"
            )

    def moved(self, directory: Path) -> Path | None:
        """Where the locked folder is now; None while it is at ``directory``, or nothing is there.

        Raises:
            MovedError: another folder is there, and where this one went is not known.
        """
        held = os.fstat(self._descriptor)
        try:
            if os.path.samestat(directory.stat(), held):
                return None
        except OSError:
            pass  # what writes there will say so, if it was not moved
        with contextlib.suppress(OSError):
            place = Path(f"/proc/self/fd/{self._descriptor}").readlink()
            if os.path.samestat(place.stat(), held):
                return place
        if directory.exists():
            raise MovedError(
                f"{directory}: another folder has this name now; the run that trained in it was moved away"
            )
        return None


def _lock(descriptor: int) -> None:
    """Lock a folder; who lists runs holds it for an instant (``is_locked``), so a second try is worth the wait."""
    for _ in range(5):
        with contextlib.suppress(BlockingIOError):
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        time.sleep(0.02)
    return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def is_locked(directory: Path) -> bool:
    """Whether a process trains in a run now; False where that cannot be known."""
    with contextlib.suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
    return False


def _owner(descriptor: int) -> str:
    """`` (pid 123)``, where Linux says who holds the lock."""
    inode = str(os.fstat(descriptor).st_ino)
    with contextlib.suppress(OSError):
        for line in Path("/proc/locks").read_text(encoding="ascii").splitlines():
            fields = line.split()  # 1: FLOCK ADVISORY WRITE 8976 08:01:1234 0 EOF
            if fields[1] == "FLOCK" and fields[5].rsplit(":", 1)[-1] == inode:
                return f" (pid {fields[4]})"
    return ""
