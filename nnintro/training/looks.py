"""Decide after which updates to measure, draw and record."""

from __future__ import annotations

from nnintro.descent.variants import Plan

CURVE_POINTS = 1000
LEAST_POINTS = 120
"""Looks even where they cost much, as long as there is one for each epoch."""
HISTOGRAMS = 20
SKETCHES = 5
MEASURED_SAMPLES = 2048
"""Training samples on which train/loss is measured while training; the summary's is over all."""
MEASURED_IMAGES = 32
WATCHED_SAMPLES = 500
"""Validation samples of a regression on which stopping rules are measured at least (see ``Parts.watched_sample``)."""
EVALUATION_SHARE = 0.012
"""Evaluation's share of the arithmetic of training, where it is not below LEAST_POINTS."""
UPDATE_OVERHEAD_SAMPLES = 2000
"""An update's fixed cost, in samples of a small network pushed forward."""


def looks(total: int, plan: Plan, validation_samples: int, every: int | None) -> list[int]:
    """The update counts to look at, ascending, ``total`` the last.

    Every ``every`` updates; without that about a thousand times, fewer where looking would cost too
    much.  A function of the config alone, so that equal runs have equal histories.
    """
    if every is not None:
        return regular_moments(total, every)
    per_look = min(plan.samples, MEASURED_SAMPLES) + validation_samples
    work = 3 * plan.samples_after(total) + UPDATE_OVERHEAD_SAMPLES * total
    affordable = int(EVALUATION_SHARE * work / (per_look + UPDATE_OVERHEAD_SAMPLES))
    epochs = -(-total // plan.updates_per_epoch)
    wanted = max(affordable, min(epochs, LEAST_POINTS))
    return even_moments(total, min(CURVE_POINTS, wanted))


def even_moments(total: int, count: int) -> list[int]:
    """At most ``count`` update counts, evenly spread, ending on ``total``."""
    if total <= 0:
        return []
    count = min(count, total)
    return sorted({round(total * (index + 1) / count) for index in range(count)})


def regular_moments(total: int, every: int) -> list[int]:
    """Each multiple of ``every``, and ``total``."""
    moments = list(range(every, total + 1, every))
    return moments if moments and moments[-1] == total else [*moments, *([total] if total else [])]


def sketch_moments(moments: list[int]) -> set[int]:
    """0 and moments a factor of four apart, the last one among them."""
    chosen = {0}
    for power in range(SKETCHES - 1):
        index = len(moments) // 4**power - 1
        if index >= 0:
            chosen.add(moments[index])
    return chosen


def histogram_moments(moments: list[int]) -> set[int]:
    """0 and about twenty of the moments, evenly."""
    return {0, *(moments[i - 1] for i in even_moments(len(moments), HISTOGRAMS))}
