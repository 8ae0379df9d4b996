"""Rows of images in training: augmented in step and purely, from memory and from disk alike."""

from __future__ import annotations

import gc
import threading
import time
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from nnintro.config.datasets.images import ImagesDataset
from nnintro.datasets.images import build_images
from nnintro.datasets.images.augmentation import moved, moves
from nnintro.datasets.images.data import ImageData
from nnintro.datasets.images.store import InMemory, OnDisk
from nnintro.errors import DataError
from tests.support import PATIENCE

CPU = torch.device("cpu")
ALL = ("flip", "rotate", "crop")
SUBSETS = [(), ("flip",), ("rotate",), ("crop",), ("flip", "rotate"), ALL]


@dataclass
class Span:
    start: int
    stop: int


def in_memory(n=12, height=16, width=16, augmentation=ALL, classes=2, kind=torch.uint8):
    """Images that are equal to their masks."""
    random = torch.Generator().manual_seed(0)
    labels = torch.randint(classes, (n, height, width), generator=random, dtype=torch.uint8)
    store = InMemory(labels[:, None].to(kind), labels)
    return ImageData(store, torch.arange(n), 1.0, classes, augmentation, CPU, torch.float64)


def shuffled(n):
    return lambda epoch: torch.randperm(n, generator=torch.Generator().manual_seed(epoch))


def epoch_of(batches, epoch, n, block):
    parts = [batches.rows(epoch, Span(k, min(k + block, n))) for k in range(0, n, block)]
    return [torch.cat(part) for part in zip(*parts, strict=True)]


@pytest.mark.parametrize("augmentation", SUBSETS)
@pytest.mark.parametrize("size", [(16, 16), (16, 24)])
@pytest.mark.parametrize("kind", [torch.uint8, torch.uint16, torch.float32])
def test_image_and_mask_move_in_step(augmentation, size, kind):
    data = in_memory(40, *size, augmentation, kind=kind)
    inputs, targets = epoch_of(data.batches(lambda _: None, 8, lambda e: e), 3, 40, 8)
    assert torch.equal(inputs, targets)
    as_they_are, _ = data.rows(torch.arange(40))
    assert torch.equal(inputs, as_they_are) == (augmentation == ())


def by_hand(image, down, right, mirrored, quarters):
    """The same with numpy: reflected beyond the border, cut, mirrored, turned."""
    height, width = image.shape
    wide = np.pad(image, ((height, height), (width, width)), mode="reflect")
    frame = wide[height + down : 2 * height + down, width + right : 2 * width + right]
    return np.rot90(frame[:, ::-1] if mirrored else frame, quarters)


@pytest.mark.parametrize("augmentation", SUBSETS)
@pytest.mark.parametrize("size", [(16, 16), (17, 17), (16, 24), (9, 8)])
def test_moves_are_those_done_by_hand(augmentation, size):
    images = torch.arange(30 * size[0] * size[1]).view(30, 1, *size)
    to = moves(augmentation, 5, torch.arange(30), *size)
    results = moved(images, to)
    for number in range(30):
        how = [int(part[number]) for part in (to.down, to.right, to.mirrored, to.quarters)]
        np.testing.assert_array_equal(results[number, 0], by_hand(images[number, 0].numpy(), *how))


def test_every_move_happens_about_equally_often():
    to = moves(ALL, 11, torch.arange(20_000), 32, 32)
    for part, values in ((to.down, 9), (to.right, 9), (to.mirrored, 2), (to.quarters, 4)):
        counts = torch.bincount(part.long() - part.long().min(), minlength=values).numpy()
        assert len(counts) == values
        np.testing.assert_allclose(counts / 20_000, 1 / values, atol=0.02)
    assert (int(to.down.min()), int(to.down.max())) == (-4, 4)
    # Independent of each other, and of the next row's.
    pairs = np.corrcoef([to.down, to.right, to.mirrored, to.quarters, to.down.roll(1)])
    assert np.abs(pairs - np.eye(5)).max() < 0.03
    assert set(moves(ALL, 11, torch.arange(500), 32, 40).quarters.tolist()) == {0, 2}


@given(seed=st.integers(0, 2**63 - 1), block=st.integers(1, 13), rows=st.permutations(range(12)))
def test_augmentation_is_a_function_of_seed_and_row(seed, block, rows):
    data = in_memory()
    batches = data.batches(lambda _: torch.tensor(rows), block, lambda _: seed)
    inputs, _ = epoch_of(batches, 0, 12, block)
    for place, row in ((0, rows[0]), (11, rows[11])):
        alone = data.batches(lambda _: None, 1, lambda _: seed).rows(0, Span(row, row + 1))[0]
        assert torch.equal(inputs[place], alone[0])


def test_every_epoch_is_augmented_anew():
    batches = in_memory().batches(lambda _: None, 12, lambda epoch: 1000 + epoch)
    first, again, second = (batches.rows(epoch, Span(0, 12))[0] for epoch in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, second)


def test_evaluation_sees_images_as_they_are_in_order():
    data = in_memory(classes=3)
    inputs, targets = (torch.cat(part) for part in zip(*data.blocks(5), strict=True))
    assert torch.equal(inputs[:, 0], data.store.labels.double())
    assert torch.equal(targets, data.store.labels.long())
    assert [len(part[0]) for part in data.blocks(5)] == [5, 5, 2]


