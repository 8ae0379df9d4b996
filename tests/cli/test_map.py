"""``nnintro sweep --map``: the grid, its figures, and what makes no map."""

from __future__ import annotations

import csv

RATE, SIZE = "descent.learning_rate", "descent.batch_size"


def test_the_command_trains_the_grid_and_draws_it(command, written, tmp_path):
    words = [
        word for over in ("descent.learning_rate=0.01,0.1", "descent.batch_size=2,4,8") for word in ("--over", over)
    ]
    done = command("sweep", written(logging={"figures": "auto"}), *words, "--map", RATE, SIZE, "--keep", 0, "--quiet")
    assert (done.code, done.out) == (0, "")
    folder = tmp_path / "runs" / "small"
    rows = list(csv.DictReader((folder / "trials.csv").read_text().splitlines()))
    assert {(row[RATE], row[SIZE]) for row in rows} == {(rate, size) for rate in ("0.01", "0.1") for size in "248"}
    for name in ("map", "objective"):
        assert (folder / "figures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_a_key_that_is_not_swept_is_one_line(command, written, tmp_path):
    done = command("sweep", written(), "--over", f"{RATE}=log:1e-3..1", "--map", RATE, "descent.batch_siz")
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1
    assert "--map: expected descent.learning_rate, got 'descent.batch_siz'" in done.err
    assert not (tmp_path / "runs").exists()


def test_a_map_goes_on_as_it_began(command, written, tmp_path):
    words = ("--over", f"{RATE}=log:1e-3..1", "--over", f"{SIZE}=2,4", "--map", RATE, SIZE, "--keep", 0, "--quiet")
    assert command("sweep", written(training={"epochs": 1}), *words).code == 0
    trials = tmp_path / "runs" / "small" / "trials.csv"
    whole = trials.read_text().splitlines()
    assert len(whole) == 1 + 32 * 2
    trials.write_text("\n".join(whole[:20]) + "\n")
    assert command("sweep", "--resume", "small", "--quiet").code == 0
    assert not (trials.parent / "figures").exists()  # figures: off, as this config has it
    assert [line.split(",")[:3] for line in trials.read_text().splitlines()] == [line.split(",")[:3] for line in whole]
