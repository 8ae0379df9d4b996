"""The kernel's machine code: compiled once on a machine for all architectures, kept on disk.

A child process compiles (``backpropagation.build``).  A process that trains only loads the object
file, through llvmlite, which takes a tenth of the time that importing numba would.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import hashlib
import hmac
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from nnintro.engines.backpropagation.codes import ENTRY
from nnintro.errors import NnintroError
from nnintro.temporary import temporary_folder

SOURCES = Path(__file__).with_name("backpropagation")
DIGEST = hashlib.sha256().digest_size
"""Bytes in front of an object file, by which a damaged one, or another program's, is known."""
KEY = "key"
LARGEST = 1 << 26
"""Bytes of an object file: it has some hundred thousand."""
Say = Callable[[str], None]
Descend = Callable[[int, float], int]
"""(address of a call's words, longest gradient) -> how it ended; see ``codes``."""


def load_kernel(dtype: np.dtype[Any], say: Say, interrupted: Callable[[], bool]) -> Descend:
    """``descend`` for float32 or float64, as a function that other threads run beside.

    Args:
        say: hears of a compilation that is about to come.
        interrupted: asked several times a second while it goes on.

    Raises:
        KeyboardInterrupt: ``interrupted`` said so; nothing is left behind.
        NnintroError: the compiler failed.
    """
    place = cache_folder()
    code = _read(place / f"{dtype.name}.o")
    if code is None:
        folder, others = _writable(place), open_to_others(place)
        why_not = f"others may write to {others}" if others else "no folder can be written to keep it in"
        often = "once" if folder else f"each time, for {why_not}"
        say(f"compiling the fused engine for {dtype}, {often}: about fifteen seconds")
        with temporary_folder(folder or Path(tempfile.gettempdir()), "kernel") as scratch:
            made = scratch / "kernel.o"
            _compile(dtype, made, interrupted)
            code = made.read_bytes()
            if folder is not None:
                _keep(made, code, folder / f"{dtype.name}.o")
    return _function(code)


def _keep(made: Path, code: bytes, path: Path) -> None:
    """Put an object file into the cache, behind its digest under the cache's key, which is made with the first one."""
    new, key = made.with_name(KEY), _key_of(path)
    for file, content in ((new, os.urandom(DIGEST)), (made, b"")):
        file.write_bytes(content)
        file.chmod(0o600)
    # Where one of these fails (a folder has the name, say) it is compiled anew the next time.
    with contextlib.suppress(OSError):
        os.link(new, key)  # of processes that start at once, one makes it
    if _secret(key) is None:
        with contextlib.suppress(OSError):
            new.replace(key)
    secret = _secret(key)
    if secret is not None:
        made.write_bytes(hmac.digest(secret, code, "sha256") + code)
        with contextlib.suppress(OSError):
            made.replace(path)


def _key_of(path: Path) -> Path:
    """One for all kernels of a cache."""
    return path.parents[1] / KEY


def _secret(path: Path) -> bytes | None:
    key = _trusted(path)
    return key if key is not None and len(key) == DIGEST else None


def _read(path: Path) -> bytes | None:
    """An object file's bytes; None where there is none, or it is not what this program has put there.

    The linker ends the process over an object that is none, so nothing else may come before it.
    """
    if not path.is_absolute() or open_to_others(path.parent) is not None:
        return None
    secret, content = _secret(_key_of(path)), _trusted(path)
    if secret is None or content is None:
        return None
    digest, code = content[:DIGEST], content[DIGEST:]
    return code if hmac.compare_digest(hmac.digest(secret, code, "sha256"), digest) else None


def _trusted(path: Path) -> bytes | None:
    """A file's bytes; None where there is none, or others could have written it."""
    try:
        # A link, a pipe or a device in its place is not an object file, and not waited for.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST or _is_open(status):
                return None
            return file.read()
    except OSError:
        return None


