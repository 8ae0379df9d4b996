"""Folders that cannot be used: one error each, in one line, that begins with the file."""

from __future__ import annotations

import threading

import pytest
import torch

from nnintro.config.datasets.images import ImagesDataset
from nnintro.datasets.images import build_images
from nnintro.errors import ConfigError, DataError
from tests.datasets.bad_images import BAD, good_folder


def build(folder, **section):
    dataset = ImagesDataset(kind="images", path=str(folder), **section)
    return build_images(dataset, torch.Generator().manual_seed(0), torch.Generator().manual_seed(1))


def test_there_are_many():
    assert len(BAD) >= 45


def test_the_folder_they_start_from_is_good(tmp_path):
    splits = build(good_folder(tmp_path / "cells"))
    assert (len(splits.train), len(splits.validation)) == (3, 1)


@pytest.mark.parametrize("name", BAD)
def test_one_located_error(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    bad = BAD[name]
    bad.make(good_folder(tmp_path / "cells"))
    with pytest.raises(DataError) as caught:
        build("cells", **bad.section)
    message = str(caught.value)
    assert message.count("\n") == 0
    assert "Traceback" not in message
    where = f"cells/{bad.place}".rstrip("/")
    assert name == "a name of two lines" or message.startswith(f"{where}: ")
    assert bad.says in message
    assert not [t for t in threading.enumerate() if t.name.startswith("images")]


def test_names_that_do_not_count_are_an_error_of_the_config(tmp_path):
    folder = good_folder(tmp_path / "cells")
    with pytest.raises(ConfigError) as caught:
        build(folder, classes=["a", "b", "c"])
    assert str(caught.value) == ("dataset.classes: expected 2 names, one for each value of the masks (0, 255), got 3")
