"""Every bundled config's network, exported in every format, is the same function elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nnintro.exports import FORMATS
from nnintro.exports.export import export
from nnintro.training.setup import build_data
from tests.conformance.test_configs import CONFIGS, ROOT
from tests.exports.conftest import assert_same, fresh, untrained
from tests.exports.test_export_unet import RUN

LARGE = "images/lecture.yaml"
"""31 million parameters: exported in one format, the others take their time for as many."""


NAMES = {str(path.relative_to(ROOT / "configs")): path for path in CONFIGS}


@pytest.mark.parametrize("name", sorted(NAMES.keys() - {LARGE}))
@pytest.mark.parametrize("format", FORMATS)
def test_export(name, format, tmp_path):
    run = untrained(NAMES[name], tmp_path)
    if run.setup.task.image is None:
        assert_same(run, format, export(run, format=format), fresh(run))
    else:
        assert_same_maps(run, format)


def test_the_lectures_network_is_exported_too(tmp_path):
    assert_same_maps(untrained(NAMES[LARGE], tmp_path), "safetensors")


def assert_same_maps(run, format):
    """On images of the data's own kind."""
    held = build_data(run.setup.experiment).validation.to(torch.device("cpu"), torch.float32)
    images, _ = held.rows(torch.arange(3))
    images = images.contiguous()
    with torch.no_grad():
        found, wanted = RUN[format](export(run, format=format), images), run.predict(images).numpy()
    assert (found.shape, found.dtype) == (wanted.shape, wanted.dtype)
    assert (np.abs(found - wanted) / np.maximum(1, np.abs(wanted))).max() < 1e-4
