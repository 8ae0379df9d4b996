"""What the lessons of the lecture promise: truth tables, a dense grid, sizes of networks."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
import torch
from torch import nn

import nnintro
from nnintro.config.load import load_config
from nnintro.models import parameter_count
from nnintro.models.build import Region, build_model
from nnintro.training.setup import build_data
from tests.conformance.test_configs import ROOT, header

GATES = {"and": lambda a, b: a and b, "or": lambda a, b: a or b, "not": lambda a: not a, "xor": lambda a, b: a != b}


@pytest.mark.parametrize("gate", GATES)
def test_the_gates_truth_tables_are_exact(gate, tmp_path):
    run = nnintro.train(ROOT / f"configs/neuron/{gate}.yaml", runs_dir=tmp_path)
    function = GATES[gate]
    table = list(itertools.product([0, 1], repeat=function.__code__.co_argcount))
    assert run.predict(table)[:, 0].tolist() == [float(bool(function(*row))) for row in table]
    assert run.summary["metrics"]["train/loss"] == run.summary["metrics"]["validation/rmse"] == 0
    assert run.summary["steps"] == 0
    assert {layer.activation for layer in run.model.rows()} == {"step"}
    assert len(run.model.rows()) == (2 if gate == "xor" else 1)


def test_no_single_neuron_is_exclusive_or():
    """Of 100,000 random ones none has the four rows right; "and" is met often."""
    rng = np.random.default_rng(0)
    table = np.array(list(itertools.product([0, 1], repeat=2)))
    fires = table @ rng.normal(size=(2, 100_000)) + rng.normal(size=100_000) > 0
    assert not (fires.T == [False, True, True, False]).all(1).any()
    assert (fires.T == [False, False, False, True]).all(1).sum() > 1000


def test_classes_by_a_formula_on_a_dense_grid(tmp_path):
    run = nnintro.train(ROOT / "configs/classification/formula.yaml", runs_dir=tmp_path)
    side = 141
    x1, x2 = np.meshgrid(np.linspace(-2, 2, side), np.linspace(-1.5, 1.5, side))
    points = np.column_stack([x1.ravel(), x2.ravel()])
    predicted = run.predict(points)[:, 0].numpy() > 0
    accuracy = (predicted == (points[:, 1] > np.sin(3 * points[:, 0]))).mean()
    assert run.summary["dense_grid"] == {"accuracy": pytest.approx(accuracy), "points": side * side}
    assert accuracy > 0.95


DEPTHS = (1, 2, 4)


def test_depth_and_width_have_equal_parameters():
    counts = []
    for depth in DEPTHS:
        loaded = load_config(ROOT / f"configs/function/depth_{depth}.yaml")
        setup = loaded.setup()
        assert len(setup.model.hidden) == depth
        counts.append(parameter_count(build_model(setup, Region.unknown(setup))[0]))
    assert max(counts) <= 1.02 * min(counts)
    for depth in DEPTHS:
        text = "\n".join(header(ROOT / f"configs/function/depth_{depth}.yaml"))
        assert all(f"  {count}  " in text for count in counts)
    assert (ROOT / "docs/images/depth.png").exists()


@pytest.mark.parametrize("depth", DEPTHS)
def test_the_table_of_depth_and_width(depth):
    """The first of the five seeds lies within what the header says of all."""
    fitted = nnintro.fit(ROOT / f"configs/function/depth_{depth}.yaml")
    hidden = str(fitted.setup.model.hidden)
    (row,) = [line for line in header(ROOT / "configs/function/depth_1.yaml") if line.startswith(hidden)]
    numbers = [float(word.strip("()")) for word in row.removeprefix(hidden).split() if word != "to"]
    _, __, least, most, ___, lowest, highest = numbers
    assert 0.98 * least <= fitted.metrics["validation/sup_error"] <= 1.02 * most
    assert 0.98 * lowest <= fitted.metrics["validation/rmse"] <= 1.02 * highest


class Double(nn.Sequential):
    """The slide's double convolution."""

    def __init__(self, a, b):
        super().__init__(
            nn.Conv2d(a, b, 3, padding=1), nn.BatchNorm2d(b), nn.ReLU(),
            nn.Conv2d(b, b, 3, padding=1), nn.BatchNorm2d(b), nn.ReLU(),
        )  # fmt: skip


