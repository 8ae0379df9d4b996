"""Large images go through the network tile by tile, and have the answers that the whole has."""

from __future__ import annotations

import types

import numpy as np
import pytest
import torch

from nnintro.datasets.images.data import ImageData
from nnintro.datasets.images.store import InMemory
from nnintro.models import tiles
from nnintro.models.unet import Unet
from nnintro.objectives.segmentation import answers
from nnintro.predict.images import tiled_answers
from nnintro.training.evaluation import blocks_through


def run_of(channels, outputs, normalization="batch"):
    torch.manual_seed(0)
    model = Unet(2, outputs, channels, normalization).double().eval()
    for module in model.modules():
        if isinstance(module, torch.nn.Conv2d | torch.nn.ConvTranspose2d):
            torch.nn.init.normal_(module.weight, 0, 0.4)
            torch.nn.init.normal_(module.bias, 0, 0.1)
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
            module.weight.data.uniform_(0.5, 2)

    def predict(image):
        with torch.no_grad():
            return model(image)

    return types.SimpleNamespace(model=model, predict=predict)


@pytest.mark.parametrize("channels", [[3, 4], [2, 3, 4], [2, 2, 2, 3]])
@pytest.mark.parametrize("size", [(160, 192), (157, 203)])
@pytest.mark.parametrize("outputs", [1, 3])
def test_tiles_have_the_answers_of_the_whole(channels, size, outputs, monkeypatch):
    monkeypatch.setattr(tiles, "CORE", 32)
    run = run_of(channels, outputs)
    image = torch.randn(1, 2, *size, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    confidence, classes = tiled_answers(run, image, 0.5)
    whole_confidence, whole_classes = answers(run.predict(image).float(), 0.5)
    np.testing.assert_allclose(confidence, whole_confidence[0], atol=1e-6)
    assert (classes == whole_classes[0]).double().mean() > 0.999  # a tie may fall either way


def test_a_smaller_margin_would_show(monkeypatch):
    """That the comparison above looks: with hardly a margin the answers differ."""
    monkeypatch.setattr(tiles, "CORE", 32)
    monkeypatch.setattr(tiles, "REACH", 1)
    run = run_of([2, 3, 4], 1)
    image = torch.randn(1, 2, 160, 192, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    confidence, _ = tiled_answers(run, image, 0.5)
    assert float((confidence - answers(run.predict(image).float(), 0.5)[0][0]).abs().max()) > 1e-4


def test_group_normalization_sees_the_whole_image():
    image = torch.zeros(1, 2, 1, 1).expand(1, 2, 3000, 3000)
    assert tiles.takes_tiles(run_of([2, 3], 1).model, image)
    assert not tiles.takes_tiles(run_of([2, 3], 1, "group").model, image)
    assert not tiles.takes_tiles(run_of([2, 3], 1).model, image[..., :2048, :2048])


def test_a_large_image_is_measured_in_tiles(monkeypatch):
    """Alone, with the outputs of the whole: what evaluate and a training's validation measure."""
    network, seen = run_of([2, 3, 4], 3).model, []
    random = np.random.default_rng(0)
    images = torch.from_numpy(random.integers(0, 256, (2, 2, 150, 170), np.uint8))
    labels = torch.from_numpy(random.integers(0, 3, (2, 150, 170)).astype(np.uint8))
    data = ImageData(InMemory(images, labels), torch.arange(2), 255.0, 3)
    ((_, _, whole),) = blocks_through(network, data)
    monkeypatch.setattr(tiles, "CORE", 32)
    monkeypatch.setattr(tiles, "LARGEST_WHOLE", 100)
    network.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].shape[-2:]))
    parts = list(blocks_through(network, data))
    assert [len(inputs) for inputs, _, _ in parts] == [1, 1]
    np.testing.assert_allclose(torch.cat([outputs for _, _, outputs in parts]), whole, atol=1e-9)
    assert torch.equal(torch.cat([targets for _, targets, _ in parts]), labels.long())
    assert max(height for height, _ in seen) <= 32 + 2 * 10 * 4
    assert len(seen) > 20
