"""One run from start to end: what is recorded when, and how a run ends."""

from __future__ import annotations

import json
import math
import signal
import time

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import nnintro
from nnintro.config.load import load_config
from nnintro.engines.autograd import Autograd
from nnintro.models import forward
from nnintro.recording.painter import Painter
from nnintro.signals import SIGNALS, Interrupts
from nnintro.training import hint
from nnintro.training.setup import build_data
from tests.support import config

LINE = config(dataset={"formula": "3*x"}, model={"hidden": []}, training={"epochs": 500})


def read(run):
    return EventAccumulator(str(run.directory), size_guidance={"tensors": 0}).Reload()


def trained(tmp_path, **logging):
    values = config(training={"epochs": 5}, logging={"figures": "off", **logging})
    return nnintro.train(values, runs_dir=tmp_path)


class TestLogging:
    def test_every_n_steps(self, tmp_path):
        run = trained(tmp_path, scalars="every 7 steps")
        assert run.history["step"] == [0, 7, 14, 21, 28, 30]
        assert [e.step for e in read(run).Scalars("train/loss")] == [0, 7, 14, 21, 28, 30]

    def test_every_step_beyond_the_end(self, tmp_path):
        assert trained(tmp_path, scalars="every 1000 steps").history["step"] == [0, 30]

    def test_off_keeps_the_first_and_the_last(self, tmp_path):
        run = trained(tmp_path, scalars="off")
        assert run.history["step"] == [0, 30]
        assert set(run.summary["metrics"]) > {"train/loss", "validation/sup_error"}

    def test_auto_looks_at_most_a_thousand_times(self, tmp_path):
        values = config(descent={"batch_size": 23}, training={"epochs": 1500})
        run = nnintro.train(values, runs_dir=tmp_path)
        steps = run.history["step"]
        assert steps[-1] == 1500
        assert 100 <= len(steps) <= 1001
        gaps = np.diff(steps)
        assert gaps.max() - gaps.min() <= 1

    def test_auto_looks_at_every_update_of_a_short_run_with_an_epoch_each(self, tmp_path):
        values = config(descent={"variant": "batch", "batch_size": 23}, training={"epochs": 9})
        assert nnintro.train(values, runs_dir=tmp_path).history["step"] == list(range(10))

    def test_looking_does_not_change_what_is_learned(self, tmp_path):
        seldom = trained(tmp_path, scalars="off", histograms="off")
        often = trained(tmp_path, scalars="every 1 steps", histograms="auto", figures="auto")
        x = torch.linspace(0, 1, 11)
        assert torch.equal(seldom.predict(x), often.predict(x))

    def test_no_figures(self, tmp_path, monkeypatch):
        def never(_):
            raise AssertionError("no process for drawing is wanted")

        monkeypatch.setattr(Painter, "__init__", never)
        run = trained(tmp_path, figures="off", histograms="auto")
        assert list((run.directory / "figures").iterdir()) == []
        assert read(run).Tags()["images"] == []
        assert read(run).PluginTagToContent("histograms")

    def test_no_histograms(self, tmp_path):
        events = read(trained(tmp_path, histograms="off"))
        with pytest.raises(KeyError):
            events.PluginTagToContent("histograms")


