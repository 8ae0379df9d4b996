"""Plans: every sample exactly once an epoch, weights that add up to one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnintro.descent.variants import Plan


@given(st.sampled_from(["batch", "mini-batch", "stochastic"]), st.integers(1, 60), st.integers(1, 60))
def test_an_epoch_meets_every_sample_once(variant, samples, size):
    size = 1 if variant == "stochastic" else min(size, samples)
    plan = Plan(variant, samples, size)
    seen = []
    for update in range(plan.updates_per_epoch):
        blocks = plan.blocks(update)
        assert sum(block.weight for block in blocks) == pytest.approx(1)
        for block in blocks:
            assert 0 < block.stop - block.start <= size
            seen += range(block.start, block.stop)
    assert seen == list(range(samples))
    assert plan.samples_after(plan.updates_per_epoch * 3) == 3 * samples
    assert plan.epochs_after(plan.updates_per_epoch) == 1


def test_batch_blocks_weigh_their_share():
    weights = [block.weight for block in Plan("batch", 10, 4).blocks(0)]
    assert weights == [0.4, 0.4, 0.2]
