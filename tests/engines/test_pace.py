"""How the fused engine paces its calls: 20 ms each, and by several threads only while it pays."""

from __future__ import annotations

import pytest

from nnintro.engines.call import Pace


def walk(pace, calls, seconds):
    """What was asked for in each call, where an update takes ``seconds(together)``."""
    asked = []
    for _ in range(calls):
        together, updates = pace.next()
        pace.note(updates, updates * seconds(together), together=together)
        asked.append((together, updates))
    return asked


def test_one_part_is_never_shared():
    assert not any(together for together, _ in walk(Pace(1), 300, lambda _: 1e-6))


@pytest.mark.parametrize("seconds", [1e-7, 1e-5, 1e-3])
def test_a_call_takes_a_fiftieth_of_a_second(seconds):
    _, updates = walk(Pace(1), 20, lambda _: seconds)[-1]
    assert updates * seconds == pytest.approx(0.02, rel=0.05)


def test_calls_are_long_beside_what_is_done_between_them():
    pace = Pace(1)
    for seconds, length in ((1e-5, 0.02), (3e-3, 0.1), (1.0, 0.5)):
        pace.between(seconds)
        _, updates = walk(pace, 20, lambda _: 1e-4)[-1]
        assert updates * 1e-4 == pytest.approx(length, rel=0.05)


def test_a_call_makes_at_least_one_update():
    assert walk(Pace(1), 20, lambda _: 1.0)[-1] == (False, 1)


@pytest.mark.parametrize("faster", [True, False])
def test_the_faster_way_has_nearly_all_updates(faster):
    asked = walk(Pace(2), 640, lambda together: 1e-5 if together is faster else 2e-5)
    assert {together for together, _ in asked[:2]} == {True, False}
    done = sum(updates for together, updates in asked if together is faster)
    assert done > 0.98 * sum(updates for _, updates in asked)


def test_it_changes_its_mind():
    """A process beside us takes a core, and later gives it back."""
    pace = Pace(2)
    assert walk(pace, 130, lambda together: 1e-5 if together else 2e-5)[-1][0]
    assert not walk(pace, 130, lambda together: 5e-5 if together else 2e-5)[-1][0]
    assert walk(pace, 130, lambda together: 1e-5 if together else 2e-5)[-1][0]


def test_a_call_without_updates_tells_nothing():
    pace = Pace(2)
    pace.note(0, 1.0, together=True)
    assert pace.next() == (True, 64)
