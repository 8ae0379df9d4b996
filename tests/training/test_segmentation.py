"""Metrics of maps and points against scikit-learn, scipy and counting by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.ndimage
import sklearn.metrics
import torch
from torch import nn

from nnintro.config.task import Task
from nnintro.objectives import segmentation as metrics
from nnintro.objectives.losses import loss_for
from nnintro.training.evaluation import SegmentationEvaluator

SIZE = (9, 11)
MASK = Task("segmentation", 1, 1, ("no", "yes"), image=SIZE, has_points=True)
MASKS = Task("segmentation", 3, 3, ("a", "b", "c"), image=SIZE)


class Kept:
    """Images in memory; ``largest`` is the largest block that was asked for."""

    def __init__(self, inputs, targets):
        self.inputs, self.targets, self.largest = inputs, targets, 0

    def __len__(self):
        return len(self.inputs)

    def blocks(self, size):
        for start in range(0, len(self), size):
            rows = slice(start, start + size)
            self.largest = max(self.largest, len(self.inputs[rows]))
            yield self.inputs[rows], self.targets[rows]


class Scaled(nn.Module):
    """The inputs as logits."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones((), dtype=torch.float64))

    def forward(self, x):
        return self.scale * x


def drawn(task, n=7, seed=0):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(n, task.outputs, *SIZE, dtype=torch.float64, generator=generator)
    if task.outputs == 1:
        return Kept(logits, (torch.rand(n, 1, *SIZE, generator=generator) > 0.7).double())
    return Kept(logits, torch.randint(3, (n, *SIZE), generator=generator))


def evaluator(task, data, **settings):
    given = {"threshold": 0.5, "point_radius": None, **settings}
    return SegmentationEvaluator(Scaled(), loss_for("bce+dice", task), task, validation=data, **given)


class TestOverlaps:
    @pytest.mark.parametrize("threshold", [0.3, 0.5, 0.8])
    def test_of_two_classes(self, threshold):
        data = drawn(MASK)
        found = evaluator(MASK, data, threshold=threshold).validate()
        y = data.targets.flatten().numpy() > 0.5
        p = 1 / (1 + np.exp(-data.inputs.flatten().numpy())) >= threshold
        assert found["iou"] == pytest.approx(sklearn.metrics.jaccard_score(y, p))
        assert found["dice"] == pytest.approx(sklearn.metrics.f1_score(y, p))
        assert found["pixel_accuracy"] == pytest.approx(sklearn.metrics.accuracy_score(y, p))

    def test_of_three_classes(self):
        data = drawn(MASKS)
        measured = evaluator(MASKS, data)
        found = measured.validate()
        y, p = data.targets.flatten().numpy(), data.inputs.argmax(1).flatten().numpy()
        assert found["iou"] == pytest.approx(sklearn.metrics.jaccard_score(y, p, average="macro"))
        assert found["dice"] == pytest.approx(sklearn.metrics.f1_score(y, p, average="macro"))
        assert found["pixel_accuracy"] == pytest.approx(sklearn.metrics.accuracy_score(y, p))
        wanted = sklearn.metrics.confusion_matrix(y, p)
        assert measured.confusion.tolist() == wanted.tolist()

    def test_a_class_that_never_occurs_is_left_out(self):
        counts = torch.tensor([[3, 1, 0], [0, 2, 0], [0, 0, 0]])
        assert metrics.overlaps(counts)["iou"] == pytest.approx((3 / 4 + 2 / 3) / 2)

    def test_nothing_there_and_nothing_found(self):
        found = metrics.overlaps(torch.tensor([[9, 0], [0, 0]]))
        assert found == {"iou": 1.0, "dice": 1.0, "pixel_accuracy": 1.0}

    def test_nothing_there_and_something_found(self):
        found = metrics.overlaps(torch.tensor([[8, 1], [0, 0]]))
        assert found == {"iou": 0.0, "dice": 0.0, "pixel_accuracy": pytest.approx(8 / 9)}


def boundary_by_distance(true, predicted):
    """By scipy's erosion and distance transform."""

    def edge(mask):
        return mask & ~scipy.ndimage.binary_erosion(mask, border_value=1)

    ours, theirs = edge(predicted), edge(true)
    if not ours.any() and not theirs.any():
        return 1.0
    if not ours.any() or not theirs.any():
        return 0.0
    precision = (scipy.ndimage.distance_transform_edt(~theirs)[ours] <= 2).mean()
    recall = (scipy.ndimage.distance_transform_edt(~ours)[theirs] <= 2).mean()
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