def _compile(dtype: np.dtype[Any], path: Path, interrupted: Callable[[], bool]) -> None:
    module = f"{__package__}.backpropagation.build"
    root = str(SOURCES.parents[2])  # the package may have been found by no path that a child knows
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", module, dtype.name, str(path), str(os.getpid())],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a Ctrl-C is ours to pass on
    )
    with process:
        words = _heard(process, interrupted)
    if process.returncode != 0:
        reason = words.strip().splitlines()[-1:] or [f"exit code {process.returncode}"]
        raise NnintroError(
            f"the fused engine cannot be compiled on this machine: {reason[0]}; "
            "--set training.engine=autograd trains without it"
        )


def _heard(process: subprocess.Popen[str], interrupted: Callable[[], bool]) -> str:
    """What a process said on stderr, once it is over; it is ended if we are."""
    try:
        while True:
            try:
                return process.communicate(timeout=0.1)[1]
            except subprocess.TimeoutExpired:
                if interrupted():
                    raise KeyboardInterrupt from None
    finally:
        process.kill()  # does nothing where it is over


@functools.cache
def _function(code: bytes) -> Descend:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine(codemodel="jitdefault", jit=True)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    pointer = ctypes.POINTER(ctypes.c_void_p)
    signature = ctypes.CFUNCTYPE(
        ctypes.c_int32, ctypes.POINTER(ctypes.c_int64), pointer, ctypes.c_int64, ctypes.c_double
    )
    compiled = signature(engine.get_function_address(ENTRY))

    def descend(words: int, clip: float, _: Any = engine) -> int:  # which must outlive its code
        ended, raised = ctypes.c_int64(), ctypes.c_void_p()
        status = compiled(ctypes.byref(ended), ctypes.byref(raised), words, clip)
        if status != 0:
            raise AssertionError(f"the kernel stopped with status {status}")
        return ended.value

    return descend


def processor() -> str:
    """LLVM's name for this machine's kind of processor."""
    import llvmlite.binding as llvm

    return str(llvm.get_host_cpu_name())


@functools.cache
def cache_folder() -> Path:
    """The folder of this kernel, compiler and processor, whether it is there or not."""
    import llvmlite.binding as llvm

    digest = hashlib.sha256()
    for path in sorted(SOURCES.glob("*.py")):
        digest.update(path.read_bytes())
    features = llvm.get_host_cpu_features().flatten()
    versions = version("numba"), version("llvmlite")
    digest.update(repr((versions, processor(), features)).encode())
    name = f"kernel-{digest.hexdigest()[:16]}"
    chosen = os.environ.get("NNINTRO_CACHE_DIR")
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111
    return Path(chosen) / name if chosen else Path(home) / "nnintro" / name


def open_to_others(folder: Path) -> Path | None:
    """The folder, or one above it, in which somebody else than this user and root could put machine code of theirs.

    None where there is none. In a folder such as /tmp others may make files, but not touch those of this user.
    """
    if not hasattr(os, "geteuid"):
        return None  # Windows has no such owners
    for place in (folder.absolute(), *folder.absolute().parents):
        try:
            status = place.stat()
        except OSError:
            continue  # it is made below those that are there
        is_shared = place != folder.absolute() and bool(status.st_mode & stat.S_ISVTX)
        if _is_open(status) and not (is_shared and status.st_uid in (0, os.geteuid())):
            return place
    return None


def _is_open(status: os.stat_result) -> bool:
    """Whether others than root and this user own a file or folder, or may write to it."""
    if not hasattr(os, "geteuid"):
        return False
    by_group = bool(status.st_mode & stat.S_IWGRP) and not _is_own_group(status.st_gid)
    return status.st_uid not in (0, os.geteuid()) or by_group or bool(status.st_mode & stat.S_IWOTH)


@functools.cache
def _is_own_group(number: int) -> bool:
    """Whether a group has no members but this user, as on systems where each has one of its own; root's is root's."""
    import grp
    import pwd

    try:
        members, name = grp.getgrgid(number).gr_mem, pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return False
    return number in (0, os.getegid()) and set(members) <= {name, "root"}


def _writable(folder: Path) -> Path | None:
    """The folder, made if it is not there; None where nothing can be written to it, or others can."""
    if not folder.is_absolute() or open_to_others(folder) is not None:
        return None
    try:
        for place in (*reversed(folder.parents), folder):  # each for this user alone, whatever the umask says
            if not place.exists():
                place.mkdir(mode=0o700, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        return None
