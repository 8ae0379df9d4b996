"""Explanations of small configs, as the command prints them in JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from nnintro.explain.explain import Explanation, explain
from tests.support import config


@pytest.fixture
def explained(tmp_path) -> Callable[..., Explanation]:
    """``explained(loss="mae", updates=2)``: of a small config (see ``tests.support``) before its training."""

    def run(*, sample: int | None = None, updates: int = 1, **sections: Any) -> Explanation:
        path = tmp_path / "small.yaml"
        path.write_text(yaml.safe_dump(config(**sections), sort_keys=False), encoding="utf-8")
        return explain(path, sample=sample, updates=updates)

    return run