class TestBoundary:
    def test_is_scipys(self):
        generator = np.random.default_rng(0)
        smooth = scipy.ndimage.gaussian_filter(generator.normal(size=(2, 40, 24, 31)), (0, 0, 2, 2))
        true, predicted = smooth > 0.05
        found = metrics.boundary_f1(torch.tensor(true), torch.tensor(predicted)).numpy()
        wanted = [boundary_by_distance(t, p) for t, p in zip(true, predicted, strict=True)]
        np.testing.assert_allclose(found, wanted, atol=1e-12)
        assert 0.05 < found.min() < found.max() < 1

    def test_of_what_is_not_there(self):
        empty, full = torch.zeros(1, 9, 9, dtype=torch.bool), torch.ones(1, 9, 9, dtype=torch.bool)
        spot = empty.clone()
        spot[0, 4, 4] = True
        assert metrics.boundary_f1(empty, empty).tolist() == [1.0]
        assert metrics.boundary_f1(full, full).tolist() == [1.0]
        assert metrics.boundary_f1(spot, empty).tolist() == [0.0]
        assert metrics.boundary_f1(empty, spot).tolist() == [0.0]

    @pytest.mark.parametrize(
        ("down", "right", "score"), [(0, 2, 1.0), (2, 0, 1.0), (1, 1, 1.0), (2, 1, 0.0), (0, 3, 0.0)]
    )
    def test_the_tolerance_is_two_pixels_as_the_crow_flies(self, down, right, score):
        true, predicted = torch.zeros(2, 1, 9, 9, dtype=torch.bool)
        true[0, 4, 4] = predicted[0, 4 + down, 4 + right] = True
        assert metrics.boundary_f1(true, predicted).tolist() == [score]

    def test_is_the_mean_over_images_and_classes(self):
        data = drawn(MASKS)
        true, predicted = data.targets.numpy(), data.inputs.argmax(1).numpy()
        predicted[0][predicted[0] == 2] = 1
        true[0][true[0] == 2] = 0
        scores = [
            np.mean([boundary_by_distance(t == k, p == k) for k in np.union1d(t, p)])
            for t, p in zip(true, predicted, strict=True)
        ]
        found = metrics.boundary_scores(torch.tensor(true), torch.tensor(predicted), 3)
        np.testing.assert_allclose(found.numpy(), scores)
        found = evaluator(MASKS, data, block=3).validate()["boundary_f1"]
        whole = metrics.boundary_scores(data.targets, data.inputs.argmax(1), 3)
        assert found == pytest.approx(float(whole.mean()))


def bumps(points, size=(40, 50), width=1.3, height=0.9):
    rows, columns = torch.meshgrid(*(torch.arange(n, dtype=torch.float64) for n in size), indexing="ij")
    each = [height * torch.exp(-((rows - r) ** 2 + (columns - c) ** 2) / (2 * width**2)) for r, c in points]
    return torch.stack(each).amax(0)


class TestPeaks:
    def test_are_found_between_pixels(self):
        wanted = torch.tensor([[5.3, 7.8], [20.0, 30.0], [33.6, 11.1], [0.0, 49.0]]).double()
        found = metrics.peaks(bumps(wanted.tolist()), 0.5, 3)
        assert found.shape == (4, 2)
        assert float(torch.cdist(wanted, found).amin(1).amax()) < 0.7  # one lies on the edge
        inner = torch.cdist(wanted[:3], found).amin(1)
        assert float(inner.max()) < 0.3

    def test_of_a_symmetric_bump_to_the_bits(self):
        assert metrics.peaks(bumps([(20, 30)]), 0.5, 3).tolist() == [pytest.approx([20.0, 30.0])]

    def test_below_the_threshold_there_is_none(self):
        assert metrics.peaks(bumps([(20, 30)], height=0.4), 0.5, 3).shape == (0, 2)

    def test_the_lower_of_two_near_ones_is_dropped(self):
        both = torch.maximum(bumps([(20, 30)], width=0.7), bumps([(20, 34)], width=0.7, height=0.7))
        assert len(metrics.peaks(both, 0.5, 5)) == 1
        assert metrics.peaks(both, 0.5, 5)[0].tolist() == pytest.approx([20, 30], abs=0.1)
        assert len(metrics.peaks(both, 0.5, 4)) == 2

    def test_a_plateau_is_one_peak_in_its_middle(self):
        flat = torch.zeros(20, 20)
        flat[5:10, 8:13] = 1.0
        assert metrics.peaks(flat, 0.5, 3).tolist() == [[7.0, 10.0]]

    def test_what_is_no_number_is_no_peak(self):
        assert len(metrics.peaks(torch.full((5, 5), float("nan")), 0.5, 2)) == 0


