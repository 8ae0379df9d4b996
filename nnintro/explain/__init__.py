"""One update of gradient descent with all its numbers, each with its formula, and a check against torch."""

from __future__ import annotations

from pathlib import Path

from nnintro.runs.folder import find_run

CONFIGS = (".yaml", ".yml")


def found(config_or_run: Path, runs_dir: str | Path) -> Path:
    """A config's path as it is, or the folder of a run; needs no torch.

    Args:
        config_or_run: a file, or whatever is called as a YAML file is; else a run, by its path or its name in
            ``runs_dir``.

    Raises:
        CheckpointError: there is no such run.
    """
    is_config = config_or_run.is_file() or config_or_run.suffix in CONFIGS
    return config_or_run if is_config else find_run(config_or_run, runs_dir)
