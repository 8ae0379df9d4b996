"""The tables of the lessons: made by their script, and as hard as their lessons say."""

from __future__ import annotations

import csv
import re
import runpy

import numpy as np
import pytest

from nnintro.config.load import load_config
from nnintro.training.setup import build_data
from tests.conformance.test_configs import ROOT, header

DATA = ROOT / "configs/tables/data"
TABLES = 7


def test_the_script_writes_the_tables_to_the_byte(tmp_path):
    runpy.run_path(str(DATA / "make.py"))["write"](tmp_path)
    written = sorted(path.name for path in tmp_path.iterdir())
    assert written == sorted(path.name for path in DATA.glob("*.csv"))
    assert len(written) == TABLES
    for name in written:
        assert (tmp_path / name).read_bytes() == (DATA / name).read_bytes(), name
        assert (DATA / name).stat().st_size <= 150_000, name


def test_every_table_is_said_to_be_made_up():
    lessons = sorted((ROOT / "configs/tables").glob("*.yaml"))
    assert len(lessons) == TABLES
    for lesson in lessons:
        paragraphs = "\n".join(header(lesson)).split("\n\n")
        assert "made up" in paragraphs[3], lesson.name  # after schema, command and result
    about = (DATA / "README.md").read_text(encoding="utf-8")
    assert "made up" in about
    for name in DATA.glob("*.csv"):
        assert name.name in about


def column(table, name):
    with (DATA / table).open(encoding="utf-8", newline="") as lines:
        return np.array([float(row[name]) for row in csv.DictReader(lines)])


@pytest.mark.parametrize(
    ("lesson", "table", "target", "ago"),
    [("sales_forecast", "sales.csv", "sales", 7), ("weather", "weather.csv", "temperature", 1)],
)
def test_the_naive_forecast_errs_as_the_lesson_says(lesson, table, target, ago):
    path = ROOT / f"configs/tables/{lesson}.yaml"
    values = column(table, target)
    answers = build_data(load_config(path).experiment).validation.targets[:, 0].numpy()
    rows = np.arange(len(values) - len(answers), len(values))
    np.testing.assert_array_equal(values[rows], answers)  # the latest, one after the other
    error = np.sqrt(np.mean((values[rows] - values[rows - ago]) ** 2))
    (said,) = re.findall(r"naive forecast[^.]*? rmse ([0-9]+\.[0-9]+)", " ".join(header(path)))
    assert float(said) == pytest.approx(error, abs=0.006)
