"""Every engine: divergence, interruption, stretches; the reference engine: dropout, bfloat16."""

from __future__ import annotations

import pytest
import torch

from tests.engines.twin import never, parts_with
from tests.support import config


def parts_of(engine="autograd", **sections):
    return parts_with(config(**sections), engine)


@pytest.fixture(params=["autograd", "fused", "graph"])
def engine(request):
    return request.param


def parameters(parts):
    return [p.detach().clone() for p in parts.network.parameters()]


def equal(one, other):
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", ["sgd", {"kind": "sgd", "momentum": 0.9}, "adam", "rmsprop"])
def test_stretches_of_any_length_give_the_same_bits(optimizer, precision, engine):
    sections = {"descent": {"optimizer": optimizer}, "training": {"epochs": 5}}
    whole = parts_of(engine, **sections, precision=precision)
    whole.engine.advance(0, 30, never)
    pieces = parts_of(engine, **sections, precision=precision)
    for start, stop in [(0, 1), (1, 8), (8, 9), (9, 30)]:
        assert pieces.engine.advance(start, stop, never).step == stop
    assert equal(parameters(whole), parameters(pieces))


def test_what_is_not_asked_for_is_not_measured_and_changes_no_bit(engine):
    asked, unasked = parts_of(engine), parts_of(engine)
    asked.engine.advance(0, 6, never)
    for start, stop in [(0, 1), (1, 2), (2, 6)]:
        advance = unasked.engine.advance(start, stop, never, measured=False)
        assert (advance.step, advance.diverged) == (stop, False)
        assert advance.gradient_norm != advance.gradient_norm  # nan
        assert advance.update_ratio != advance.update_ratio
    assert equal(parameters(asked), parameters(unasked))
    counts = [state.get("step") for state in unasked.optimizer.state.values()]
    assert all(count is None or float(count) == 6 for count in counts)


def test_measures_the_last_update(engine):
    parts = parts_of(engine, descent={"optimizer": "sgd"})
    parts.engine.advance(0, 3, never)
    before = torch.cat([p.reshape(-1) for p in parameters(parts)])
    advance = parts.engine.advance(3, 4, never)
    after = torch.cat([p.reshape(-1) for p in parameters(parts)])
    change = (after - before).norm()
    assert advance.update_ratio == pytest.approx(float(change / before.norm()), rel=1e-9)
    # sgd moves by rate * gradient
    assert advance.gradient_norm == pytest.approx(float(change / 0.05), rel=1e-9)


def linear(engine, precision="float64", **descent):
    """A single neuron, whose gradient descent diverges above a sharp learning rate."""
    return parts_of(
        engine,
        precision=precision,
        dataset={"kind": "regression", "samples": 50, "validation": 0.2},
        model={"kind": "mlp", "hidden": []},
        descent={"variant": "batch", "batch_size": 40, "shuffle": False, **descent},
        training={"epochs": 5000},
    )


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("rate", [100.0, 1e5])
@pytest.mark.parametrize("settings", [{}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}])
def test_diverging_ends_on_the_last_finite_parameters(settings, rate, precision, engine):
    optimizer = {"kind": "sgd", **settings}
    parts = linear(engine, precision, learning_rate=rate, optimizer=optimizer)
    advance = parts.engine.advance(0, 5000, never)
    assert advance.diverged
    found = parameters(parts)
    assert all(bool(p.isfinite().all()) for p in found)
    # One update at a time leads to the same place, and the next update would leave it.
    again = linear(engine, precision, learning_rate=rate, optimizer=optimizer)
    for step in range(advance.step):
        assert not again.engine.advance(step, step + 1, never).diverged
    assert equal(found, parameters(again))
    assert again.engine.advance(advance.step, advance.step + 1, never).diverged
    assert equal(found, parameters(again))


def test_an_infinite_gradient_behind_a_finite_loss_spoils_nothing():
    """float32: the loss is finite, its gradient is not."""
    parts = parts_of(precision="float32", descent={"optimizer": "sgd", "learning_rate": 1e6})
    before = parameters(parts)

    def loss(outputs, targets):
        # d sqrt(|r|) / dr is infinite where the residual is zero
        return (outputs - outputs.detach()).abs().sqrt().mean()

    parts.engine.loss = loss
    assert parts.engine.advance(0, 6, never).diverged
    assert equal(before, parameters(parts))


def test_an_interruption_ends_after_the_current_update():
    parts = parts_of()
    calls = iter([False, False, False, True])
    advance = parts.engine.advance(0, 18, lambda: next(calls))
    assert advance.step == 3
    alone = parts_of()
    alone.engine.advance(0, 3, never)
    assert equal(parameters(parts), parameters(alone))


def test_an_interruption_ends_after_the_current_call():
    parts = parts_of("fused", training={"epochs": 1000})
    calls = iter([False, False, True])
    advance = parts.engine.advance(0, 6000, lambda: next(calls))
    assert 0 < advance.step < 6000
    assert advance.gradient_norm != advance.gradient_norm  # not measured: it was not the last
    alone = parts_of("fused", training={"epochs": 1000})
    alone.engine.advance(0, advance.step, never)
    assert equal(parameters(parts), parameters(alone))


def test_all_engines_diverge_at_the_same_update():
    for precision in ("float32", "float64"):
        ends = [
            linear(engine, precision, learning_rate=100.0).engine.advance(0, 5000, never)
            for engine in ("autograd", "fused", "graph")
        ]
        assert ends[0].diverged
        for end in ends:
            assert abs(ends[0].step - end.step) <= 1  # the bound is met by roundings


@pytest.mark.parametrize("samples", [7, 1000, 70_000])
def test_many_epochs_few_at_a_time_and_epochs_in_parts(samples):
    """Orders are drawn for a few epochs at a time, or calls end amid an epoch."""
    sections = {
        "dataset": {"samples": samples},
        "descent": {"batch_size": 3, "learning_rate": 0.001},
        "training": {"epochs": None, "steps": 600},
    }
    plain, fused = parts_of("autograd", **sections), parts_of("fused", **sections)
    plain.engine.advance(0, 600, never)
    for start, stop in [(0, 1), (1, 250), (250, 251), (251, 600)]:
        fused.engine.advance(start, stop, never)
    for one, other in zip(parameters(plain), parameters(fused), strict=True):
        assert torch.allclose(one, other, rtol=1e-10, atol=1e-12)


def test_dropout_masks_are_a_function_of_the_update():
    section = {"hidden": [50], "dropout": 0.5}
    whole = parts_of(model=section)
    whole.engine.advance(0, 10, never)
    pieces = parts_of(model=section)
    pieces.engine.advance(0, 4, never)
    torch.rand(7)  # the global stream has no part in it
    pieces.engine.advance(4, 10, never)
    assert equal(parameters(whole), parameters(pieces))
    other = parts_of(model=section, seed=1)
    other.engine.advance(0, 10, never)
    assert not equal(parameters(whole), parameters(other))


def test_training_leaves_the_global_stream_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    parts_of(model={"hidden": [4], "dropout": 0.3}).engine.advance(0, 5, never)
    assert torch.equal(torch.rand(3), expected)


def test_bfloat16_keeps_float32_parameters_and_learns():
    parts = parts_of(precision="bfloat16", training={"epochs": 100})
    data = parts.train

    def loss():
        with torch.no_grad():
            return float((parts.network(data.inputs) - data.targets).square().mean())

    before = loss()
    parts.engine.advance(0, 600, never)
    assert all(p.dtype == torch.float32 for p in parts.network.parameters())
    assert loss() < before / 5
