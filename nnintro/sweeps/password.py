"""Keep the password of --storage out of what is shown, written down, or seen in the list of processes."""

from __future__ import annotations

import contextlib
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nnintro.errors import UsageError

if TYPE_CHECKING:
    from sqlalchemy.engine import URL


@dataclass(frozen=True)
class Place:
    """Where a storage is, to be shown: without its password."""

    shown: str
    secrets: tuple[str, ...] = ()

    def hide(self, text: str) -> str:
        """The text without the password."""
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return text

    def error(self, text: str) -> UsageError:
        return UsageError(f"--storage: {self.shown}: {self.hide(text)}")


def secrets_of(url: URL) -> tuple[str, ...]:
    """The password, as it is and as a URL has it, the longest first."""
    query = url.query.get("password")
    named = [query] if isinstance(query, str) else list(query or ())
    secrets = {str(url.password)} if url.password else set()
    in_url = re.search(r"://[^:]*:(.*)@", url.render_as_string(hide_password=False))
    secrets |= {in_url[1]} if in_url else set()
    # One or two letters would be found in any word.
    return tuple(sorted((secret for secret in {*secrets, *named} if len(secret) > 2), key=len, reverse=True))


def without_password(address: str, instead: str = "***") -> str:
    """The address with something else in the place of what may be a password, also where it is misspelt."""
    # Up to the last @: a password may have one that should have been written as %40.
    hidden = re.sub(r"^([^@]*?//[^:/@]*|[^@:]*(?=:(?!//))):.*@", rf"\1:{instead}@" if instead else r"\1@", address)
    return re.sub(r"([?&]\w*password=)[^&#]*", rf"\1{instead}", hidden)


def hide_in_command_line(address: str) -> None:
    """Overwrite the password in ``sys.argv`` (which environment.json holds), and on Linux in what ``ps`` shows."""
    hidden = without_password(address)
    if hidden == address:
        return
    sys.argv = [argument.replace(address, hidden) for argument in sys.argv]
    with contextlib.suppress(OSError, ValueError, IndexError):  # another system: PGPASSWORD is the way there
        _overwrite(address.encode(), hidden.encode())


def _overwrite(old: bytes, new: bytes) -> None:
    """Put ``new``, which is not longer once it is cut, over ``old`` in the memory that has the command line."""
    # From the last parenthesis on, as the program's name may have spaces: fields 48 and 49 of proc(5).
    fields = Path("/proc/self/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    begin, end = int(fields[45]), int(fields[46])
    with Path("/proc/self/mem").open("r+b", buffering=0) as memory:
        memory.seek(begin)
        line = memory.read(end - begin)
        at = line.find(old)
        if at >= 0:
            memory.seek(begin + at)
            memory.write(new[: len(old)].ljust(len(old), b"*"))