class TestDivergence:
    def test_the_first_update_already(self, tmp_path):
        values = config(dataset={"formula": "1e30*x"}, precision="float32")
        with pytest.raises(nnintro.DivergedError) as caught:
            nnintro.train(values, runs_dir=tmp_path)
        assert caught.value.summary is not None
        assert caught.value.summary["steps"] == 0
        run = nnintro.load(caught.value.directory)
        assert run.history["step"] == sorted(set(run.history["step"]))
        assert run.history["step"][-1] == run.summary["steps"]
        assert all(bool(p.isfinite().all()) for p in run.model.parameters())

    def test_steps_are_unique_wherever_it_happens(self, tmp_path):
        seen = set()
        for every in (1, 2, 3, 5):
            values = {**LINE, "logging": {"scalars": f"every {every} steps", "figures": "off"}}
            with pytest.raises(nnintro.DivergedError) as caught:
                nnintro.train(values, ["descent.learning_rate=60"], runs_dir=tmp_path)
            steps = nnintro.load(caught.value.directory).history["step"]
            assert steps == sorted(set(steps))
            seen.add(steps[-1])
        # How often one looks has no say in where it ends.
        assert len(seen) == 1

    def test_the_summary_has_no_number_for_what_is_none(self, tmp_path):
        with pytest.raises(nnintro.DivergedError) as caught:
            nnintro.train(LINE, ["descent.learning_rate=60"], runs_dir=tmp_path)
        text = (caught.value.directory / "summary.json").read_text()
        assert "NaN" not in text
        assert "Infinity" not in text

    def test_events_say_that_it_failed(self, tmp_path):
        from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

        with pytest.raises(nnintro.DivergedError) as caught:
            nnintro.train(LINE, ["descent.learning_rate=60"], runs_dir=tmp_path)
        events = EventAccumulator(str(caught.value.directory)).Reload()
        content = events.SummaryMetadata("_hparams_/session_end_info").plugin_data.content
        assert HParamsPluginData.FromString(content).session_end_info.status == 2  # failure

    @pytest.mark.parametrize("rate", [5.0, 60.0, 1e6])
    def test_the_hint_is_a_rate_that_descends(self, tmp_path, rate):
        with pytest.raises(nnintro.DivergedError, match=r"descent\.learning_rate=") as caught:
            nnintro.train(LINE, [f"descent.learning_rate={rate}"], runs_dir=tmp_path)
        tried = str(caught.value).split("descent.learning_rate=")[1].split()[0]
        run = nnintro.train(LINE, [f"descent.learning_rate={tried}"], runs_dir=tmp_path)
        assert run.summary["status"] == "completed"
        assert run.history["train/loss"][-1] < run.history["train/loss"][0]

    def test_the_hint_takes_no_longer_than_its_budget(self, monkeypatch):
        """Updates of 0.4 s, of which 50 would take twenty."""
        update = Autograd._update

        def slow(self, *arguments, **options):
            time.sleep(0.4)
            return update(self, *arguments, **options)

        monkeypatch.setattr(Autograd, "_update", slow)
        monkeypatch.setattr(hint, "BUDGET_SECONDS", 0.5)
        setup = load_config(LINE, ["descent.learning_rate=5"]).setup()
        begun = time.perf_counter()
        assert hint.learning_rate_to_try(setup, build_data(setup.experiment)) is None
        assert time.perf_counter() - begun < 8

    def test_a_hint_that_was_not_seen_to_descend_says_so(self, tmp_path, monkeypatch):
        monkeypatch.setattr(hint, "BUDGET_SECONDS", 0.0)
        with pytest.raises(nnintro.DivergedError) as caught:
            nnintro.train(LINE, ["descent.learning_rate=60"], runs_dir=tmp_path)
        assert str(caught.value).endswith(
            "a smaller learning rate may help, such as --set descent.learning_rate=6 (it was 60; "
            "whether that descends was not seen)"
        )

    @pytest.mark.parametrize(("value", "digit"), [(0.0372, 0.03), (0.3, 0.3), (1.0, 1.0), (999, 900), (1e-7, 1e-7)])
    def test_one_digit(self, value, digit):
        assert hint.one_digit(value) == digit


@pytest.fixture(scope="module", params=["autograd", "fused"])
def early(request, tmp_path_factory):
    """A run that stops early and goes back to its best parameters."""
    values = config(
        dataset={"noise": 1.0, "samples": 12},
        model={"hidden": [40]},
        descent={"optimizer": "adam"},
        training={"epochs": 3000, "early_stopping": {"patience": 10}, "engine": request.param},
        logging={"histograms": "auto"},
    )
    return nnintro.train(values, runs_dir=tmp_path_factory.mktemp("early"))