class TestPoints:
    def test_are_centroids_of_8_connected_parts(self):
        mask = torch.zeros(8, 9, dtype=torch.bool)
        mask[0, 0] = mask[1, 1] = True  # touch at a corner
        mask[4:7, 3:6] = True
        assert metrics.points_of(mask).tolist() == [[0.5, 0.5], [5.0, 4.0]]
        assert metrics.points_of(torch.zeros(3, 3, dtype=torch.bool)).shape == (0, 2)

    def test_matching_is_the_largest_there_is(self):
        for seed in range(30):
            generator = torch.Generator().manual_seed(seed)
            found = 6 * torch.rand(4, 2, generator=generator)
            true = 6 * torch.rand(5, 2, generator=generator)
            near = torch.cdist(found, true) <= 2
            wanted = max(
                sum(bool(near[i, j]) for i, j in enumerate(columns)) for columns in itertools.permutations(range(5), 4)
            )
            assert metrics.match_points(found, true, 2.0) == wanted

    def test_a_greedy_matching_would_miss_one(self):
        found = torch.tensor([[0.0, 0.0], [0.0, 1.0]])
        true = torch.tensor([[0.0, 0.9], [0.0, 2.9]])
        assert metrics.match_points(found, true, 1.95) == 2

    def test_without_points(self):
        none, one = torch.zeros(0, 2), torch.zeros(1, 2)
        assert metrics.match_points(none, one, 1) == metrics.match_points(one, none, 1) == 0
        assert metrics.precision_recall(0, 0, 0) == {"precision": 1.0, "recall": 1.0}
        assert metrics.precision_recall(0, 0, 3) == {"precision": 0.0, "recall": 0.0}
        assert metrics.precision_recall(0, 3, 0) == {"precision": 0.0, "recall": 1.0}
        assert metrics.precision_recall(2, 4, 8) == {"precision": 0.5, "recall": 0.25}

    def test_precision_and_recall_of_the_whole_set(self):
        masks = torch.zeros(2, 1, 40, 50, dtype=torch.float64)
        masks[0, 0, 10, 10] = masks[0, 0, 30, 20] = masks[1, 0, 5, 5] = 1
        maps = torch.stack([bumps([(11, 11), (30, 40)]), bumps([(5, 6)])])[:, None]
        data = Kept(torch.logit(maps, eps=1e-9), masks)
        found = evaluator(MASK, data, point_radius=2.0, block=1).validate()
        assert found["precision"] == pytest.approx(2 / 3)
        assert found["recall"] == pytest.approx(2 / 3)


class TestEvaluator:
    @pytest.mark.parametrize("task", [MASK, MASKS], ids=["one", "three"])
    def test_blocks_change_nothing(self, task):
        data = drawn(task)
        radius = 2.0 if task.has_points else None
        whole = evaluator(task, data, block=100, point_radius=radius).measure(data)
        for block in (1, 3, 7):
            measured = evaluator(task, data, block=block, point_radius=radius)
            data.largest = 0
            assert measured.measure(data) == pytest.approx(whole, rel=1e-12)
            assert data.largest == block
        assert tuple(whole)[1:] == task.validation_tags("bce+dice")
        assert whole["train/loss"] == whole["validation/loss"]
        wanted = loss_for("bce+dice", task)(data.inputs, data.targets)
        assert whole["train/loss"] == pytest.approx(float(wanted))

    def test_leaves_no_trace(self):
        data = drawn(MASK)
        measured = evaluator(MASK, data)
        measured.network.train()
        measured.measure(data)
        assert measured.network.training
        assert measured.network.scale.grad is None

    def test_perfect(self):
        data = drawn(MASKS)
        exact = nn.functional.one_hot(data.targets, 3).permute(0, 3, 1, 2).double()
        found = evaluator(MASKS, Kept(100 * exact, data.targets)).validate()
        assert found.pop("loss") == pytest.approx(0, abs=1e-9)
        assert found == {"iou": 1, "dice": 1, "pixel_accuracy": 1, "boundary_f1": 1}


def test_a_saturated_map_is_walked_once():
    """Every pixel is as high as its neighbours; pair by pair 512 x 512 would take minutes."""
    assert len(metrics.peaks(torch.ones(512, 512), 0.5, 2.0)) > 512 * 512 / 16
    found = metrics.peaks(torch.ones(40, 40), 0.5, 3.0)
    distance = torch.cdist(found, found) + 1e9 * torch.eye(len(found))
    assert float(distance.min()) >= 2
