"""``sweep --map KEY1 KEY2``: the sweep as a grid over two of its keys, fine enough for a picture."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from nnintro.config.load import Config
from nnintro.config.sweep import Range, Sweep
from nnintro.errors import UsageError
from nnintro.wording import choice, listing

POINTS = 32
"""Of a range that does not say how many: 32 x 32 are about a thousand trainings."""


def as_map(config: Config, keys: tuple[str, str]) -> Config:
    """The config with its sweep made a grid over two of its keys.

    Raises:
        UsageError: a key is not one of the sweep's, both are the same, or the sampler is not grid.
    """
    sweep = config.experiment.sweep
    if sweep is None:
        raise UsageError(f"--map: the config has no sweep section; give both ranges: --over {keys[0]}=... --over ...")
    for key in keys:
        if key not in sweep.over:
            raise UsageError(f"--map: {choice(key, list(sweep.over))}; or give it values: --over {key}=...")
    if keys[0] == keys[1]:
        raise UsageError(f"--map: expected two keys, got {keys[0]} twice")
    if sweep.sampler not in (None, "grid"):
        raise UsageError(f"--map is a grid; expected --sampler grid, got {sweep.sampler}")
    others = [key for key in sweep.over if key not in keys]
    if others:
        raise UsageError(
            f"--map takes two keys, and the sweep is also over {listing(others)}: "
            "give the two alone with --over, and the others one value each with --set"
        )
    update: dict[str, Any] = {"over": {key: _fine(sweep.over[key]) for key in keys}, "sampler": "grid", "trials": None}
    changed = sweep.model_copy(update=update)
    assert isinstance(changed, Sweep)
    return replace(config, experiment=config.experiment.model_copy(update={"sweep": changed}))


def _fine(values: Any) -> Any:
    is_open = isinstance(values, Range) and "points" not in values.model_fields_set
    return values.model_copy(update={"points": POINTS}) if is_open else values
