"""Split an update among threads: each takes a share of the rows, then a share of the parameters.

A thread has one part, or one thread has them all, which gives the same bits.  Several wait for each
other by counting arrivals, which takes a fraction of a microsecond while every thread has a core of
its own; one that has to wait longer gives its core away.
"""

from __future__ import annotations

from numba import njit

from nnintro.engines.backpropagation.codes import LINE
from nnintro.engines.backpropagation.elementary import PLAIN
from nnintro.engines.backpropagation.machine import arrive, arrived, give_way, pause
from nnintro.engines.backpropagation.views import vector

PATIENCE = 10_000
"""Looks at the counter, some hundreds of microseconds, before a thread gives its core away.

By sleeping: a core that is idle is where the system puts the thread that is waited for, if other
processes keep it from running.
"""


@njit(**PLAIN)
def meet(counters, threads, expected, yielding):
    """Wait until everybody has come here; returns the count that the next meeting waits beyond."""
    if threads == 1:
        return expected
    expected += threads
    arrive(counters)
    looks = 0
    while arrived(counters) < expected:
        looks += 1
        if looks < PATIENCE:
            pause()
        else:
            give_way(yielding)
    return expected


@njit(**PLAIN)
def sum_of(found, at, parts):
    """The sum of what every part has found; the same for all of them, to the last bit."""
    value = 0.0
    for part in range(parts):
        value += found[part * LINE + at]
    return value


@njit(**PLAIN)
def add_up(gradient, total, low, count, parts):
    """Add the others' gradients to the first one's, from parameter ``low`` on."""
    whole = vector(gradient, low, count)
    for part in range(1, parts):
        other = vector(gradient, part * total + low, count)
        for i in range(count):
            whole[i] += other[i]


@njit(**PLAIN)
def share(count, part, parts):
    """Where the ``part``-th share of ``count`` things begins; the next one begins at its end."""
    return count * part // parts


WHOLE = 256
"""Parameters that stay together: more than a loop's body takes at a time, on any processor."""


@njit(**PLAIN)
def share_of_parameters(count, part, parts):
    """The same in whole bodies of a loop.

    What is left over at the end of a loop is computed by other instructions than its body, which
    may round otherwise: it must be the same parameters whether one thread has all or several share.
    """
    return min(share((count + WHOLE - 1) // WHOLE, part, parts) * WHOLE, count)
