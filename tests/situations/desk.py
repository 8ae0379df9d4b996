"""A folder with a config and data, the commands that are given there, and what they are compared with."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

import nnintro
from nnintro.config.load import load_config
from nnintro.training.setup import build_data
from tests.cli.conftest import ROOT, Done

TABLE = """\
dataset:
  kind: table
  path: @path
  target: @target
@keysmodel: {kind: mlp, hidden: [4]}
descent: {optimizer: adam, learning_rate: 0.01}
training: {epochs: 2}
logging: {figures: off, histograms: off}
precision: float64
@rest"""
IMAGES = """\
dataset:
  kind: images
  path: @path
@keysmodel: {kind: unet, channels: [2, 4]}
descent: {optimizer: adam, learning_rate: 0.01, batch_size: 2}
training: {epochs: 1}
logging: {figures: off, histograms: off}
@rest"""


class Desk:
    """What a user does: write files, train, read the message, add the line that it proposes, train again.

    Attributes:
        config: what the config holds otherwise.
        keys: the lines of the dataset section behind its path and target.
        rest: the lines at the end of the config.
    """

    def __init__(self, folder: Path, command: Callable[..., Done]) -> None:
        self.folder, self.command = folder, command
        self.config = TABLE
        self.path, self.target = "d.csv", "y"
        self.keys: list[str] = []
        self.rest: list[str] = []
        self._last = Done(0, "", "")

    def write(
        self, lines: Sequence[str] | str, name: str = "d.csv", *, encoding: str = "utf-8", end: str = "\n"
    ) -> None:
        """A text file; the data that is trained on, by its name."""
        text = lines if isinstance(lines, str) else "".join(line + end for line in lines)
        (self.folder / name).write_bytes(text.encode(encoding))

    def train(self, *words: str) -> Done:
        keys, rest = (
            "".join(f"{indent}{line}\n" for line in some) for indent, some in (("  ", self.keys), ("", self.rest))
        )
        text = self.config
        for name, value in {"path": self.path, "target": self.target, "keys": keys, "rest": rest}.items():
            text = text.replace(f"@{name}", value)
        (self.folder / "c.yaml").write_text(text, encoding="utf-8")
        self._last = self.command("train", "c.yaml", "--name", "c", *words)
        return self._last

    def trains(self, *notes: str) -> Done:
        """The config trains, and its notes say this; where nothing is given there is no note."""
        done = self.train()
        assert done.code == 0, done.err
        said = [line for line in done.err.splitlines() if line.startswith("warning: ") and "was best at" not in line]
        assert len(said) == len(notes), said
        for note, line in zip(notes, said, strict=True):
            assert note in line
        return done

    def refused(self, *parts: str) -> str:
        """Training is refused in one line, which begins with the first of these and has the others; gives the line.

        The exit code is that of a config where the line names its place, else that of data.
        """
        code = 3 if parts[0].startswith("c.yaml:") else 4
        done = self.train("--quiet")
        assert (done.code, done.out) == (code, ""), done
        assert done.err.count("\n") == 1, done.err
        assert done.err.startswith(parts[0]), done.err
        for part in parts[1:]:
            assert part in done.err
        assert not (self.folder / "runs").exists()
        return done.err

    def follow(self, *lines: str) -> None:
        """Set keys of the dataset section, by lines each of which the last message proposes letter by letter."""
        for line in lines:
            assert line in self._last.err, self._last.err
            key = line.partition(":")[0]
            self.keys = [*(kept for kept in self.keys if kept.partition(":")[0] != key), line]

    def has_read(
        self, inputs: Mapping[str, Sequence[Any]], targets: Sequence[Any], *, new: str | None = None, run: str = "c"
    ) -> None:
        """Training, evaluate and predict all took the file's rows as these inputs, by the names of the features.

        Args:
            inputs: feature -> its values in the rows, as they are worked out by hand.
            targets: numbers, or names of classes.
            new: another file of the same rows, for evaluate and predict.
        """
        rows, trained = np.array(list(inputs.values()), float).T, nnintro.load(run)
        assert trained.features == list(inputs)
        classes = list(trained.setup.task.classes)
        answers = np.array([classes.index(name) for name in targets] if classes else targets, float)
        assert _sorted(_trained_on(self.folder / "c.yaml")) == _sorted(np.column_stack([rows, answers]))
        outputs = trained.predict(rows).numpy()
        metrics = self.evaluated(new or self.path, run)
        if classes:
            labels = outputs.argmax(1) if len(classes) > 2 else (outputs[:, 0] > 0).astype(int)
            np.testing.assert_allclose(metrics["accuracy"], np.mean(labels == answers), rtol=1e-9)
            assert self.predicted(new or self.path, run) == [classes[label] for label in labels]
        else:
            np.testing.assert_allclose(metrics["mse"], np.mean((outputs[:, 0] - answers) ** 2), rtol=1e-9)
            predicted = np.array(self.predicted(new or self.path, run), float)
            np.testing.assert_allclose(predicted, outputs[:, 0], rtol=1e-9)

    def evaluated(self, file: str, run: str = "c") -> dict[str, float]:
        done = self.command("evaluate", run, "--dataset", file, "--json")
        assert done.code == 0, done.err
        metrics: dict[str, float] = json.loads(done.out)["metrics"]
        return metrics

    def process(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        """A command in a process of its own, in the environment of now."""
        command = [sys.executable, "-m", "nnintro", *words]
        return subprocess.run(
            command, check=False, cwd=self.folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True
        )

    def predicted(self, file: str, run: str = "c") -> list[str]:
        """The cells of the column ``prediction``."""
        done = self.command("predict", run, file)
        assert done.code == 0, done.err
        return column(done.out, "prediction")


def column(text: str, name: str) -> list[str]:
    """The cells of a column of CSV, or of what else ``predict`` wrote."""
    first = text.splitlines()[0]
    delimiter = max(",;\t|", key=first.count)
    return [row[name] for row in csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)]


def _trained_on(config: Path) -> np.ndarray:
    """(rows, inputs + 1) raw inputs and the target of all samples, in training and validation."""
    splits = build_data(load_config(config).experiment)
    parts = []
    for data in (splits.train, splits.validation):
        inputs = data.inputs
        if data.inputs_standardized:
            inputs = inputs * splits.standardization.scale + splits.standardization.mean
        targets = data.targets.to(torch.float64)
        parts.append(np.column_stack([inputs.numpy(), targets.numpy()]))
    return np.concatenate(parts)


def _sorted(rows: np.ndarray) -> list[tuple[float, ...]]:
    return sorted(tuple(float(f"{value:.9g}") + 0.0 for value in row) for row in rows.tolist())
