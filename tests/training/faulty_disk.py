"""A disk whose n-th write, fsync or rename fails: a shim between Python and the system."""

from __future__ import annotations

import contextlib
import errno
import io
import os
from pathlib import Path

from nnintro.recording import events as tensorboard

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class Disk:
    """Counts what is done below ``folder`` and fails at operation ``n`` (from 1).

    Args:
        kind: ``once`` fails a single time, ``short`` writes half before it does, ``full`` fails
            from there on.
    """

    def __init__(self, folder, n=0, kind="once"):
        self.folder, self.n, self.kind = str(folder), n, kind
        self.count = 0
        self.done = []

    def fails(self, what, path):
        """Count one operation; whether it is to fail."""
        self.count += 1
        self.done.append((what, Path(path).name))
        return self.count == self.n or (self.kind == "full" and 0 < self.n <= self.count)

    @contextlib.contextmanager
    def mounted(self, monkeypatch):
        with monkeypatch.context() as patch:
            patch.setattr(io, "open", self._opening(io.open))
            patch.setattr(tensorboard, "FileIO", self._raw)
            patch.setattr(os, "fsync", self._fsync(os.fsync))
            for name in ("replace", "rename"):
                patch.setattr(os, name, self._renaming(name, getattr(os, name)))
            yield self

    def _raw(self, path, mode):
        return _Raw(path, mode, self)

    def _opening(self, plain):
        def open_(path, mode="r", *args, **kwargs):
            if not str(path).startswith(self.folder) or not set(mode) & set("wax"):
                return plain(path, mode, *args, **kwargs)
            file = io.BufferedWriter(self._raw(path, mode.replace("t", "")))
            return file if "b" in mode else io.TextIOWrapper(file, "utf-8", newline="")

        return open_

    def _fsync(self, plain):
        def fsync(descriptor):
            if self.fails("fsync", Path(f"/proc/self/fd/{descriptor}").readlink()):
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            plain(descriptor)

        return fsync

    def _renaming(self, name, plain):
        def rename(source, target):
            if str(target).startswith(self.folder) and self.fails(name, target):
                raise FULL
            return plain(source, target)

        return rename


class _Raw(io.FileIO):
    def __init__(self, path, mode, disk):
        super().__init__(path, mode.replace("b", "") + "b" if "b" in mode else mode)
        self.disk = disk

    def write(self, data):
        if not self.disk.fails("write", self.name):
            return super().write(data)
        if self.disk.kind == "short":
            super().write(bytes(data)[: len(data) // 2])
        raise FULL