class TestEarlyStopping:
    def test_the_reason_is_given(self, early):
        summary = early.summary
        step, updates_per_epoch = summary["best_step"], 3
        assert summary["status"] == "stopped"
        assert summary["reason"] == (
            f"validation/loss has not improved since epoch {step / updates_per_epoch:g}; back to update {step}"
        )
        assert summary["epochs"] == step / updates_per_epoch + 10

    def test_the_last_row_and_event_are_of_the_network_that_is_saved(self, early):
        run = early
        saved = run.summary["metrics"]["validation/loss"]
        assert run.history["step"][-1] == run.summary["steps"]
        assert run.history["validation/loss"][-1] == pytest.approx(saved, rel=1e-12)
        event = read(run).Scalars("validation/loss")[-1]
        assert (event.step, event.value) == (run.summary["steps"], pytest.approx(saved, rel=1e-6))

    def test_the_last_histogram_is_of_the_network_that_is_saved(self, early):
        run = early
        from tensorboard.util import tensor_util

        last = read(run).Tensors("parameters/layers.0.weight")[-1]
        edges = tensor_util.make_ndarray(last.tensor_proto)
        weights = run.model.layers[0].weight.detach()
        assert last.step == run.summary["steps"]
        assert edges[0, 0] == pytest.approx(float(weights.min()), rel=1e-6)
        assert edges[-1, 1] == pytest.approx(float(weights.max()), rel=1e-6)


class TestDevice:
    @pytest.fixture(autouse=True)
    def _no_cuda(self, monkeypatch):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)

    @pytest.mark.parametrize("device", ["cuda", "cuda:1"])
    def test_cuda_where_there_is_none(self, tmp_path, device):
        path = tmp_path / "gpu.yaml"
        path.write_text(f"dataset: {{kind: function, formula: x}}\nmodel: {{kind: mlp}}\n\ndevice: {device}\n")
        with pytest.raises(nnintro.ConfigError) as caught:
            nnintro.train(path, runs_dir=tmp_path / "runs")
        (problem,) = caught.value.problems
        assert (problem.file, problem.line, problem.path) == (str(path), 4, "device")
        assert problem.message == (f"{device} was asked for, and torch finds no CUDA device; use auto or cpu")
        assert not (tmp_path / "runs").exists()

    def test_a_number_that_is_not_there(self, tmp_path, monkeypatch):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
        with pytest.raises(nnintro.ConfigError, match="device: cuda:1 was asked for"):
            nnintro.train(config(device="cuda:1"), runs_dir=tmp_path)

    def test_auto_is_the_processor_then(self, tmp_path):
        run = nnintro.train(config(device="auto"), runs_dir=tmp_path)
        assert run.summary["device"] == "cpu"


class TestThreads:
    """The tests themselves keep to one, and so would find fault with nothing."""

    @pytest.fixture(autouse=True)
    def _two_threads(self):
        before = torch.get_num_threads()
        torch.set_num_threads(2)
        yield
        assert torch.get_num_threads() == 2
        torch.set_num_threads(before)

    def recorded(self, run):
        return json.loads((run.directory / "environment.json").read_text())["threads"]

    def test_a_small_product_takes_one(self, tmp_path):
        assert self.recorded(nnintro.train(config(), runs_dir=tmp_path)) == 1

    def test_a_large_product_takes_all(self, tmp_path, monkeypatch):
        monkeypatch.setattr(forward, "SEVERAL_THREADS_FROM", 5 * 4)  # neurons times samples
        assert self.recorded(nnintro.train(config(), runs_dir=tmp_path)) == 2


