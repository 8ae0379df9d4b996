"""Whether two versions of nnintro compute the same bits: SHA-256 of what trainings leave behind.

``python -m tests.conformance.witness record FILE`` trains every config of configs/ with
``--smoke`` and some of them in full, each with both engines of the CPU, and writes the digests to
FILE; ``compare FILE`` does it again, names whatever differs, and exits with 1 if anything does.
Record before a change that must not change numbers, compare after it, on the same machine: the
bits are those of one processor.  It takes several minutes; ``--only TEXT`` keeps to the cases
whose name contains TEXT.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import nnintro

ROOT = Path(__file__).parents[2]
ENGINES = ("autograd", "fused")
TIMES = ("seconds", "speed/steps_per_second")

FULL: dict[str, tuple[str, tuple[str, ...]]] = {
    "target": ("target.yaml", ()),
    "batch in blocks of 7": ("descent/batch.yaml", ("descent.batch_size=7",)),
    "dropout and early stopping": (
        "classification/moons.yaml",
        ("model.dropout=0.1", "training.early_stopping={patience: 5}", "dataset.noise=0.3"),
    ),
    "early stopping": ("classification/moons.yaml", ("training.early_stopping={patience: 5}", "dataset.noise=0.3")),
    "a table": ("tables/solubility.yaml", ()),
    "cells, shortened": ("images/cells.yaml", ("training.epochs=1", "dataset.samples=48")),
    "a start from steps": ("steps/handover.yaml", ("training.steps=1000",)),
}
"""Name -> a config and what is changed of it."""

CONSTRUCTIONS = {
    "construct 0.05": ("steps/construct.yaml", ("--error", "0.05")),
    "construct 11 neurons": ("steps/construct.yaml", ("--neurons", "11")),
    "construct two inputs": ("steps/two_inputs.yaml", ("--error", "0.2")),
}


@dataclass(frozen=True)
class Case:
    """One training (or construction) that is looked at."""

    name: str
    config: Path
    overrides: tuple[str, ...] = ()
    engine: str | None = None
    """None for a construction, which ``nnintro construct`` makes."""
    smoke: bool = False


def cases() -> Iterator[Case]:
    """Every config with ``--smoke``, those of FULL, and the constructions."""
    for config in sorted((ROOT / "configs").rglob("*.yaml")):
        name = str(config.relative_to(ROOT / "configs"))
        for engine in ENGINES:
            yield Case(f"{name} --smoke, {engine}", config, engine=engine, smoke=True)
    for name, (config, overrides) in FULL.items():
        for engine in ENGINES:
            yield Case(f"{name}, {engine}", ROOT / "configs" / config, overrides, engine)
    for name, (config, options) in CONSTRUCTIONS.items():
        yield Case(name, ROOT / "configs" / config, options)


def digests(case: Case, runs_dir: Path) -> dict[str, str]:
    """File or part of a run -> SHA-256; an engine that does not serve the config is refused."""
    if case.engine is None:
        return of_run(_construct(case, runs_dir))
    overrides = (*case.overrides, f"training.engine={case.engine}", "logging.figures=off")
    try:
        run = nnintro.train(case.config, overrides, runs_dir, smoke=case.smoke)
    except nnintro.ConfigError as error:
        if [problem.path for problem in error.problems] != ["training.engine"]:
            raise
        return {"refused": "training.engine"}
    return of_run(run.directory)


def _construct(case: Case, runs_dir: Path) -> Path:
    command = ["-m", "nnintro", "construct", str(case.config), "--runs-dir", str(runs_dir), "-q"]
    subprocess.run([sys.executable, *command, *case.overrides], check=True)
    (directory,) = runs_dir.iterdir()
    return directory


def of_run(directory: Path) -> dict[str, str]:
    """Parameters, history.csv without its times, and the files whose every byte is decided."""
    state = nnintro.load(directory).model.state_dict()
    found = hashlib.sha256()
    for name, tensor in state.items():
        found.update(f"{name} {tensor.dtype} {tuple(tensor.shape)};".encode())
        found.update(tensor.contiguous().numpy().tobytes())
    parts = {"parameters": found.hexdigest(), "history.csv": _history(directory / "history.csv")}
    for name in ("data.json", "certificate.json"):
        path = directory / name
        parts[name] = hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else "none"
    return parts


def _history(path: Path) -> str:
    if not path.exists():
        return "none"
    with path.open(newline="", encoding="utf-8") as file:
        heading, *rows = csv.reader(file)
    kept = [index for index, name in enumerate(heading) if name not in TIMES]
    lines = [",".join(row[index] for index in kept) for row in (heading, *rows)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def record(only: str) -> dict[str, dict[str, str]]:
    """Name of a case -> its digests."""
    result = {}
    for case in cases():
        if only not in case.name:
            continue
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result[case.name] = digests(case, Path(folder))
        print(case.name, file=sys.stderr, flush=True)
    return result


def differences(before: dict[str, dict[str, str]], after: dict[str, dict[str, str]]) -> list[str]:
    """A line for each part that is not the same."""
    lines = []
    for name in sorted(before.keys() | after.keys()):
        one, other = before.get(name, {}), after.get(name, {})
        lines += [
            f"{name}: {part} {one.get(part, 'missing')[:9]} became {other.get(part, 'missing')[:9]}"
            for part in sorted(one.keys() | other.keys())
            if one.get(part) != other.get(part)
        ]
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Record or compare; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.witness")
    parser.add_argument("action", choices=["record", "compare"])
    parser.add_argument("file", type=Path)
    parser.add_argument("--only", default="", metavar="TEXT", help="cases whose name contains TEXT")
    options = parser.parse_args(arguments)
    now = record(options.only)
    if options.action == "record":
        options.file.write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")
        return 0
    before = json.loads(options.file.read_text(encoding="utf-8"))
    before = {name: parts for name, parts in before.items() if options.only in name}
    changed = differences(before, now)
    print("\n".join([*changed, f"{len(now)} cases compared, {len(changed)} differences"]))
    return 1 if changed or not now else 0


if __name__ == "__main__":
    sys.exit(main())
