"""A call of the kernel by several threads: its arrays and numbers as words, see ``codes``."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from nnintro.engines import machine as denormals
from nnintro.engines.backpropagation.codes import ARRAYS, FIRST_NUMBER, LINE, MADE, NUMBERS, WORDS
from nnintro.engines.compiled import Descend
from nnintro.engines.machine import Blas, give_way

Array = npt.NDArray[Any]


class Call:
    """What the kernel is told, kept from call to call; what is not told is 0 or empty.

    Args:
        parts: that an update has, and threads where they work together; the calling one is the
            first of them.
    """

    def __init__(self, descend: Descend, blas: Blas, parts: int) -> None:
        self.descend, self.parts = descend, parts
        # Words for each part's thread, and for one thread that has all parts.
        self._words = np.zeros((parts + 1, WORDS), np.int64)
        self._words[:, FIRST_NUMBER + NUMBERS.index("part")] = [*range(parts), 0]
        self._words[:, FIRST_NUMBER + NUMBERS.index("until")] = [*range(1, parts + 1), parts]
        self._arrays: dict[str, Array] = {}
        self._counters = np.zeros(LINE, np.int64)
        self.tell("found", np.zeros(parts * LINE))
        self.tell("counters", self._counters)
        self.set("parts", parts)
        self.set("library", blas.address)
        self.set("yielding", give_way())
        # Threads begin when they are needed first: of one part, never.
        self._others = ThreadPoolExecutor(
            max(parts - 1, 1), "nnintro-fused", initializer=_enter_thread, initargs=(blas,)
        )

    def tell(self, name: str, array: Array) -> None:
        """The array ``name`` is this one from now on."""
        if not array.flags.c_contiguous:
            raise AssertionError(f"{name} is not contiguous")
        self._arrays[name] = array  # alive as long as its address is told
        first = 3 * ARRAYS.index(name)
        shape = (*array.shape, 1)[:2]
        self._words[:, first : first + 3] = (array.ctypes.data, *shape)

    def set(self, name: str, value: int) -> None:
        """The number ``name`` is this one from now on."""
        self._words[:, FIRST_NUMBER + NUMBERS.index(name)] = value

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
    denormals.enter_thread()
