"""The graph engine without a GPU: its eager twin beside autograd, and its capture enacted."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import nnintro
from nnintro.config.load import load_config
from nnintro.descent.streams import in_place, shuffled, stream
from nnintro.descent.variants import Plan
from nnintro.engines.captured import launch
from nnintro.engines.captured.launch import LENGTHS, Captured, CaptureError, Eager
from nnintro.engines.captured.step import Tape
from nnintro.engines.choose import ENGINES, Row, choose_engine
from nnintro.engines.graph import ACTIVATIONS, LOSSES, Graph
from nnintro.errors import ConfigError
from nnintro.training import setup as assembling
from tests.comparing import Cut, assert_same_run, train
from tests.engines import recorded
from tests.engines.test_fused import OPTIMIZERS, SCHEDULES, generated
from tests.engines.twin import compared, distance, never, parameters, parts_with, trained, work_of
from tests.support import assembled, config

CASES = 90
CUDA = torch.device("cuda")
DROPOUT = {"hidden": [20, 10], "dropout": 0.4}


# --- the step's mathematics ----------------------------------------------------------------------


def agrees(values, steps, tolerance, rounding):
    """Whether it is within the tolerance, what was measured too."""
    both = compared(values, "graph", steps, tolerance, rounding)
    if both is not None and both[0].gradient_norm > 1e-6:
        expected, found = both
        near = 1e-6 if tolerance < 1e-6 else 1e-2
        assert found.gradient_norm == pytest.approx(expected.gradient_norm, rel=near)
        assert found.update_ratio == pytest.approx(expected.update_ratio, rel=near, abs=1e-14)
    return both is not None


@pytest.mark.parametrize("first", range(0, CASES, 30))
def test_equal_to_autograd_in_float64(first):
    cases = [generated(number) for number in range(first, first + 30)]
    assert sum(agrees(values, 200, 1e-10, 2e-16) for values in cases) >= 28


@pytest.mark.parametrize("first", range(CASES, CASES + 40, 20))
def test_equal_to_autograd_in_float32(first):
    cases = [{**generated(number), "precision": "float32"} for number in range(first, first + 20)]
    assert sum(agrees(values, 100, 1e-4, 1e-7) for values in cases) >= 18


def test_the_cases_meet_everything():
    cases = [generated(number) for number in range(CASES)]
    assert {name for case in cases for name in case["model"]["activation"]} == set(ACTIVATIONS)
    assert {case["loss"] for case in cases} | {"bce"} == LOSSES  # which is cross entropy
    descents = [case["descent"] for case in cases]
    assert {str(each["optimizer"]) for each in descents} == set(map(str, OPTIMIZERS))
    assert {str(each["schedule"]) for each in descents} == set(map(str, SCHEDULES))
    assert {each["variant"] for each in descents} == {"batch", "mini-batch", "stochastic"}
    assert {each["weight_decay"] for each in descents} == {0.0, 0.01}
    assert {each["clip_norm"] for each in descents} == {None, 0.5}


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("clip", [None, 0.05])
def test_every_optimizer_with_decay_and_clipping(optimizer, decay, clip):
    """Few updates: roundings have no time to grow."""
    descent = {
        "optimizer": optimizer, "learning_rate": 0.01, "weight_decay": decay, "clip_norm": clip,
        "schedule": "cosine",
    }  # fmt: skip
    values = config(descent=descent)
    plain, expected = trained(values, "autograd", 10)
    graph, found = trained(values, "graph", 10)
    assert distance(plain, graph) < 1e-13
    assert found.gradient_norm == pytest.approx(expected.gradient_norm, rel=1e-10)
    assert (clip is None) or found.gradient_norm > clip  # measured before clipping


def test_bfloat16_is_that_of_autograd():
    values = config(precision="bfloat16")
    assert distance(trained(values, "autograd", 18)[0], trained(values, "graph", 18)[0]) < 1e-6


@pytest.mark.parametrize("variant", ["mini-batch", "batch"])
def test_dropouts_masks_are_those_of_autograd(variant):
    values = config(model=DROPOUT, descent={"variant": variant, "batch_size": 7})
    plain, _ = trained(values, "autograd", 25)
    graph, _ = trained(values, "graph", 25)
    assert distance(plain, graph) < 1e-12
    still, _ = trained(config(descent={"variant": variant, "batch_size": 7}), "graph", 25)
    assert len(still) != len(graph) or distance(still, graph) > 1e-3


# --- the tape ------------------------------------------------------------------------------------


@given(
    samples=st.integers(1, 60), size=st.integers(1, 70), start=st.integers(0, 500),
    shuffle=st.booleans(),
)  # fmt: skip
def test_the_rows_on_a_tape_are_those_of_the_plan(samples, size, start, shuffle):
    plan = Plan("mini-batch", samples, min(size, samples))
    order = shuffled(samples, lambda k: stream(0, "order", k)) if shuffle else in_place
    found = Tape(plan, order, lambda a, b: torch.ones(b - a, 3).numpy(), torch.zeros(1))
    found.capacity = 40
    rows = found._rows(start, start + 40)
    for step in range(start, start + 40):
        epoch, update = divmod(step, plan.updates_per_epoch)
        (block,) = plan.blocks(update)
        epochs = order(epoch)
        whole = torch.arange(samples) if epochs is None else epochs
        expected = whole[block.start : block.stop]
        assert torch.equal(rows[step - start][: len(expected)], expected)


@pytest.mark.parametrize("longest", [1, 2, 5, 17])
@pytest.mark.parametrize("descent", [{"batch_size": 4}, {"variant": "batch", "batch_size": 10}])
def test_a_tape_of_any_length_gives_the_same_bits(longest, descent, monkeypatch):
    values = config(descent=descent)
    expected, measured = trained(values, "graph", 40)
    monkeypatch.setattr("nnintro.engines.captured.step.LONGEST", longest)
    found, again = trained(values, "graph", 40)
    assert torch.equal(found, expected)
    assert again == measured


# --- capture, enacted ----------------------------------------------------------------------------


@pytest.fixture
def enacted(monkeypatch):
    launch._side_stream.cache_clear()
    recorded.enact(monkeypatch)
    yield
    launch._side_stream.cache_clear()


@pytest.mark.parametrize("number", range(0, CASES, 7))
def test_replaying_is_doing(number, enacted):
    """What was captured once does for every update what the step would do: equal bits."""
    values = generated(number)
    expected, measured = trained(values, "graph", 70)
    found, again = trained(values, "graph", 70, Captured)
    assert torch.equal(found, expected)
    assert again == measured


def test_replaying_with_dropout(enacted):
    expected, _ = trained(config(model=DROPOUT), "graph", 30)
    parts = parts_with(config(model=DROPOUT), "graph", Captured)
    assert set(parts.engine.launcher.graphs) == {(1, False), (1, True)}
    parts.engine.advance(0, 30, never)
    assert torch.equal(parameters(parts), expected)


def test_many_updates_in_a_launch(enacted):
    """23 samples in blocks of 4: five whole ones and a short one make an epoch."""
    parts = parts_with(config(), "graph", Captured)
    graphs = parts.engine.launcher.graphs
    assert set(graphs) == {(16, False), (4, False), (1, False), (1, True)}
    rehearsed = {kind: graph.replays for kind, graph in graphs.items()}
    assert rehearsed == {(16, False): 0, (4, False): 1, (1, False): 1, (1, True): 1}
    before = recorded.Event.waited
    parts.engine.advance(0, 60, never)
    replays = {kind: graph.replays - rehearsed[kind] for kind, graph in graphs.items()}
    assert replays == {(16, False): 0, (4, False): 10, (1, False): 10, (1, True): 10}
    assert recorded.Event.waited - before == 30  # with AHEAD still in the queue from before
    even = parts_with(config(descent={"batch_size": 23}), "graph", Captured)
    even.engine.advance(0, 100, never)
    replays = {kind: graph.replays for kind, graph in even.engine.launcher.graphs.items()}
    assert replays == {(16, False): 6 + 1, (4, False): 0 + 1, (1, False): 4 + 1}


def test_a_network_is_as_it_was_after_the_capture(enacted):
    values = config(descent={"optimizer": "adam"})
    expected = parameters(parts_with(values, "autograd"))
    parts = parts_with(values, "graph", Captured)
    assert torch.equal(parameters(parts), expected)
    assert not parts.optimizer.state
    assert all(not tensor.any() for tensor in parts.engine.memory.tensors)


def test_a_step_that_reads_a_value_is_refused(enacted, monkeypatch):
    def reading(outputs, targets):
        loss = (outputs - targets).square().mean()
        return loss * float(loss > 0)

    monkeypatch.setattr(assembling, "loss_for", lambda *_, **__: reading)
    with pytest.raises(CaptureError, match="_local_scalar_dense: operation not permitted"):
        parts_with(config(), "graph", Captured)


def test_diverging_with_replays(enacted):
    values = config(
        dataset={"kind": "regression", "samples": 50, "validation": 0.2},
        model={"hidden": []},
        descent={"learning_rate": 1e5, "batch_size": 10},
        precision="float32",
    )
    ends = []
    for launching in (Eager, Captured):
        parts = parts_with(values, "graph", launching)
        advance = parts.engine.advance(0, 5000, never)
        assert advance.diverged
        assert bool(parameters(parts).isfinite().all())
        ends.append((advance.step, parameters(parts)))
    assert ends[0][0] == ends[1][0] > 0
    assert torch.equal(ends[0][1], ends[1][1])


# --- interruption, resuming ----------------------------------------------------------------------


def test_an_interruption_ends_after_the_current_launch():
    values = config(descent={"batch_size": 23}, training={"epochs": 1000})
    parts = parts_with(values, "graph")
    calls = iter([False, False, True])
    advance = parts.engine.advance(0, 1000, lambda: next(calls))
    assert advance.step == 2 * LENGTHS[0]
    assert advance.gradient_norm != advance.gradient_norm  # not measured: it was not the last
    assert torch.equal(parameters(parts), trained(values, "graph", advance.step)[0])


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
@pytest.mark.parametrize("other", ["autograd", "fused"])
def test_either_engine_goes_on_with_the_others_state(optimizer, other):
    values = config(descent={"optimizer": optimizer, "learning_rate": 0.01})
    whole, _ = trained(values, "autograd", 18)
    for first, second in ((other, "graph"), ("graph", other)):
        one, two = parts_with(values, first), parts_with(values, second)
        one.engine.advance(0, 7, never)
        two.network.load_state_dict(one.network.state_dict())
        two.optimizer.load_state_dict(one.optimizer.state_dict())
        two.engine.advance(7, 18, never)
        assert distance(whole, parameters(two)) < 1e-13


def graph_on_the_cpu(launching):
    """The engine's row, with another way to launch updates."""
    return Row(lambda *_: iter(()), lambda work, *_: Graph(work, launching))


