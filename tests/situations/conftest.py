"""The desk at which the situations take place."""

from __future__ import annotations

import pytest

from tests.cli.conftest import command  # noqa: F401  a fixture
from tests.situations.desk import Desk


@pytest.fixture
def desk(command, tmp_path) -> Desk:  # noqa: F811
    """An empty folder, and the command line in it."""
    return Desk(tmp_path, command)
