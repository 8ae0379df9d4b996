"""Carry out operations of a storage again while its database is away."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from nnintro.errors import CheckpointError
from nnintro.sweeps.password import Place
from nnintro.sweeps.storage import chain, said

PATIENCE_SECONDS = 300.0
"""How long a database that does not answer is asked again."""
PAUSE_SECONDS = 1.0
T = TypeVar("T")
Call = Callable[[Callable[[], Any]], Any]
"""Carries out an operation of a storage (see ``Patience``)."""


class Patience:
    """Carries out operations of a storage again where its database is away for a while.

    Args:
        interrupted: ends the waiting.
        report: is given a line when waiting begins, and one when it ends.
    """

    def __init__(self, place: Place, interrupted: threading.Event, report: Callable[[str], object]) -> None:
        self._place, self._interrupted, self._report = place, interrupted, report
        self._lock = threading.Lock()
        self._away_since: float | None = None

    def __call__(self, operation: Callable[[], T]) -> T:
        """What the operation returns; it may have been begun several times.

        Raises:
            CheckpointError: the database has been away for too long, or ``interrupted`` was set meanwhile.
            UsageError: it answers, but cannot do this.
        """
        begun = time.monotonic()
        while True:
            try:
                result = operation()
            except Exception as error:
                reason = _why_away(error)
                if reason is None:
                    raise
                self._note_away(reason)
                if time.monotonic() - begun > PATIENCE_SECONDS or self._interrupted.wait(PAUSE_SECONDS):
                    raise CheckpointError(str(self._place.error(f"does not answer: {reason}"))) from None
            else:
                self._note_back()
                return result

    def _note_away(self, reason: str) -> None:
        with self._lock:
            if self._away_since is None:
                self._away_since = time.monotonic()
                most = f"{PATIENCE_SECONDS / 60:g} minutes"
                self._report(str(self._place.error(f"does not answer ({reason}); trying again for up to {most}")))

    def _note_back(self) -> None:
        if self._away_since is None:
            return
        with self._lock:
            if self._away_since is not None:
                away, self._away_since = time.monotonic() - self._away_since, None
                self._report(str(self._place.error(f"answers again, after {away:.0f} s")))


def _why_away(error: BaseException) -> str | None:
    """Why the database did not answer, if that is what the error says; what is wrong for good is None."""
    from sqlalchemy import exc

    for one in chain(error):
        # Optuna asks once more within the broken transaction, which SQLAlchemy then refuses by an error of its own.
        away = isinstance(one, exc.OperationalError | exc.InterfaceError | exc.TimeoutError | exc.PendingRollbackError)
        if away or (isinstance(one, exc.DBAPIError) and one.connection_invalidated):
            return said(one)
    return None
