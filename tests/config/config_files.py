"""Ways to load a config in the tests of this folder, and how its problems read."""

from __future__ import annotations

from pathlib import Path

from nnintro.config.load import Config, load_config
from nnintro.errors import ConfigError

MINIMAL = {"dataset": {"kind": "function", "formula": "x"}, "model": {"kind": "mlp"}}


def load_text(text: str, folder: Path, *overrides: str) -> Config:
    """The config that a file ``bad.yaml`` with this text holds."""
    path = folder / "bad.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    return load_config(path, overrides)


def complaints(config: dict | Path, *overrides: str) -> list[str]:
    """The lines that a config is refused with; none for a good one."""
    try:
        load_config(config, overrides)
    except ConfigError as error:
        return str(error).split("\n")
    return []
