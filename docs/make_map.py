"""Writes docs/map.md from the first line of every module: python docs/make_map.py."""

from __future__ import annotations

import ast
from pathlib import Path

PAGE = Path(__file__).with_name("map.md")
ROOT = Path(__file__).parents[1]
OPENING = """\
# Where things are

Every file of the package with what it is for, room by room, from the command line down: a room imports only what is
below it ([pyproject.toml](../pyproject.toml) has the layers, and a test holds them). How a family grows is in
[extending.md](extending.md).

Written by `python docs/make_map.py` from the first line of each file.

## Questions

| question | file |
| --- | --- |
"""
QUESTIONS = {
    "Where is a training told from its first line to its last?": "training/job.py",
    "Where is the loop?": "training/loop.py",
    "Where is the learning-rate schedule applied?": "descent/schedules.py",
    "Where does an optimizer become torch's?": "descent/optimizers.py",
    "Which engine carries out the updates, and why?": "engines/choose.py",
    "How are the gradients computed?": "explain/backpropagation.py",
    "How are they computed fast?": "engines/backpropagation/descend.py",
    "Where would a Huber loss for tables go?": "objectives/losses.py",
    "Which losses fit which task?": "config/losses.py",
    "Which metrics are recorded?": "config/task.py",
    "Where is the YAML read, and where do errors get their line?": "config/load.py",
    "Which rule says that batch_size is too large?": "config/rules.py",
    "Who reads a CSV?": "datasets/tables/files/csv.py",
    "How does a column become inputs, in training and in prediction?": "datasets/tables/columns/__init__.py",
    "Who writes summary.json?": "runs/summary.py",
    "Who writes checkpoints, and what is in them?": "runs/state.py",
    "How does a run that was killed go on?": "training/start.py",
    "Who finds a run by its name?": "runs/folder.py",
    "What does `fit` do?": "training/fit.py",
    "Which figures are drawn of which task?": "training/sketches.py",
    "Where is a prediction written?": "predict/writers.py",
    "What can be exported to ONNX?": "exports/onnx_modules.py",
    "How is an error proved?": "proofs/supremum.py",
}
ROOMS = (
    ("cli", "the commands"),
    ("sweeps", "many trainings of one config"),
    ("constructions", "networks built by hand from a formula, and proofs of their error"),
    ("explain", "one update with all its numbers, as on a blackboard"),
    ("exports", "trained runs as files for other programs"),
    ("predict", "trained runs on new data"),
    ("training", "one training, from config to numbers"),
    ("recording", "what a training shows and writes while it runs"),
    ("engines", "the programs that carry out updates"),
    ("runs", "the run's folder, a file of it each"),
    ("datasets", "samples, from formulas, generators, tables and images"),
    ("proofs", "the mathematics of certificates"),
    ("models", "networks"),
    ("figures", "arrays to pictures"),
    ("objectives", "losses and metrics"),
    ("descent", "variants, optimizers, schedules, random streams"),
    ("config", "the YAML: sections, rules, errors with their place"),
    ("formula", "formulas: parsed and evaluated without eval"),
    ("", "at the bottom"),
)


def lines_of(room: str) -> list[str]:
    """A line for each file of a room."""
    folder = ROOT / "nnintro" / room
    paths = sorted(folder.rglob("*.py") if room else folder.glob("*.py"))
    return [f"- [{path.relative_to(ROOT / 'nnintro')}](../{path.relative_to(ROOT)}): {line}"
            for path in paths if (line := first_line(path))]  # fmt: skip


def first_line(path: Path) -> str:
    """Of the module's docstring; empty for an empty file."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0]


def page() -> str:
    """The whole page."""
    table = "".join(f"| {question} | [{file}](../nnintro/{file}) |\n" for question, file in QUESTIONS.items())
    rooms = [f"\n## {room or 'nnintro'}: {what}\n\n" + "\n".join(lines_of(room)) + "\n" for room, what in ROOMS]
    return OPENING + table + "".join(rooms)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
