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
TABLES = 13
SHIPPED = sorted([*DATA.glob("*.csv"), *DATA.glob("*.npz")])


def test_the_scripts_write_the_tables_to_the_byte(tmp_path):
    for script in ("make.py", "make_applications.py"):
        runpy.run_path(str(DATA / script))["write"](tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [path.name for path in SHIPPED]
    assert len(SHIPPED) == TABLES
    for path in SHIPPED:
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name
        assert path.stat().st_size <= (600_000 if path.name == "juno.npz" else 300_000), path.name


def test_every_table_is_said_to_be_made_up():
    lessons = sorted((ROOT / "configs/tables").glob("*.yaml"))
    assert len(lessons) == TABLES
    for lesson in lessons:
        paragraphs = "\n".join(header(lesson)).split("\n\n")
        assert "made up" in paragraphs[3], lesson.name  # after schema, command and result
    about = (DATA / "README.md").read_text(encoding="utf-8")
    assert "made up" in about
    for path in SHIPPED:
        assert path.name in about


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
