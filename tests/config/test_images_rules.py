"""What keys of a dataset of images do not go together."""

from __future__ import annotations

import pytest

from nnintro.config.datasets.images import ImagesDataset


def complaints(**keys):
    dataset = ImagesDataset(kind="images", **keys)
    return [(c.path, c.message) for rule in ImagesDataset.rules for c in rule.check(dataset)]


@pytest.mark.parametrize(
    "keys",
    [
        {"path": "cells"},
        {"path": "cells", "fit": "crop", "size": [64, 64], "channels": "gray"},
        {"path": "cells", "classes": ["a", "b", "c"], "noise": 1.0, "signal_to_noise": 8.0},
        {"path": "cells", "classes": ["a", "b"], "point_radius": 3.0},
        {"generator": "sky", "signal_to_noise": 5.0, "noise": 2.0, "point_radius": 1.0},
        {"generator": "cells", "classes": ["in", "out"], "fit": "resize", "channels": "auto"},
        {"generator": "tumour", "size": [32, 500], "samples": 10},
    ],
)
def test_nothing_to_say(keys):
    assert complaints(**keys) == []


@pytest.mark.parametrize(
    ("keys", "path", "says"),
    [
        ({}, "dataset", "expected a path (a folder with images/ and masks/) or a generator"),
        ({"path": "a", "generator": "sky"}, "dataset.generator", "not both"),
        ({"path": "a", "noise": 2.0}, "dataset.noise", "a generator only; expected 1.0, got 2.0"),
        ({"path": "a", "signal_to_noise": 2.0}, "dataset.signal_to_noise", "a generator only"),
        ({"generator": "cells", "fit": "crop"}, "dataset.fit", "expected 'resize', got 'crop'"),
        ({"generator": "sky", "channels": "rgb"}, "dataset.channels", "a path only"),
        ({"generator": "cells", "signal_to_noise": 2.0}, "dataset.signal_to_noise", "sky, not"),
        ({"generator": "sky", "classes": ["a", "b", "c"]}, "dataset.classes", "2 names, got 3"),
        ({"path": "a", "classes": list("abc"), "point_radius": 1.0}, "dataset.point_radius", "3"),
        ({"path": "a", "classes": ["a", "b", "a"]}, "dataset.classes", "'a' twice"),
        ({"generator": "sky", "size": [16, 64]}, "dataset.size", "at least 32 pixels"),
        (
            {"generator": "sky", "size": [512, 512], "samples": 1000},
            "dataset.memory",
            "1,000 images of 512 x 512 are made in memory; expected at least 1,250 (MiB), got 1024",
        ),
    ],
)
def test_one_complaint(keys, path, says):
    ((where, message),) = complaints(**keys)
    assert where == path
    assert says in message
