"""The tables' arithmetic, on made-up timings whose ratios are worked out by hand."""

from __future__ import annotations

import pytest

from benchmarks.results import CommandResult, Results, Timed, WorkResult, read, write
from benchmarks.table import best_peer, commands, details, factor, number, overview, report
from benchmarks.timing import median_ratio, quartiles, rotated


def timed(peer, label, rates, *, ours=False):
    return Timed(peer, label, ours, ready_seconds=0.25, loss=0.03125, rates=rates)


FUSED = timed("fused", "nnintro, fused", [100.0, 300.0, 800.0], ours=True)
AUTOGRAD = timed("autograd", "nnintro, autograd", [9000.0, 9000.0, 9000.0], ours=True)
# The median of fused / jax is that of 10, 6 and 8; the quotient of the medians would be 6.
JAX = timed("jax", "JAX, lax.scan", [10.0, 50.0, 100.0])
# 25, 100 and 160
SLICED = timed("sliced", "torch, sliced tensors", [4.0, 3.0, 5.0])
WORK = WorkResult("mini-batch", "1-64-1, batch 32 of 1,000", "sgd", 224, 0.5, [SLICED, FUSED, JAX])


def cells(table):
    """The table's rows below its ruler, each split into cells."""
    rows = [line for line in table.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


def test_a_ratio_is_the_median_over_the_rounds():
    assert median_ratio(FUSED.rates, JAX.rates) == 8.0
    assert median_ratio(FUSED.rates, SLICED.rates) == 100.0
    assert median_ratio(JAX.rates, FUSED.rates) == 0.125


def test_quartiles_are_linear_between_neighbours():
    assert quartiles([4.0, 1.0, 2.0, 3.0]) == (1.75, 2.5, 3.25)
    assert quartiles([7.0]) == (7.0, 7.0, 7.0)


def test_the_order_rotates():
    assert [rotated("abc", number) for number in range(4)] == [
        ["a", "b", "c"], ["b", "c", "a"], ["c", "a", "b"], ["a", "b", "c"],
    ]  # fmt: skip
    assert rotated([], 3) == []


def test_overview():
    assert cells(overview([WORK])) == [
        ["1-64-1, batch 32 of 1,000", "**300**", "50.0", "4.00", "8.0 (JAX, lax.scan)", "100"]
    ]


def test_details_are_sorted_and_show_the_loss():
    rows = cells(details(WORK))
    assert rows == [
        ["nnintro, fused", "300", "200-550", "8.0", "100", "0.0312500", "0.2 s"],
        ["JAX, lax.scan", "50.0", "30.0-75.0", "1.0", "17", "0.0312500", "0.2 s"],
        ["torch, sliced tensors", "4.00", "3.50-4.50", "0.06", "1.0", "0.0312500", "0.2 s"],
    ]
    assert "loss after 224 updates" in details(WORK)
    assert "begins at 0.5000000" in details(WORK)


def test_our_other_engine_is_no_peer():
    work = WorkResult("x", "x", "sgd", 1, 1.0, [FUSED, AUTOGRAD, SLICED])
    assert best_peer(work) is SLICED
    alone = WorkResult("x", "x", "sgd", 1, 1.0, [FUSED])
    assert best_peer(alone) is None
    assert cells(overview([alone])) == [["x", "**300**", "", ""]]


def test_commands():
    result = CommandResult("job", {"slow": [3.0, 5.0, 4.0], "fast": [2.0, 2.0, 2.0]}, {"slow": 0.5})
    assert cells(commands(result)) == [
        ["fast", "2.00 s", "2.00-2.00", ""],
        ["slow", "4.00 s", "3.50-4.50", "0.5000000"],
    ]


@pytest.mark.parametrize(
    ("value", "text"), [(7.6, "7.60"), (76.54, "76.5"), (99.99, "100"), (765.4, "765"), (1234567.0, "1,230,000")]
)
def test_numbers_have_three_digits(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.00254, "0.0025"), (0.999, "1.0"), (1.26, "1.3"), (9.97, "10"), (16.66, "17"), (132.4, "132")]
)
def test_factors(value, text):
    assert factor(value) == text


def test_a_report_names_the_machine_and_who_is_left_out(tmp_path):
    results = Results([WORK], [], {"Keras": "not installed: keras"}, {"processor": "Z80"})
    results.settings = {"rounds": 3}
    text = report(results)
    assert "Left out: Keras (not installed: keras)." in text
    assert text.endswith("Measured on: processor Z80, rounds 3.")
    write(results, tmp_path / "results.json")
    assert read(tmp_path / "results.json") == results


def test_the_chart_is_a_picture(tmp_path):
    from benchmarks.chart import draw_chart

    draw_chart([WORK, WORK], tmp_path / "chart.png")
    assert (tmp_path / "chart.png").read_bytes().startswith(b"\x89PNG")
