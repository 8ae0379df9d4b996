"""Generated images: cells, a sky, tumours; what their formulas promise, measured."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import ndimage, stats

from nnintro.config.datasets.images import ImagesDataset
from nnintro.datasets.images import build_images
from nnintro.datasets.images.made import GENERATORS, PIXELS_AT_A_TIME, chunks, sky
from nnintro.datasets.images.made.fields import blur, smooth_noise
from nnintro.objectives.segmentation import points_of


def stream(seed=0):
    return torch.Generator().manual_seed(seed)


def make(name, seed=0, **section):
    dataset = ImagesDataset(kind="images", generator=name, **section)
    return GENERATORS[name].make(dataset, stream(seed))


@pytest.mark.parametrize("name", GENERATORS)
def test_same_stream_same_bits_whatever_the_threads(name):
    before = torch.get_num_threads()
    made = []
    for count in (1, 2, 1):
        torch.set_num_threads(count)
        made.append(make(name, samples=20))
    torch.set_num_threads(before)
    for other in made[1:]:
        assert torch.equal(made[0].images, other.images)
        assert torch.equal(made[0].labels, other.labels)
    assert not torch.equal(made[0].images, make(name, seed=1, samples=20).images)


@pytest.mark.parametrize("name", GENERATORS)
@pytest.mark.parametrize("size", [None, [32, 32], [40, 100]])
def test_sizes_and_classes(name, size):
    dataset = ImagesDataset(kind="images", generator=name, samples=10, size=size)
    splits = build_images(dataset, stream(0), stream(1))
    height, width = size or (64, 64)
    inputs, targets = splits.train.rows(torch.arange(8))
    assert inputs.shape == targets.shape == (8, 1, height, width)
    assert set(targets.unique().tolist()) <= {0.0, 1.0}
    assert bool(inputs.isfinite().all())
    assert splits.facts["data"] == f"made up by the generator {name}"
    assert splits.found.task.image == (height, width)
    assert splits.found.task.has_points == (name == "sky")
    pixels = inputs.numpy()
    np.testing.assert_allclose(splits.standardization.mean, pixels.mean(), rtol=1e-10)
    np.testing.assert_allclose(splits.standardization.scale, pixels.std(), rtol=1e-10)
    assert float(splits.low) == pixels.min()
    assert float(splits.high) == pixels.max()


@pytest.mark.parametrize("name", ["cells", "tumour"])
def test_noise_is_in_units_of_the_usual(name):
    clean = make(name, samples=30, noise=0.0).images.double() / 255
    noisy = make(name, samples=30).images.double() / 255
    twice = make(name, samples=30, noise=2.0).images.double() / 255
    usual, double = (float((other - clean).std()) for other in (noisy, twice))
    assert 0.02 < usual < 0.1
    assert double == pytest.approx(2 * usual, rel=0.05)


def test_boundaries_are_dark_lines_between_cells_that_touch():
    made = make("cells", samples=50)
    share = made.labels.double().mean()
    assert 0.25 < float(share) < 0.45
    inside, boundary = (made.images[:, 0].double()[made.labels == value].mean() for value in (0, 1))
    assert boundary < 0.75 * inside
    for mask in made.labels:
        # A cell's area is about SPACING^2 less its boundary.
        _, cells = ndimage.label(mask.numpy() == 0)
        assert 10 <= cells <= 60
    # Lines, not patches: with two pixels taken off, next to nothing is left.
    thick = [ndimage.binary_erosion(mask.numpy(), iterations=2) for mask in made.labels]
    assert np.mean(thick) < 0.02


def test_a_mask_by_threshold_is_not_enough_for_cells():
    """Otherwise there would be nothing to learn."""
    made = make("cells", samples=50)
    image, mask = made.images[:, 0].numpy(), made.labels.numpy() > 0

    def iou(predicted):
        return (predicted & mask).sum() / (predicted | mask).sum()

    assert max(iou(image < level) for level in range(60, 180, 5)) < 0.75


def test_one_tumour_in_ten_is_none():
    made = make("tumour", samples=2000, size=[32, 32])
    empty = float((made.labels.flatten(1).amax(1) == 0).double().mean())
    assert empty == pytest.approx(0.1, abs=0.03)
    image, mask = (make("tumour", samples=200).images[:, 0].double() / 255, make("tumour", samples=200).labels)
    assert float(image[mask == 1].mean() - image[mask == 0].mean()) > 0.2


# --- sky -------------------------------------------------------------------------------------


def test_counts_are_whole_and_sources_are_apart():
    made = make("sky", samples=100)
    assert torch.equal(made.images, made.images.round())
    assert float(made.images.min()) >= 0
    counts = []
    for mask in made.labels:
        points = points_of(mask > 0)
        counts.append(len(points))
        distances = torch.cdist(points, points) + torch.eye(len(points)) * 100
        # Discs of few pixels: their centroids are within a pixel of the sources.
        assert float(distances.min()) > sky.APART - 1
        assert float(points.min()) > sky.APART - 1
        assert float(points.max()) < 63 - sky.APART + 1
    assert min(counts) >= sky.FEWEST
    assert max(counts) <= sky.MOST


def test_discs_are_the_pixels_near_a_source():
    places, there = sky.draw_places(20, 48, 64, stream())
    masks = sky.discs(places, there, 48, 64)
    y, x = np.mgrid[:48, :64]
    for image in range(20):
        expected = np.zeros((48, 64), bool)
        for (row, column), real in zip(places[image].tolist(), there[image].tolist(), strict=True):
            expected |= real & ((y - row) ** 2 + (x - column) ** 2 <= sky.MASK_RADIUS**2)
        np.testing.assert_array_equal(masks[image].numpy() > 0, expected)
        centroids = points_of(masks[image] > 0)
        sources = places[image][there[image]].double()
        assert float(torch.cdist(sources, centroids).amin(1).max()) < 0.75


def test_the_faintest_source_has_its_signal_to_noise():
    background = torch.full((50, 64, 64), 4.0)
    places, there = sky.draw_places(50, 64, 64, stream())
    fluxes = there * sky.draw_fluxes(background, places, 8.0, stream(1))
    wide = sky.add_sources(torch.zeros_like(background), places, fluxes)
    # All of a flux lands on the sky, and the aperture holds the part that the formula says.
    np.testing.assert_allclose(wide.sum((1, 2)), fluxes.sum(1), rtol=1e-3)
    part = stats.chi2(2).cdf((sky.APERTURE / sky.PSF) ** 2)  # of a Gaussian in two dimensions
    noise = math.sqrt(4.0 * math.pi * sky.APERTURE**2)
    ratios = (fluxes[there] * part / noise).numpy()
    assert ratios.min() == pytest.approx(8.0, rel=0.02)
    assert ratios.max() == pytest.approx(8.0 * sky.BRIGHTEST, rel=1e-3)
    # Twice as bright are half as many.
    assert (ratios > 16).mean() == pytest.approx(0.5, abs=0.08)


def test_a_source_is_the_gaussian_integrated_over_pixels():
    place = torch.tensor([[[20.3, 25.8]]])
    image = sky.add_sources(torch.zeros(1, 48, 48), place, torch.tensor([[1000.0]]))[0].numpy()
    edges = np.arange(49) - 0.5
    down, right = (np.diff(stats.norm(loc=centre, scale=sky.PSF).cdf(edges)) for centre in (20.3, 25.8))
    np.testing.assert_allclose(image, 1000 * np.outer(down, right), atol=1e-3)


def test_counts_are_poissons_about_the_expected():
    quiet, noisy = (make("sky", samples=200, noise=noise).images.double() for noise in (0.0, 1.0))
    pull = ((noisy - quiet) / quiet.sqrt()).numpy()
    assert pull.mean() == pytest.approx(0, abs=0.005)
    assert pull.var() == pytest.approx(1, abs=0.01)
    skew = ((noisy - quiet) ** 3).mean() / (quiet).mean()  # a Poisson's third moment is its mean
    assert float(skew) == pytest.approx(1, abs=0.15)
    twice = make("sky", samples=200, noise=2.0).images.double()
    torch.testing.assert_close(twice - quiet, 2 * (noisy - quiet), atol=1e-3, rtol=1e-4)


def test_the_sky_states_its_signal_to_noise():
    dataset = ImagesDataset(kind="images", generator="sky", samples=4, signal_to_noise=5.0)
    splits = build_images(dataset, stream(0), stream(1))
    assert splits.facts["signal_to_noise"] == 5.0
    assert splits.found.description["point_radius"] == 2.0
    assert splits.found.description["bits"] is None


# --- parts -----------------------------------------------------------------------------------


def test_points_are_centroids():
    mask = torch.zeros(20, 30, dtype=torch.bool)
    assert points_of(mask).shape == (0, 2)
    mask[2:5, 3:6] = True
    mask[10, 10] = mask[11, 11] = True  # connected over the corner
    mask[10, 20] = True
    torch.testing.assert_close(points_of(mask), torch.tensor([[3.0, 4.0], [10.5, 10.5], [10.0, 20.0]]).double())


def test_blur_is_scipys():
    images = torch.rand(2, 20, 30, generator=stream())
    expected = [ndimage.gaussian_filter(i.numpy(), 0.8, mode="mirror", radius=3) for i in images]
    np.testing.assert_allclose(blur(images, 0.8), expected, atol=1e-6)


def test_smooth_noise_is_normal_and_smooth():
    field = smooth_noise(500, 40, 60, 8.0, stream())
    assert field.shape == (500, 40, 60)
    assert float(field.mean()) == pytest.approx(0, abs=0.02)
    assert float(field.std()) == pytest.approx(1, abs=0.1)
    assert float((field[:, :, 1:] - field[:, :, :-1]).std()) < 0.3


def test_chunks_add_up():
    assert sum(chunks(1000, 64, 64)) == 1000
    assert max(chunks(1000, 64, 64)) * 64 * 64 <= PIXELS_AT_A_TIME
    assert chunks(3, 8192, 8192) == [1, 1, 1]