class Slide(nn.Module):
    """The slide's network, written out: 3 channels in, 1 out."""

    def __init__(self):
        super().__init__()
        self.first = Double(3, 64)
        self.down = nn.ModuleList([Double(64, 128), Double(128, 256), Double(256, 512), Double(512, 1024)])
        self.middle = Double(1024, 512)
        self.upsample = nn.ModuleList(nn.ConvTranspose2d(c, c, 2, stride=2) for c in (512, 256, 128, 64))
        self.up = nn.ModuleList([Double(1024, 256), Double(512, 128), Double(256, 64), Double(128, 64)])
        self.last = nn.Conv2d(64, 1, 1)

    def forward(self, x):
        skips = [self.first(x)]
        for block in self.down:
            skips.append(block(nn.functional.max_pool2d(skips[-1], 2)))
        x = self.middle(skips.pop())
        for upsample, block in zip(self.upsample, self.up, strict=True):
            x = block(torch.cat([skips.pop(), upsample(x)], dim=1))
        return self.last(x)


def test_the_full_unet_is_the_slides_network():
    loaded = load_config(ROOT / "configs/images/lecture.yaml")
    splits = build_data(loaded.experiment)
    setup = loaded.setup(splits.found)
    assert setup.task.inputs == 3
    ours, _ = build_model(setup, Region.unknown(setup))
    slide = Slide()
    assert parameter_count(ours) == sum(p.numel() for p in slide.parameters()) == 31_310_145
    sizes = [sorted(tuple(p.shape) for p in network.parameters()) for network in (ours, slide)]
    assert sizes[0] == sizes[1]
    images, masks = splits.train.rows(torch.arange(2))
    with torch.no_grad():
        assert slide(images.float()).shape == ours(images.float()).shape == masks.shape
    assert images.shape[1:] == (3, 64, 64)
    assert masks.shape[1:] == (1, 64, 64)
    red, green, blue = images.double().mean((0, 2, 3))
    assert red > green < blue  # stained: colours differ


LECTURE = {
    "McCulloch and Pitts": "neuron/and.yaml",
    "perceptron": "neuron/perceptron.yaml",
    "one neuron": "neuron/linear_regression.yaml",
    "linear regression": "neuron/linear_regression.yaml",
    "closed form": "neuron/linear_regression.yaml",
    "logistic regression": "neuron/logistic_regression.yaml",
    "features by hand": "neuron/basis.yaml",
    "one layer": "neuron/single_layer.yaml",
    "loss and gradient descent": "descent/batch.yaml",
    "batch": "descent/batch.yaml",
    "mini-batch": "descent/mini_batch.yaml",
    "stochastic": "descent/stochastic.yaml",
    "two layers": "target.yaml",
    "the lecture's function": "target.yaml",
    "sigmoids": "function/steps.yaml",
    "Cybenko's theorem": "steps/construct.yaml",
    "approximation by hand": "steps/figure-1.yaml",
    "figures 1 to 5": "steps/figure-5.yaml",
    "how many neurons": "function/depth_1.yaml",
    "depth against width": "function/depth_4.yaml",
    "how are the gradients computed?": "classification/xor.yaml",
    "U-Net": "images/lecture.yaml",
    "boundaries of cells": "images/cells.yaml",
    "applications": "tables/juno.yaml",
}
"""A part of the lecture in the words of the README's table -> a config that shows it."""


def lessons_table():
    """(part of the lecture, paths of its configs under configs/) of every row of the README's table."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    lines = text[text.index("| part of the lecture |") :].split("\n\n")[0].splitlines()[2:]
    rows = []
    for line in lines:
        part, links = line.strip("| ").split(" | ")
        places = [ROOT / target for target in re.findall(r"\]\(([^)]+)\)", links)]
        found = [path for place in places for path in (sorted(place.glob("*.yaml")) if place.is_dir() else [place])]
        rows.append((part, [path.relative_to(ROOT / "configs").as_posix() for path in found if path.suffix == ".yaml"]))
    return rows


@pytest.mark.parametrize("part", LECTURE)
def test_every_part_of_the_lecture_has_its_lesson(part):
    rows = [configs for words, configs in lessons_table() if part in words]
    assert any(LECTURE[part] in configs for configs in rows), part
    assert (ROOT / "configs" / LECTURE[part]).exists()


def test_every_config_stands_in_the_table():
    listed = {config for _, configs in lessons_table() for config in configs}
    there = {path.relative_to(ROOT / "configs").as_posix() for path in (ROOT / "configs").rglob("*.yaml")}
    assert listed == there
