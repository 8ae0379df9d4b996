"""Two processes are kept out of one run directory by a lock that ends with its owner."""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from nnintro.errors import CheckpointError

UNSUPPORTED = (errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.ENOTSUP)
"""What file systems answer that cannot lock a folder."""


class RunLock:
    """An exclusive ``flock`` on the run's folder itself.

    The kernel releases it when the process ends, however it ends, and it leaves no file behind.
    ``warning`` is None, or says why this file system gives no such lock.

    Raises:
        CheckpointError: another process holds it, or the folder cannot be opened.
    """

    def __init__(self, directory: Path) -> None:
        self.warning: str | None = None
        try:
            self._descriptor: int | None = os.open(directory, os.O_RDONLY)
        except OSError as error:
            raise CheckpointError(f"cannot open {directory}: {error.strerror}") from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in UNSUPPORTED:
                owner = _owner(self._descriptor)
                self.release()
                message = f"{directory}: another process{owner} is training in it"
                raise CheckpointError(message) from error
            self.warning = (
                f"this file system locks no folders ({error.strerror}): see to it that no two "
                "processes train in one run"
            )

    def release(self) -> None:
        """Let others in; may be called again."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


def _owner(descriptor: int) -> str:
    """`` (pid 123)``, where Linux tells who holds the lock."""
    inode = str(os.fstat(descriptor).st_ino)
    with suppress(OSError):
        for line in Path("/proc/locks").read_text(encoding="ascii").splitlines():
            fields = line.split()  # 1: FLOCK ADVISORY WRITE 8976 08:01:1234 0 EOF
            if fields[1] == "FLOCK" and fields[5].rsplit(":", 1)[-1] == inode:
                return f" (pid {fields[4]})"
    return ""
