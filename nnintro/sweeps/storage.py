"""Open the database (or the file) of --storage, in which several machines share a sweep; say why it cannot be used."""

from __future__ import annotations

import re
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnintro.errors import UsageError, require_package
from nnintro.sweeps.password import Place, secrets_of, without_password
from nnintro.sweeps.tpe import load_optuna
from nnintro.wording import cause, plain

if TYPE_CHECKING:
    from optuna.storages import BaseStorage, RDBStorage
    from sqlalchemy.engine import URL

EXAMPLE = "postgresql://USER@HOST/DATABASE"
CONNECT_SECONDS = 10
CONNECTIONS = 4
"""Of one machine at most: PostgreSQL has 100 for all."""
FILE_SUFFIXES = (".journal", ".log")


@dataclass(frozen=True)
class Opened:
    """A storage, where it is, and what ends its connections."""

    storage: BaseStorage
    place: Place
    close: Callable[[], object] = lambda: None


def open_storage(address: str) -> Opened:
    """The storage at a database's URL, or at the path of a file that ends in .journal.

    Raises:
        UsageError: it is not an address, cannot be reached or used, or a package is missing; the password is not in it.
    """
    load_optuna()
    if "://" not in address:
        return _open_file(address)
    url = _url(address)
    place = Place(plain(without_password(address)), secrets_of(url))
    if "@" in (url.host or ""):
        raise place.error("an @ in a password is written %40 in a URL, a / %2F and a : %3A")
    return _open_database(url, place)


def journal(path: Path) -> BaseStorage:
    """Optuna's journal in a file that only this process uses: a torn last line and a lock of a killed one are gone.

    Raises:
        OSError: the file cannot be written.
    """
    load_optuna()
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    path.with_name(path.name + ".lock").unlink(missing_ok=True)
    if path.exists():
        data = path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):  # the next line would be appended to it
            with path.open("r+b") as file:
                file.truncate(whole)
    return JournalStorage(JournalFileBackend(str(path)))


def _open_file(address: str) -> Opened:
    path, place = Path(address), Place(plain(without_password(address)) or "''")
    if path.suffix not in FILE_SUFFIXES:
        raise place.error(f"expected the URL of a database, as {EXAMPLE}, or a file that ends in .journal")
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    try:
        return Opened(JournalStorage(JournalFileBackend(str(path))), place)
    except (OSError, ValueError) as error:
        raise place.error(cause(error)) from None


def _url(address: str) -> URL:
    require_package("sqlalchemy", "--storage needs SQLAlchemy", "sweep")
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        shown = plain(without_password(address))
        raise UsageError(f"--storage: {shown}: expected the URL of a database, as {EXAMPLE}") from None
    kind, _, driver = url.drivername.partition("+")
    if kind == "sqlite":
        message = "SQLite is not made for several workers; without --storage a sweep uses all cores of one machine"
        raise UsageError(f"--storage: {plain(without_password(address))}: {message}; for more, {EXAMPLE}")
    if kind in ("postgres", "postgresql") and not driver:
        return url.set(drivername="postgresql+psycopg")
    return url


def _open_database(url: URL, place: Place) -> Opened:
    from optuna.storages import get_storage
    from sqlalchemy import exc

    options: dict[str, Any] = {"pool_pre_ping": True, "pool_size": CONNECTIONS, "max_overflow": 0, "pool_timeout": 60}
    options["connect_args"] = _connection_options(url)
    for attempt in range(ATTEMPTS):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                database = _connected(url.render_as_string(hide_password=False), options)
            return Opened(get_storage(database), place, database.engine.dispose)
        except (ImportError, exc.NoSuchModuleError) as error:
            raise place.error(_missing_driver(url, error)) from None
        except Exception as error:
            # Machines that begin together make the tables together, and one of them finds those of the other.
            if not _made_by_another(error) or attempt == ATTEMPTS - 1:
                raise place.error(said(error)) from None
            time.sleep(0.2 * (attempt + 1))
    raise AssertionError("the last attempt returns or raises")


def _connected(address: str, options: dict[str, Any]) -> RDBStorage:
    """Optuna's storage in a database; where it cannot be made, the connections to the database are closed."""
    from optuna.storages import RDBStorage

    database = RDBStorage.__new__(RDBStorage)
    try:
        # By itself: a constructor that raises would leave its connections open, where nobody could reach them.
        database.__init__(address, engine_kwargs=options)  # type: ignore[misc]
    except BaseException:
        if hasattr(database, "engine"):
            database.engine.dispose()
        raise
    return database


ATTEMPTS = 6
DUPLICATES = ("23505", "42P07", "42710")
"""SQL states of PostgreSQL: such a row, table or type is there already."""


def _made_by_another(error: BaseException) -> bool:
    originals = [getattr(one, "orig", None) for one in chain(error)]
    return any(
        getattr(original, "sqlstate", None) in DUPLICATES or "already exists" in str(original).lower()
        for original in originals
    )


def _connection_options(url: URL) -> dict[str, Any]:
    """How soon a connection over which nothing comes any more is given up; what the URL says comes first."""
    if url.get_backend_name() != "postgresql":
        return {}
    options = {
        "connect_timeout": CONNECT_SECONDS, "application_name": "nnintro sweep",
        "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 20_000,
    }  # fmt: skip
    return {name: value for name, value in options.items() if name not in url.query}


def _missing_driver(url: URL, error: Exception) -> str:
    if url.drivername == "postgresql+psycopg":
        return "needs the driver of PostgreSQL: pip install 'nnintro[sweep]'"
    name = getattr(chain(error)[-1], "name", None)
    if name:
        return f"needs the driver {plain(name)}, which is not installed"
    return f"{plain(url.drivername)} is not a kind of database that is known here; expected {EXAMPLE}"


def chain(error: BaseException) -> list[BaseException]:
    """The error and what led to it, the first cause last."""
    errors = [error]
    while (earlier := errors[-1].__cause__ or errors[-1].__context__) is not None:
        errors.append(earlier)
    return errors


def said(error: BaseException) -> str:
    """What a database or its driver says, in one line: the innermost cause."""
    error = chain(error)[-1]
    text = str(getattr(error, "orig", None) or error) or type(error).__name__
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [line for line in lines if "FATAL:" in line or "ERROR:" in line or "failed: " in line] or lines
    line = re.sub(r"^.*(?:FATAL|ERROR):\s*", "", told[-1])
    if " on socket " not in line:
        line = re.sub(r"^.*failed: (?:fe_sendauth: )?", "", line)
    if "no password supplied" in line:
        line += "; give it in PGPASSWORD, in ~/.pgpass or in the URL"
    return plain(line)
