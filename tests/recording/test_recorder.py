"""What TensorBoard finds in a run, read back with its own reader."""

from __future__ import annotations

import io
from dataclasses import dataclass, field

import numpy as np
import pytest
import yaml
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_multiplexer import EventMultiplexer
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData
from tensorboard.util import tensor_util

import nnintro
from nnintro.config.experiment import as_values
from nnintro.config.load import load_config
from nnintro.recording.console import Display
from nnintro.recording.recorder import Recorder
from nnintro.runs.history import read_history
from nnintro.training.setup import Parts
from tests.support import config


def read(directory):
    return EventAccumulator(str(directory), size_guidance={"tensors": 0, "images": 0}).Reload()


def text(events, tag):
    assert tag in events.PluginTagToContent("text")
    return events.Tensors(tag)[0].tensor_proto.string_val[0].decode()


def histograms(events, tag):
    """Step -> rows of (left edge, right edge, count)."""
    return {e.step: tensor_util.make_ndarray(e.tensor_proto) for e in events.Tensors(tag)}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    values = config(dataset={"noise": 0.1}, training={"epochs": 40}, logging={"figures": "auto", "histograms": "auto"})
    return nnintro.train(values, runs_dir=tmp_path_factory.mktemp("recorded") / "runs")


@pytest.fixture(scope="module")
def events(run):
    return read(run.directory)


def test_scalars_are_the_history(run, events):
    tags = set(run.history) - {"step", "epoch", "samples", "seconds"}
    assert set(events.Tags()["scalars"]) == tags
    assert tags == {
        "train/loss", "validation/loss", "validation/mse", "validation/mae", "validation/rmse",
        "validation/r2", "validation/sup_error", "descent/learning_rate", "descent/gradient_norm",
        "descent/update_ratio", "speed/steps_per_second",
    }  # fmt: skip
    for tag in tags:
        points = [(event.step, event.value) for event in events.Scalars(tag)]
        columns = zip(run.history["step"], run.history[tag], strict=True)
        written = [(step, value) for step, value in columns if value is not None]
        assert [step for step, _ in points] == [step for step, _ in written]
        assert np.allclose([v for _, v in points], [v for _, v in written], rtol=1e-6)


def test_the_fit_is_shown_at_a_handful_of_moments(events):
    assert set(events.Tags()["images"]) == {"figures/fit", "figures/curves"}
    steps = [image.step for image in events.Images("figures/fit")]
    assert steps[0] == 0
    assert steps[-1] == 240
    assert steps == sorted(set(steps))
    assert 4 <= len(steps) <= 6
    pictures = []
    for image in events.Images("figures/fit"):
        with Image.open(io.BytesIO(image.encoded_image_string)) as picture:
            assert picture.size == (image.width, image.height)
            pictures.append(np.asarray(picture.convert("RGB")))
    assert not np.array_equal(pictures[0], pictures[-1])


def test_the_last_picture_is_the_file(run, events):
    for name in ("fit", "curves"):
        last = events.Images(f"figures/{name}")[-1]
        assert (run.directory / f"figures/{name}.png").read_bytes() == last.encoded_image_string


@pytest.mark.parametrize("engine", ["autograd", "fused"])
def test_pictures_that_were_finished_after_the_checkpoint_are_there_after_a_resume(engine, tmp_path, monkeypatch):
    """The first figure takes a second, in which a small network has long been trained."""
    values = config(training={"epochs": 40, "engine": engine}, logging={"figures": "auto"}, name="run")
    whole = nnintro.train(values, runs_dir=tmp_path / "whole")
    build = Parts.loop

    def interrupting(*arguments):
        loop = build(*arguments)
        loop.interrupted = lambda: len(loop.observer.history.columns["step"]) > 20
        return loop

    with monkeypatch.context() as patch:
        patch.setattr(Parts, "loop", interrupting)
        cut = nnintro.train(values, runs_dir=tmp_path)
    assert cut.summary["status"] == "interrupted"
    nnintro.train(resume=tmp_path / "run")
    assert shown(tmp_path / "run") == shown(whole.directory)


def shown(directory):
    """(tag, step) -> pixels of every picture."""
    found = read(directory)
    return {
        (tag, image.step): np.asarray(Image.open(io.BytesIO(image.encoded_image_string))).tobytes()
        for tag in found.Tags()["images"]
        for image in found.Images(tag)
    }


def test_histograms_of_every_parameter(run, events):
    parameters = dict(run.model.named_parameters())
    tags = set(events.PluginTagToContent("histograms"))
    assert tags == {f"parameters/{name}" for name in parameters}
    for name, parameter in parameters.items():
        found, values = histograms(events, f"parameters/{name}"), parameter.detach().numpy()
        steps = list(found)
        assert (steps[0], steps[-1]) == (0, 240)
        assert 10 <= len(steps) <= 25
        left, right, counts = found[240].T
        assert counts.sum() == values.size
        assert left[0] == pytest.approx(values.min(), rel=1e-6)
        assert right[-1] == pytest.approx(values.max(), rel=1e-6)


