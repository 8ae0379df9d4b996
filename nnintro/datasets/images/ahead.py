"""Rows that are decoded in the background before they are asked for."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

from torch import Tensor

Row = TypeVar("Row")
MOST_THREADS = 4
Place = tuple[int, int]
"""Epoch, and place in its order."""


class Ahead(Generic[Row]):
    """Rows in an order known beforehand: those asked for, and as many of the next as there is room.

    The order of every epoch is known, so the first rows of the next are read while the last of
    this one are used. Rows asked for out of turn (a resumed run begins in the middle) are read
    then. An error in a row is raised when that row is asked for, and not before.

    Args:
        read: a row by its number, in any thread.
        order: epoch -> its rows, (n,); called in the caller's thread.
        ahead: how many rows to read before they are asked for.
    """

    def __init__(
        self, read: Callable[[int], Row], order: Callable[[int], Tensor], ahead: int
    ) -> None:
        self._read = read
        self._order = order
        self._ahead = ahead
        self._pending: dict[Place, Future[Row]] = {}
        threads = min(MOST_THREADS, os.cpu_count() or 1)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="images")
        # Threads know the pool and the reader alone, so that dropping this object ends them.
        self._end = weakref.finalize(self, _end, self._pool)

    def rows(self, epoch: int, start: int, stop: int) -> list[Row]:
        """Rows at places ``start`` to ``stop`` of the epoch's order."""
        asked = [(epoch, place) for place in range(start, stop)]
        self._submit([*asked, *self._following(epoch, stop)])
        return [self._pending.pop(place).result() for place in asked]

    def close(self) -> None:
        """Forget what was read ahead, and wait for the threads to end."""
        self._pending.clear()
        self._end.detach()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _following(self, epoch: int, start: int) -> Iterable[Place]:
        length = len(self._order(epoch))
        here = range(start, min(start + self._ahead, length))
        # No more than one epoch ahead: an order may be costly to draw.
        rest = min(self._ahead - len(here), length) if start + self._ahead > length else 0
        return [*((epoch, place) for place in here), *((epoch + 1, k) for k in range(rest))]

    def _submit(self, places: list[Place]) -> None:
        """Have these read, and nothing else."""
        wanted = dict.fromkeys(places)
        for place in [place for place in self._pending if place not in wanted]:
            self._pending.pop(place).cancel()
        for place in wanted:
            if place not in self._pending:
                epoch, number = place
                row = int(self._order(epoch)[number])
                self._pending[place] = self._pool.submit(self._read, row)


def _end(pool: ThreadPoolExecutor) -> None:
    pool.shutdown(wait=False, cancel_futures=True)
