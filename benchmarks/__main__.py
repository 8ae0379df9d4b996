"""``python -m benchmarks``: measure, print the tables, draw the chart."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.machine import describe, limit_threads, load
from benchmarks.peers import PEERS
from benchmarks.results import Results, read, write
from benchmarks.table import report
from benchmarks.works import LEARNING_RATES, WORKS

PARTS = ("updates", "commands")


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    add = parser.add_argument
    add("--parts", nargs="+", choices=PARTS, default=PARTS, help="updates alone, whole commands")
    add("--works", nargs="+", choices=WORKS, default=list(WORKS))
    add("--peers", nargs="+", choices=PEERS, default=list(PEERS))
    add("--optimizer", choices=LEARNING_RATES, default="sgd")
    add("--rounds", type=_positive, default=9, help="everybody once a round (default 9)")
    add("--seconds", type=float, default=1.0, help="about what a turn takes (default 1)")
    add("--threads", type=_positive, default=2, help="cores for everybody (default 2)")
    add("--json", type=Path, metavar="FILE", help="keep every round's number")
    add("--chart", type=Path, metavar="FILE", help="draw the updates a second as a PNG")
    add("--read", type=Path, metavar="FILE", help="measure nothing, show what --json kept")
    return parser.parse_args(words)


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected 1 or more, got {value}")
    return value


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def run(options: argparse.Namespace) -> Results:
    """Measure what the options ask for."""
    limit_threads(options.threads)
    # Only now: the libraries read their limits when they are loaded.
    from benchmarks.assignment import draw
    from benchmarks.timing import measure
    from benchmarks.whole_command import measure_commands

    settings = {"threads": options.threads, "rounds": options.rounds, "load before": load()}
    results = Results(settings=settings)
    present = [peer for peer in options.peers if not PEERS[peer].missing]
    for peer in options.peers:
        if missing := PEERS[peer].missing:
            results.left_out[PEERS[peer].label] = f"not installed: {', '.join(missing)}"
    if "updates" in options.parts:
        for name in options.works:
            assignment = draw(WORKS[name], options.optimizer)
            results.works.append(measure(assignment, present, options.rounds, options.seconds, say, results))
    if "commands" in options.parts:
        results.commands = measure_commands(options.optimizer, present, options.rounds, say)
    results.machine = describe()
    return results


def main(words: list[str] | None = None) -> None:
    options = arguments(words)
    results = read(options.read) if options.read else run(options)
    if options.json:
        write(results, options.json)
    print(report(results))
    if options.chart:
        from benchmarks.chart import draw_chart

        draw_chart(results.works, options.chart)


if __name__ == "__main__":
    main()