def test_the_config_is_there_as_text(run, events):
    block = text(events, "config")
    assert block.startswith("```yaml\n")
    written = (run.directory / "config.yaml").read_text()
    assert yaml.safe_load(block.removeprefix("```yaml\n").removesuffix("```")) == yaml.safe_load(written)
    assert "1 -> 5" in text(events, "model")


def test_hyperparameters_belong_to_the_run_itself(run, events):
    def plugin(tag):
        content = events.SummaryMetadata(tag).plugin_data.content
        return HParamsPluginData.FromString(content)

    start = plugin("_hparams_/session_start_info").session_start_info
    assert start.hparams["descent.learning_rate"].number_value == 0.05
    assert start.hparams["dataset.formula"].string_value == "sin(3*x)"
    assert start.hparams["descent.shuffle"].bool_value is True
    assert plugin("_hparams_/session_end_info").session_end_info.status == 1  # success
    # One folder, one event file: no run within the run.
    runs = EventMultiplexer().AddRunsFromDirectory(str(run.directory.parent)).Reload().Runs()
    assert list(runs) == [run.directory.name]


def test_every_key_of_the_config_is_a_hyperparameter(run, events):
    content = events.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    found = set(HParamsPluginData.FromString(content).session_start_info.hparams)

    def dotted(values, prefix=""):
        for key, value in values.items():
            if isinstance(value, dict):
                yield from dotted(value, f"{prefix}{key}.")
            else:
                yield prefix + key

    values = as_values(load_config(run.directory / "config.yaml").experiment)
    assert found == set(dotted(values))


CLASSES = {"kind": "classification", "generator": "blobs", "classes": 3, "samples": 60}


@pytest.mark.parametrize(
    ("values", "images", "tags"),
    [
        (config(dataset=CLASSES), {"fit", "confusion"},
         {"loss", "accuracy", "cross_entropy", "f1"}),
        (config(dataset={"formula": "x1*x2", "domain": [[0, 1], [0, 1]], "samples": 25}),
         {"fit"}, {"loss", "mse", "mae", "rmse", "r2", "sup_error"}),
        (config(dataset={"kind": "regression", "generator": "friedman1", "samples": 40}),
         {"fit"}, {"loss", "mse", "mae", "rmse", "r2"}),
    ],
)  # fmt: skip
def test_other_tasks_have_figures_and_metrics_of_their_own(tmp_path, values, images, tags):
    run = nnintro.train({**values, "logging": {"figures": "auto"}}, runs_dir=tmp_path)
    events = read(run.directory)
    assert set(events.Tags()["images"]) == {f"figures/{name}" for name in {*images, "curves"}}
    shown = {tag.split("/")[1] for tag in events.Tags()["scalars"] if tag.startswith("validation")}
    assert shown == tags
    names = {path.stem for path in (run.directory / "figures").iterdir()}
    assert names == {*images, "curves"}


class TestAlone:
    """The recorder without a training: what it does at the ends."""

    @pytest.fixture
    def make(self, tmp_path):
        def make(**changes):
            settings = {
                "directory": tmp_path,
                "tags": ("train/loss",),
                "display": Display(quiet=True),
                "painter": None,
                "sketches": list,
                "weights": lambda: {"parameters/w": np.arange(3.0)},
                "sketch_moments": set(),
                "histogram_moments": {0, 10},
            }
            return Recorder(**{**settings, **changes})

        return make

    def test_a_second_look_at_a_step_is_no_second_row(self, make, tmp_path):
        recorder = make()
        for step, last in ((0, False), (10, False), (10, True)):
            recorder.observe(Look(step), last=last)
        recorder.conclude(10, "curves")
        assert recorder.finish("interrupted") == []
        assert read_history(tmp_path / "history.csv")["step"] == [0, 10]
        events = read(tmp_path)
        assert [event.step for event in events.Scalars("train/loss")] == [0, 10]
        assert [event.step for event in events.Tensors("parameters/w")] == [0, 10]

    def test_without_scalars_the_first_and_the_last_are_recorded(self, make, tmp_path):
        recorder = make(scalars=False)
        for step in range(5):
            recorder.observe(Look(step), last=step == 4)
        recorder.finish("completed")
        assert read_history(tmp_path / "history.csv")["step"] == [0, 4]

    def test_a_disk_that_fails_is_told_in_words(self, make):
        recorder = make()
        recorder.history.error = "history.csv: No space left on device"
        recorder.events.error = "events: No space left on device"
        assert recorder.finish("completed") == [recorder.events.error, recorder.history.error]


@dataclass
class Look:
    step: int
    epoch: float = 0.0
    samples: int = 0
    seconds: float = 0.0
    scalars: dict[str, float] = field(default_factory=lambda: {"train/loss": 1.0})
