"""A PostgreSQL server of the tests' own: in a temporary folder, on a free port, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NEEDED = os.environ.get("NNINTRO_NEEDS_POSTGRES") == "1"
USER, PASSWORD = "nnintro", "pass word@%{}"
"""With characters that a URL, SQLAlchemy, Optuna and Alembic treat in a special way."""
IN_URL = "pass%20word%40%25%7B%7D"


def programs() -> Path | None:
    """The folder of initdb and pg_ctl; Debian does not have it in PATH."""
    found = [*sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl")), *filter(None, [shutil.which("pg_ctl")])]
    return Path(found[-1]).resolve().parent if found else None


class Server:
    """A running server; ``url`` has the password of its only role."""

    def __init__(self, folder: Path, account: str | None) -> None:
        self._folder, self._account = folder, account
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        (folder / "password").write_text(PASSWORD)
        if account is not None:
            for path in (folder, folder / "password"):
                shutil.chown(path, account)
        self._run(
            "initdb", "-U", USER, "--auth=scram-sha-256", f"--pwfile={folder}/password", "--no-sync", "-E", "UTF8"
        )

    def url(self, *, user: str = USER, password: str = IN_URL, database: str = "postgres", **options: str) -> str:
        query = "".join(f"?{name}={value}" for name, value in options.items())
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}{query}"

    def start(self) -> None:
        options = f"-p {self.port} -k {self._folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        self._run("pg_ctl", "start", "-w", "-o", options, "-l", str(self._folder / "log"))

    def stop(self) -> None:
        self._run("pg_ctl", "stop", "-w", "-m", "immediate")

    def _run(self, program: str, *arguments: str) -> None:
        # As root, PostgreSQL refuses to run.
        whose = {} if self._account is None else {"user": self._account, "group": self._account, "extra_groups": []}
        command = [str(programs() / program), "-D", str(self._folder / "data"), *arguments]
        # No pipe: the server would inherit it, and the reader would wait for the server's end.
        with (self._folder / f"{program}.out").open("w+") as output:
            done = subprocess.run(
                command, cwd=self._folder, stdout=output, stderr=output, stdin=subprocess.DEVNULL, check=False, **whose
            )
            output.seek(0)
            assert done.returncode == 0, output.read()


def _account() -> str | None:
    if os.getuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


@contextmanager
def serving() -> Iterator[Server]:
    """A server that runs, and is removed afterwards."""
    # Not pytest's folder: another account may not enter it, and the path of a socket has at most 107 bytes.
    with tempfile.TemporaryDirectory(prefix="nnintro-pg-") as folder:
        server = Server(Path(folder), _account())
        server.start()
        try:
            yield server
        finally:
            server.stop()
