"""The numbers as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.peers import PEERS, SLICED
from benchmarks.results import CommandResult, Results, Timed, WorkResult
from benchmarks.timing import median_ratio, quartiles


def report(results: Results) -> str:
    """Everything: the overview, a table for each work, the commands, the machine."""
    parts = [overview(results.works)] if results.works else []
    parts += [details(work) for work in results.works]
    parts += [commands(command) for command in results.commands]
    parts += [f"Left out: {name} ({why})." for name, why in results.left_out.items()]
    parts += [machine(results)]
    return "\n\n".join(parts)


def overview(works: Sequence[WorkResult]) -> str:
    """A row for each work, a column for everybody: median updates a second; the fastest is bold."""
    labels = {timed.peer: timed.label for work in works for timed in work.contestants}
    peers = [peer for peer in PEERS if peer in labels]
    ratios = ["fused / best peer", "fused / sliced torch"] if "fused" in labels else []
    rows = []
    for work in works:
        found = {timed.peer: timed for timed in work.contestants}
        fastest = max((median(timed) for timed in work.contestants), default=0.0)
        cells = [_rate(found.get(peer), fastest) for peer in peers]
        if ratios:
            cells += _ratios_of_fused(work, found)
        rows.append([work.title, *cells])
    caption = f"Updates a second ({works[0].optimizer}), medians:"
    header = ["work", *(labels[peer] for peer in peers), *ratios]
    return f"{caption}\n\n{markdown(header, rows)}"


def details(work: WorkResult) -> str:
    """A row for everybody, fastest first."""
    best, sliced = best_peer(work), _named(work, SLICED)
    rows = []
    for timed in sorted(work.contestants, key=median, reverse=True):
        low, middle, high = quartiles(timed.rates)
        rows.append(
            [
                timed.label,
                number(middle),
                f"{number(low)}-{number(high)}",
                _ratio(timed, best),
                _ratio(timed, sliced),
                f"{timed.loss:.7f}",
                f"{timed.ready_seconds:.1f} s",
            ]
        )
    header = ["", "updates/s", "quartiles", f"x {best.label}" if best else "x best peer"]
    header += ["x sliced torch", f"loss after {work.checked_updates} updates", "to get ready"]
    caption = f"**{work.title}**, {work.optimizer}; the loss begins at {work.start_loss:.7f}:"
    return f"{caption}\n\n{markdown(header, rows)}"


def commands(result: CommandResult) -> str:
    """Wall seconds of whole processes, fastest first."""
    rows = []
    for name, seconds in sorted(result.seconds.items(), key=lambda item: quartiles(item[1])[1]):
        low, middle, high = quartiles(seconds)
        loss = f"{result.losses[name]:.7f}" if name in result.losses else ""
        rows.append([name, f"{middle:.2f} s", f"{low:.2f}-{high:.2f}", loss])
    header = ["command", "wall time", "quartiles", "loss at the end"]
    return f"**{result.title}**:\n\n{markdown(header, rows)}"


def machine(results: Results) -> str:
    facts = [f"{name} {value}" for name, value in results.machine.items()]
    facts += [f"{name} {value}" for name, value in results.settings.items()]
    return f"Measured on: {', '.join(facts)}."


def median(timed: Timed) -> float:
    return quartiles(timed.rates)[1] if timed.rates else 0.0


def best_peer(work: WorkResult) -> Timed | None:
    """The fastest by its median that is not ours."""
    return max((t for t in work.contestants if not t.ours), key=median, default=None)


def _named(work: WorkResult, peer: str) -> Timed | None:
    return next((timed for timed in work.contestants if timed.peer == peer), None)


def _ratios_of_fused(work: WorkResult, found: dict[str, Timed]) -> list[str]:
    fused = found.get("fused")
    if fused is None:
        return ["", ""]
    best = best_peer(work)
    name = f" ({best.label})" if best else ""
    return [_ratio(fused, best) + name, _ratio(fused, found.get(SLICED))]


def _rate(timed: Timed | None, fastest: float) -> str:
    if timed is None:
        return ""
    text = number(median(timed))
    return f"**{text}**" if median(timed) == fastest else text


def _ratio(timed: Timed, other: Timed | None) -> str:
    return "" if other is None else factor(median_ratio(timed.rates, other.rates))


def factor(value: float) -> str:
    """Two digits, or all those before the point: 0.0025, 0.25, 1.3, 13, 132."""
    if value < 0.995:
        return f"{value:.2g}"
    return f"{value:.1f}" if value < 9.95 else f"{value:,.0f}"


def number(value: float) -> str:
    """Three digits that count: 7.60, 76.5, 765, 7,650, 76,500."""
    if value < 99.95:
        return f"{value:#.3g}"
    rounded = round(value, 3 - len(str(int(value))))
    return f"{rounded:,.0f}"


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table, its first column to the left, the others to the right."""
    ruler = ["---", *["---:"] * (len(header) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in [header, ruler, *rows])
