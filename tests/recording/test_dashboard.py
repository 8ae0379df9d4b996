"""The TensorBoard of a folder, as far as it goes without a server (see tests/cli)."""

from __future__ import annotations

import pytest

from nnintro.cli.dashboard import dashboard
from nnintro.errors import CheckpointError


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(CheckpointError, match="nowhere: no such folder of runs; train something"):
        dashboard(tmp_path / "nowhere", None)


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match="no such folder of runs"):
        dashboard(tmp_path / "file", None)