# --- from disk -------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    random = np.random.default_rng(0)
    for part in ("images", "masks"):
        (tmp_path / part).mkdir()
    for number in range(20):
        image = random.integers(0, 65536, (16, 16), dtype=np.uint16)
        Image.fromarray(image).save(tmp_path / "images" / f"{number:02}.png")
        Image.fromarray((image > 30_000).astype(np.uint8) * 9).save(tmp_path / "masks" / f"{number:02}.png")
    return tmp_path


BYTES = 16 * 16 * 3
MIB = 1 << 20


def build(folder, rows_in_memory=20, **section):
    dataset = ImagesDataset(
        kind="images",
        path=str(folder),
        augmentation=list(ALL),
        memory=max(0.5, rows_in_memory) * BYTES / MIB,
        **section,
    )
    return build_images(dataset, torch.Generator().manual_seed(0), torch.Generator().manual_seed(1))


def threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("images")]


def ended():
    """Whether no thread of ours is left, at once or after a while."""
    limit = time.monotonic() + PATIENCE
    while threads() and time.monotonic() < limit:
        time.sleep(0.01)
    return not threads()


@pytest.mark.parametrize("kept", [0, 7])
@pytest.mark.parametrize("block", [1, 3, 16, 40])
def test_from_disk_as_from_memory_bit_for_bit(folder, kept, block):
    near, far = build(folder), build(folder, kept)
    assert isinstance(near.train.store, InMemory)
    assert isinstance(far.train.store, OnDisk)
    assert len(far.train.store.kept) == kept
    assert near.found == far.found
    assert torch.equal(near.standardization.mean, far.standardization.mean)
    loops = [splits.train.to(CPU, torch.float32).batches(shuffled(16), block, lambda e: e) for splits in (near, far)]
    for epoch in range(3):
        for one, other in zip(*(epoch_of(b, epoch, 16, block) for b in loops), strict=True):
            assert torch.equal(one, other)
    loops[1].close()
    for one, other in zip(near.validation.blocks(3), far.validation.blocks(3), strict=True):
        assert torch.equal(one[0], other[0])
        assert torch.equal(one[1], other[1])
    rows = torch.tensor([3, 3, 0])
    assert torch.equal(near.train.rows(rows)[0], far.train.rows(rows)[0])
    assert not threads()


def test_a_resumed_run_begins_in_the_middle(folder):
    data = build(folder, 0).train
    whole = data.batches(shuffled(16), 4, lambda e: e)
    expected = [epoch_of(whole, epoch, 16, 4)[0] for epoch in range(2)]
    resumed = data.batches(shuffled(16), 4, lambda e: e)
    assert torch.equal(resumed.rows(1, Span(8, 12))[0], expected[1][8:12])
    assert torch.equal(resumed.rows(0, Span(2, 5))[0], expected[0][2:5])
    whole.close()
    resumed.close()


def test_dropping_it_ends_its_threads(folder):
    batches = build(folder, 0).train.batches(shuffled(16), 4, lambda e: e)
    batches.rows(0, Span(0, 4))
    assert threads()
    del batches
    gc.collect()
    assert ended()


def test_an_evaluation_given_up_ends_its_threads(folder):
    blocks = build(folder, 0).train.blocks(4)
    next(blocks)
    assert threads()
    blocks.close()
    assert not threads()


def test_no_more_is_read_ahead_than_another_block(folder, monkeypatch):
    data = build(folder, 0).train
    read, original = [], OnDisk.read

    def counting(self, row):
        read.append(row)
        return original(self, row)

    monkeypatch.setattr(OnDisk, "read", counting)
    batches = data.batches(lambda _: None, 4, lambda e: e)
    batches.rows(0, Span(0, 4))
    batches.close()
    assert len(read) <= 8
    assert len(set(read)) == len(read)


@pytest.mark.parametrize("harm", ["gone", "damaged", "another value", "another size"])
def test_a_file_that_changes_meanwhile_is_an_error_at_its_row(folder, harm):
    data = build(folder, 0).train
    bad = 9
    number = int(data.numbers[bad])
    image, mask = (folder / part / f"{number:02}.png" for part in ("images", "masks"))
    if harm == "gone":
        image.unlink()
    elif harm == "damaged":
        image.write_bytes(image.read_bytes()[:100])
    elif harm == "another value":
        Image.fromarray(np.full((16, 16), 5, np.uint8)).save(mask)
    else:
        Image.fromarray(np.zeros((8, 8), np.uint8)).save(mask)
    batches = data.batches(lambda _: None, 4, lambda e: e)
    batches.rows(0, Span(0, 4))
    batches.rows(0, Span(4, 8))  # row 9 is being read already, and is not asked for yet
    with pytest.raises(DataError) as caught:
        batches.rows(0, Span(8, 12))
    where = image if harm in ("gone", "damaged") else mask
    assert str(caught.value).startswith(f"{where}: ")
    assert "\n" not in str(caught.value)
    batches.rows(0, Span(12, 16))
    batches.close()
