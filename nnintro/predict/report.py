"""An evaluation as lines of text."""

from __future__ import annotations

import math

from nnintro.predict.evaluate import OWN, Evaluation
from nnintro.wording import counted, plural

LARGEST_ERROR = "the largest absolute error over these samples"


def as_table(found: Evaluation) -> str:
    """Metric and value; where there are classes, the confusion below."""
    rows = [("metric", "value", ""), *(_row(name, found) for name in found.metrics)]
    lines = _aligned([list(row[:2]) for row in rows], left=2)
    lines = [f"{line}  {row[2]}".rstrip() for line, row in zip(lines, rows, strict=True)]
    if found.confusion is not None:
        counts = [[name, *map(str, row)] for name, row in zip(found.classes, found.confusion, strict=True)]
        lines += ["", "true class (rows), predicted class (columns)"]
        lines += _aligned([["", *found.classes], *counts], left=1)
    return "\n".join(lines)


def heading(found: Evaluation) -> str:
    """What was measured, in one line."""
    data = "its own validation data" if found.dataset == OWN else found.dataset
    return f"{found.run} on {data}, {counted(found.samples, 'sample')}"


def remarks(found: Evaluation) -> list[str]:
    """What a reader should know of the numbers."""
    if not found.absent:
        return []
    some = plural("class", len(found.absent))
    rest = "; auc is not defined" if math.isnan(found.metrics.get("auc", 0.0)) else ""
    return [f"no sample belongs to {some} {', '.join(found.absent)}{rest}"]


def _row(name: str, found: Evaluation) -> tuple[str, str, str]:
    value = found.metrics[name]
    on_a_grid = found.dataset == OWN
    return (
        name,
        f"{value:.6g}" if math.isfinite(value) else "not finite",
        LARGEST_ERROR if name == "sup_error" and not on_a_grid else "",
    )


def _aligned(rows: list[list[str]], left: int) -> list[str]:
    """Columns of equal width; the first ``left`` of them begin, the others end together."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if index < left else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