class TestNumbersBeyondThePrecision:
    @pytest.mark.parametrize(
        ("dataset", "message"),
        [
            ({"formula": "1e39*x"}, "dataset.formula: the targets go beyond what float32 can hold "
             "(at most 3.4e+38); measure them in larger units, or train in precision: float64"),
            ({"formula": "x/1e39", "domain": [[0, 1e39]]},
             "dataset.domain: the inputs go beyond what float32 can hold"),
            ({"kind": "regression", "weights": [1e300]}, "dataset: the targets go beyond what"),
            ({"kind": "classification", "noise": 1e300}, "dataset: the inputs go beyond what"),
            ({"noise": 1e300}, "dataset.noise: the targets go beyond what"),
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("precision", ["float32", "bfloat16"])
    def test_are_told_at_their_key(self, tmp_path, dataset, message, precision):
        with pytest.raises(nnintro.ConfigError) as caught:
            nnintro.train(config(dataset=dataset, precision=precision), runs_dir=tmp_path)
        assert message in str(caught.value)
        assert list(tmp_path.iterdir()) == []

    def test_float64_has_no_larger_one(self, tmp_path):
        values = config(dataset={"noise": 1e308}, precision="float64")
        with pytest.raises(nnintro.ConfigError, match=r"at most 1\.8e\+308\); measure .* larger units$"):
            nnintro.train(values, runs_dir=tmp_path)

    @pytest.mark.parametrize("size", [1e-200, 1e-50, 1e39, 1e200])
    def test_standardised_inputs_may_be_of_any_size(self, tmp_path, size):
        dataset = {"formula": f"x/{size}", "domain": [[0, size]], "standardize": "inputs"}
        run = nnintro.train(config(dataset=dataset, precision="float32"), runs_dir=tmp_path)
        plain = {"formula": "x", "domain": [[0, 1]], "standardize": "inputs"}
        twin = nnintro.train(config(dataset=plain, precision="float32"), runs_dir=tmp_path)
        inputs = np.linspace(0, 1, 11)
        assert np.allclose(run.predict(inputs * size), twin.predict(inputs), atol=1e-3)


def test_summary_counts_are_of_the_updates_alone(tmp_path):
    run = nnintro.train(config(), runs_dir=tmp_path)
    seconds = run.summary["seconds"]
    assert 0 < seconds["training"] < seconds["total"]
    assert math.isclose(run.summary["steps_per_second"], 18 / seconds["training"])


def test_what_the_data_was_made_of_is_recorded(tmp_path):
    values = config(dataset={"kind": "regression", "generator": "linear", "samples": 60})
    run = nnintro.train(values, runs_dir=tmp_path)
    assert run.summary["data"]
    assert all(f"data/{key}" in read(run).PluginTagToContent("text") for key in run.summary["data"])


def test_a_classifier_leaves_its_confusion_matrix(tmp_path):
    values = config(dataset={"kind": "classification", "generator": "moons", "samples": 50})
    counts = nnintro.train(values, runs_dir=tmp_path).summary["confusion"]
    assert np.array(counts).shape == (2, 2)
    assert np.array(counts).sum() == 10


class TestInterrupts:
    @pytest.fixture
    def heard(self):
        """Signals that reach the handlers that stood there before."""
        heard: list[int] = []
        before = {n: signal.signal(n, lambda number, _: heard.append(number)) for n in SIGNALS}
        yield heard
        for number, handler in before.items():
            signal.signal(number, handler)

    def test_the_first_is_noted_and_its_echo_too(self, heard):
        with Interrupts(SIGNALS) as interrupts:
            assert not interrupts()
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGTERM)
            assert interrupts()
            assert interrupts.received == signal.SIGTERM
        assert heard == []

    def test_a_second_press_acts_as_always(self, heard, monkeypatch):
        monkeypatch.setattr("nnintro.signals.ECHO_SECONDS", 0.0)
        with Interrupts(SIGNALS):
            signal.raise_signal(signal.SIGINT)
            time.sleep(0.01)
            signal.raise_signal(signal.SIGHUP)  # a closing terminal does not press twice
            assert heard == []
            signal.raise_signal(signal.SIGINT)
            assert heard == [signal.SIGINT]

    def test_afterwards_all_is_as_before(self, heard):
        with Interrupts(SIGNALS):
            pass
        for number in SIGNALS:
            signal.raise_signal(number)
        assert heard == list(SIGNALS)

    def test_an_ignored_signal_stays_ignored(self, heard):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
        with Interrupts(SIGNALS) as interrupts:
            signal.raise_signal(signal.SIGHUP)
            assert not interrupts()
        assert heard == []


@pytest.mark.parametrize("engine", ["autograd", "fused"])
def test_a_loss_that_is_not_finite_before_the_first_update_has_another_cause(engine, tmp_path):
    values = config(dataset={"formula": "1e25*x"}, precision="float32", training={"engine": engine})
    with pytest.raises(nnintro.DivergedError) as caught:
        nnintro.train(values, runs_dir=tmp_path)
    assert "the loss is not finite before the first update, so no learning rate is to blame" in str(caught.value)
    assert "precision: float64" in str(caught.value)
    assert "--set descent.learning_rate" not in str(caught.value)
