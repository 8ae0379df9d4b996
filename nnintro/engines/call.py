"""Call the kernel by several threads, and choose how many updates a call makes.

The kernel is given arrays and numbers as 64-bit words: see ``codes``.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from nnintro.engines.backpropagation.codes import ARRAYS, FIRST_NUMBER, LINE, MADE, NUMBERS, WORDS
from nnintro.engines.compiled import Descend
from nnintro.engines.machine import Blas, give_way

Array = npt.NDArray[Any]
CALL_SECONDS = 0.02
"""How long one compiled call lasts, about: between two of them a signal is noticed."""
LONGEST_SECONDS = 0.5
"""How long it may last where what is done between two calls takes its time."""
SHARE = 0.03
"""Of the time, what is done between calls may take this part."""
FIRST_UPDATES = 64
TRY_EVERY = 64
"""Calls after which the slower way is tried again, with an eighth of the updates."""


class Call:
    """The kernel's arguments, kept from call to call; what was not set is 0 or empty.

    Args:
        parts: number of parts of an update, and of threads (with the calling one) where they work together.
    """

    def __init__(self, descend: Descend, blas: Blas, parts: int) -> None:
        self.descend, self.parts = descend, parts
        # Words for each part's thread, and for one thread that has all parts.
        self._words = np.zeros((parts + 1, WORDS), np.int64)
        self._words[:, FIRST_NUMBER + NUMBERS.index("part")] = [*range(parts), 0]
        self._words[:, FIRST_NUMBER + NUMBERS.index("until")] = [*range(1, parts + 1), parts]
        self._arrays: dict[str, Array] = {}
        self._counters = np.zeros(LINE, np.int64)
        self.set_arrays(found=np.zeros(parts * LINE), counters=self._counters)
        self.set_numbers(parts=parts, library=blas.address, yielding=give_way())
        # Threads begin when they are needed first: of one part, never.
        self._others = ThreadPoolExecutor(max(parts - 1, 1), "nnintro-fused", _enter_thread, (blas,))

    def set_arrays(self, **arrays: Array) -> None:
        """From now on the arrays of these names are these."""
        for name, array in arrays.items():
            if not array.flags.c_contiguous:
                raise AssertionError(f"{name} is not contiguous")
            first, shape = 3 * ARRAYS.index(name), (*array.shape, 1)[:2]
            self._words[:, first : first + 3] = (array.ctypes.data, *shape)
        self._arrays |= arrays  # alive as long as the kernel has their addresses

    def set_numbers(self, **numbers: int) -> None:
        """From now on the numbers of these names are these."""
        for name, number in numbers.items():
            self._words[:, FIRST_NUMBER + NUMBERS.index(name)] = number

    def __call__(self, clip: float, *, together: bool) -> tuple[int, int]:
        """How the call ended, and the updates made in all; by all threads or by this one alone."""
        self._counters[:] = 0
        rows = self._words[:-1] if together else self._words[-1:]
        first, *rest = (row.ctypes.data for row in rows)
        others = [self._others.submit(self.descend, address, clip) for address in rest]
        ended = self.descend(first, clip)
        for other in others:
            other.result()
        return ended, int(rows[0, MADE])


def _enter_thread(blas: Blas) -> None:
    blas.enter_thread()
    torch.set_flush_denormal(True)  # of this thread, as ``flushed`` does for the calling one


class Pace:
    """How many updates a call makes, and whether by several threads: from what the last ones took.

    Neither changes a bit of the result.  Several threads that wait for each other are slower than
    one where other processes want the same cores.

    Args:
        parts: number of parts of an update, and of threads that may share it.
    """

    def __init__(self, parts: int) -> None:
        self.parts = parts
        self._updates = {True: float(FIRST_UPDATES), False: float(FIRST_UPDATES)}
        self._seconds: dict[bool, float] = {}
        self._calls = 0
        self.call_seconds = CALL_SECONDS

    def between(self, seconds: float) -> None:
        """Note what was spent between two calls: calls are to be long beside it."""
        wanted = max(CALL_SECONDS, seconds / SHARE)
        self.call_seconds = min(wanted, LONGEST_SECONDS)

    def next(self) -> tuple[bool, int]:
        """(whether by all threads together, updates) of the next call."""
        self._calls += 1
        if self.parts == 1:
            return False, self._size(together=False)
        for together in (True, False):
            if together not in self._seconds:
                return together, self._size(together=together)
        together = self._seconds[True] <= self._seconds[False]
        early = self._calls.bit_count() == 1  # the very first calls start threads, fill caches
        if early or self._calls % TRY_EVERY == 0:
            return not together, max(self._size(together=not together) // 8, 1)
        return together, self._size(together=together)

    def _size(self, *, together: bool) -> int:
        return max(int(self._updates[together]), 1)

    def note(self, updates: int, seconds: float, *, together: bool) -> None:
        """Note a call's updates and seconds."""
        if updates == 0:
            return
        self._seconds[together] = max(seconds, 1e-6) / updates
        before, wanted = self._updates[together], self.call_seconds / self._seconds[together]
        self._updates[together] = min(max(wanted, before / 4), before * 4)
