"""Every bundled config's network, exported in every format, is the same function elsewhere."""

from __future__ import annotations

import pytest

from nnintro.inference.export import export_run
from nnintro.inference.export_formats import FORMATS
from tests.conformance.test_configs import every_config
from tests.inference.conftest import assert_same, fresh, untrained


@every_config
@pytest.mark.parametrize("format", FORMATS)
def test_export(path, format, tmp_path):
    run = untrained(path, tmp_path)
    assert_same(run, format, export_run(run, format), fresh(run))
