"""The kernel as one function of a memory address, for whoever calls machine code.

At the address stand 64-bit words, see ``codes``: of each array where it is, its rows and columns;
then the integers; and last a place for the updates made in all.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nnintro.engines.backpropagation.codes import FIRST_NUMBER, MADE
from nnintro.engines.backpropagation.descend import descend
from nnintro.engines.backpropagation.views import matrix_at, set_word, vector_at, word

INTEGER, REAL = np.int64(0), np.float64(0)


def entry(like: np.floating) -> Callable[[int, float], int]:
    """``descend`` for numbers of the type of ``like``; returns how it ended."""

    def called(address: int, clip: float) -> int:
        ended, made = descend(
            vector_at(address, 0, like),  # parameters
            vector_at(address, 1, like),  # gradient
            vector_at(address, 2, like),  # one
            vector_at(address, 3, like),  # two
            vector_at(address, 4, INTEGER),  # widths
            vector_at(address, 5, INTEGER),  # codes
            matrix_at(address, 6, INTEGER),  # offsets
            matrix_at(address, 7, like),  # x
            matrix_at(address, 8, like),  # t
            matrix_at(address, 9, INTEGER),  # orders
            vector_at(address, 10, INTEGER),  # plan
            vector_at(address, 11, REAL),  # rates
            vector_at(address, 12, REAL),  # settings
            vector_at(address, 13, like),  # u
            vector_at(address, 14, like),  # delta
            vector_at(address, 15, like),  # scratch
            vector_at(address, 16, like),  # targets
            vector_at(address, 17, REAL),  # report
            vector_at(address, 18, REAL),  # found
            vector_at(address, 19, INTEGER),  # counters
            word(address, FIRST_NUMBER),
            word(address, FIRST_NUMBER + 1) != 0,
            word(address, FIRST_NUMBER + 2),
            word(address, FIRST_NUMBER + 3),
            word(address, FIRST_NUMBER + 4),
            word(address, FIRST_NUMBER + 5),
            word(address, FIRST_NUMBER + 6),
            word(address, FIRST_NUMBER + 7),
            word(address, FIRST_NUMBER + 8),
            word(address, FIRST_NUMBER + 9),
            clip,
        )
        set_word(address, MADE, made)
        return ended

    return called
