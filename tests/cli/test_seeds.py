"""``nnintro train --seeds``: the runs are those of each seed by itself, and their statistics are numpy's."""

from __future__ import annotations

import json
import signal

import numpy as np
import pytest

import nnintro
from tests.cli.test_process import LONG, training, wait_for
from tests.support import PATIENCE

LINE = {
    "dataset": {"kind": "regression", "generator": "linear", "weights": [2.0, -1.0], "samples": 12},
    "model": {"hidden": []},
    "descent": {"variant": "batch"},
    "precision": "float32",
    "training": {"epochs": 300},
}
"""One neuron, whose learning rate of 0.8 is too large for some of the seeds: where data lies decides that."""


def seeds(command, *words):
    done = command("train", *words, "--json", "--quiet")
    return done, json.loads(done.out)


def test_each_run_is_the_training_of_its_seed(command, written, tmp_path):
    path = written(dataset={"noise": 0.1}, seed=4)
    done, group = seeds(command, path, "--seeds", 3)
    assert (done.code, done.err) == (0, "")
    assert (group["name"], group["directory"], group["n"]) == ("small", "runs/small", 3)
    assert [run["directory"] for run in group["runs"]] == [f"runs/small/seed-{seed}" for seed in (4, 5, 6)]
    metrics = []
    for seed in (4, 5, 6):
        alone = nnintro.train(path, [f"seed={seed}"], tmp_path / "alone")
        run = nnintro.load(tmp_path / "runs" / "small" / f"seed-{seed}")
        assert run.summary["metrics"] == alone.summary["metrics"]
        for one, other in zip(run.model.parameters(), alone.model.parameters(), strict=True):
            assert one.equal(other)
        metrics.append(alone.summary["metrics"])
    for tag, spread in group["metrics"].items():
        values = [each[tag] for each in metrics]
        wanted = {"mean": np.mean(values), "deviation": np.std(values, ddof=1), "low": min(values), "high": max(values)}
        assert spread == {key: pytest.approx(value, rel=1e-12) for key, value in wanted.items()}
    assert set(group["metrics"]) == set(metrics[0])


def test_the_console_ends_with_a_table_and_runs_lists_the_group(command, written):
    done = command("train", written(dataset={"noise": 0.1}), "--seeds", 2)
    assert done.code == 0
    lines = done.err.splitlines()
    start = lines.index("runs/small: 2 seeds")
    assert lines[start + 1].split() == ["mean", "deviation", "lowest", "highest"]
    rows = [line.split() for line in lines[start + 2 :]]
    assert rows[0][0] == "train/loss"
    assert all(float(low) <= float(mean) <= float(high) for _, mean, __, low, high in rows)
    listed = json.loads(command("runs", "--json").out)
    assert [run["settings"] for run in listed] == [{"seed": 0}, {"seed": 1}]


def test_seeds_that_change_nothing_are_said_to(command, written):
    still = {"model": {"initialization": "spread"}, "descent": {"variant": "batch", "batch_size": 23}}
    done = command("train", written(**still), "--seeds", 2)
    assert "the seed makes no difference: neither data nor start nor order of this config are random" in done.err


def test_a_second_group_has_a_folder_of_its_own_and_one_seed_no_deviation(command, written):
    path = written()
    command("train", path, "--seeds", 1, "--quiet")
    done, group = seeds(command, path, "--seeds", 1, "--smoke", "--set", "seed=7", "--name", "small")
    assert done.code == 0
    assert [run["directory"] for run in group["runs"]] == ["runs/small-2/seed-7"]
    assert group["runs"][0]["smoke"] is True
    assert group["metrics"]["train/loss"]["deviation"] is None


def test_a_seed_that_diverges_does_not_stop_the_others(command, written):
    done, group = seeds(command, written(**LINE), "--seeds", 6, "--set", "descent.learning_rate=0.8")
    diverged = [run["name"] for run in group["runs"] if run["status"] == "diverged"]
    assert 0 < len(diverged) < 6
    assert len(group["runs"]) == 6
    assert group["n"] == 6 - len(diverged)
    assert done.code == 5
    assert done.err.startswith("runs/small: ")
    assert all(f"'{name}'" in done.err for name in diverged)
    assert done.err.count("\n") == 1
    over = [run["metrics"]["train/loss"] for run in group["runs"] if run["status"] == "completed"]
    assert group["metrics"]["train/loss"]["mean"] == pytest.approx(np.mean(over))


def test_ctrl_c_ends_all_and_saves_what_was_begun(process, written, tmp_path):
    running = process("train", written(**LONG), "--seeds", 3, "--json", "--quiet")
    wait_for(lambda: training(tmp_path / "runs" / "small" / "seed-0"))
    running.send_signal(signal.SIGINT)
    out, _ = running.communicate(timeout=PATIENCE)
    assert running.returncode == 130
    assert [run["status"] for run in json.loads(out)["runs"]] == ["interrupted"]
    assert [path.name for path in (tmp_path / "runs" / "small").iterdir()] == ["seed-0"]
    assert nnintro.load(tmp_path / "runs" / "small" / "seed-0").summary["status"] == "interrupted"


@pytest.mark.parametrize(("words", "code", "said"), [
    (["--seeds", "0"], 2, "--seeds: expected a number of at least 1, got 0"),
    (["--seeds", "2", "--resume", "there"], 2, "--seeds begins new runs"),
    (["--seeds", "2", "--set", f"seed={2**63 - 1}"], 2, "the largest seed is 9223372036854775807"),
    (["--seeds", "2", "--set", "dataset.samples=0"], 3, "dataset.samples"),
    (["--seeds", "2", "--set", "device=cuda:999"], 3, "device"),
])  # fmt: skip
def test_what_cannot_be_used_leaves_nothing_behind(command, written, tmp_path, words, code, said):
    done = command("train", written(), *words)
    assert done.code == code
    assert said in done.err
    assert not (tmp_path / "runs").exists() or not list((tmp_path / "runs").iterdir())


def test_seeds_under_torchrun_are_refused(command, written, tmp_path, monkeypatch):
    variables = {"RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29500"}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    done = command("train", written(), "--seeds", 2)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("--seeds in 2 processes: torchrun shares one training")
    assert not (tmp_path / "runs").exists()