@pytest.mark.parametrize("cut", [3, 11, 24])
@pytest.mark.parametrize("optimizer", ["adam", {"kind": "sgd", "momentum": 0.9}, "rmsprop"])
def test_a_run_that_is_cut_off_goes_on_to_the_same_bits(cut, optimizer, tmp_path, monkeypatch):
    monkeypatch.setitem(ENGINES, "graph", graph_on_the_cpu(Eager))
    values = config(
        model={"dropout": 0.2},
        descent={"optimizer": optimizer, "learning_rate": 0.02, "schedule": "cosine"},
        training={"epochs": 5, "checkpoint": {"every": "5 steps"}, "engine": "graph"},
        logging={"scalars": "every 4 steps"},
        name="run",
    )
    whole = train(values, tmp_path / "whole")
    assert whole.summary["engine"] == "graph"
    launch_updates = Graph._launch

    def cutting(self, step, stop):
        if step >= cut:
            raise Cut
        return launch_updates(self, step, stop)

    with monkeypatch.context() as patch:
        patch.setattr(Graph, "_launch", cutting)
        with pytest.raises(Cut):
            train(values, tmp_path / "cut")
    resumed = train(None, tmp_path, resume=tmp_path / "cut/run")
    assert resumed.summary.get("resumed", []) == ([cut // 5 * 5] if cut >= 5 else [])
    assert_same_run(resumed.directory, whole.directory)


# --- the choice ----------------------------------------------------------------------------------

LBFGS = {"variant": "batch", "batch_size": 23, "optimizer": "lbfgs"}
MANY_BLOCKS = {"dataset": {"samples": 1000}, "descent": {"variant": "batch", "batch_size": 10}}


@pytest.mark.parametrize(
    "sections",
    [
        {},
        {"precision": "bfloat16"},
        {"precision": "float32", "training": {"epochs": 5000}},
        {"model": DROPOUT},
        {"descent": {"variant": "batch", "batch_size": 10}},
    ],
)
def test_graph_is_taken_on_cuda_where_it_is_asked_for_and_only_there(sections):
    values = config(**sections)
    assert choose_engine(work_of(load_config(values)), CUDA) == "autograd"
    asked = load_config(values, ["training.engine=graph"])
    assert choose_engine(work_of(asked), CUDA) == "graph"


@pytest.mark.parametrize(
    ("device", "sections", "reason"),
    [
        ("cpu", {}, "the device cpu"),
        ("cuda:1", {"descent": LBFGS}, "the optimizer lbfgs"),
        ("cuda", MANY_BLOCKS, "updates of 100 blocks (at most 64)"),
    ],
)
def test_what_is_not_served_says_why(device, sections, reason):
    values = config(**sections)
    assert choose_engine(work_of(load_config(values)), torch.device(device)) == "autograd"
    asked = work_of(load_config(values, ["training.engine=graph"]))
    with pytest.raises(ConfigError) as error:
        choose_engine(asked, torch.device(device))
    expected = f"training.engine: graph does not serve {reason}; expected auto or autograd"
    assert str(error.value) == expected


def test_the_error_says_where_in_the_file(tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text(
        "dataset: {kind: function, formula: x, samples: 9}\nmodel: {kind: mlp, hidden: [3]}\n"
        "device: cpu\ntraining:\n  epochs: 1\n  engine: graph\n"
    )
    with pytest.raises(ConfigError) as error:
        nnintro.train(path, runs_dir=tmp_path)
    assert str(error.value) == (
        f"{path}:6:11: training.engine: graph does not serve the device cpu; expected auto or autograd"
    )


@pytest.mark.parametrize("broken", ["nothing happens", "one too many", "not a number"])
def test_a_replay_that_is_not_the_update_is_found_out(broken):
    """Whatever a driver makes of a capture: the first updates are compared before any counts."""

    class Broken(Eager):
        def launch(self, count, *, short):
            if broken != "nothing happens":
                super().launch(count, short=short)
            if broken == "one too many":
                super().launch(1, short=short)
            if broken == "not a number":
                self.step.memory.weights[3] = torch.nan

    plain = parts_with(config(), "autograd")
    with pytest.raises(CaptureError, match="a replay of 4 updates is not what they are"):
        parts_with(config(), "graph", Broken)
    assert torch.equal(parameters(plain), parameters(parts_with(config(), "graph")))


def test_cuda_that_captures_nothing_is_an_error(monkeypatch):
    def refuse(*_):
        raise CaptureError("operation not permitted when stream is capturing")

    monkeypatch.setitem(ENGINES, "graph", graph_on_the_cpu(refuse))
    with pytest.raises(ConfigError) as error:
        assembled(load_config(config(), ["training.engine=graph"]))
    assert str(error.value) == (
        "training.engine: graph does not serve this config on cpu: operation not permitted when "
        "stream is capturing; expected auto or autograd"
    )
