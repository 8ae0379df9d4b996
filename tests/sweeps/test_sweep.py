"""Sweeps from the first trial to the last: the trials, their bits, the folder, and what goes wrong on the way."""

from __future__ import annotations

import csv
import json
import math
import statistics
import threading

import pytest
import torch
import yaml

import nnintro
from nnintro.config.load import SweepOptions, load_config
from nnintro.runs.listing import find_runs
from nnintro.sweeps.trial import Trainer, Trial
from nnintro.training import repeated
from tests.support import config

RATE, SIZE, HIDDEN = "descent.learning_rate", "descent.batch_size", "model.hidden"
OVER = {RATE: {"low": 1e-3, "high": 0.5, "log": True}, HIDDEN: [[3], [4, 2]], SIZE: "2..8"}

DIVERGING = config(model={"activation": "relu"}, training={"epochs": 30})


def rows(directory):
    with (directory / "trials.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def timeless(directory):
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rows(directory)]


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """Two workers, two seeds."""
    runs_dir = tmp_path_factory.mktemp("runs")
    return nnintro.sweep(config(), OVER, runs_dir=runs_dir, trials=12, seeds=2, keep=2, name="s", workers=2)


def as_overrides(values):
    return [f"{key}={json.dumps(value)}" for key, value in values.items()]


def test_every_trial_is_the_mean_of_its_trainings(swept):
    assert [trial.number for trial in swept.trials] == list(range(12))
    for trial in swept.trials:
        fitted = [nnintro.fit(config(), [*as_overrides(trial.values), f"seed={seed}"]) for seed in (0, 1)]
        assert trial.metrics.keys() == fitted[0].metrics.keys()
        for tag, value in trial.metrics.items():
            assert value == statistics.fmean(one.metrics[tag] for one in fitted)
        assert (trial.objective, trial.status) == (trial.metrics["validation/loss"], "completed")
    assert len({str(trial.values[HIDDEN]) for trial in swept.trials}) == 2


def test_the_best_is_the_smallest_loss(swept):
    best = min(swept.trials, key=lambda trial: trial.objective)
    assert swept.best == best
    assert swept.summary["best"]["number"] == best.number
    summary = json.loads((swept.directory / "summary.json").read_text())
    assert summary["best"] == {
        "number": best.number, "values": best.values, "objective": best.objective, "metrics": best.metrics,
    }  # fmt: skip
    counts = {key: summary[key] for key in ("trials", "completed", "diverged", "stopped", "failed")}
    assert counts == {"trials": 12, "completed": 12, "diverged": 0, "stopped": 0, "failed": 0}
    assert (summary["status"], summary["name"]) == ("completed", "s")


@pytest.mark.parametrize("workers", [1, 4])
def test_the_number_of_workers_changes_nothing(workers, swept, tmp_path):
    other = nnintro.sweep(config(), OVER, runs_dir=tmp_path, trials=12, seeds=2, keep=0, name="s", workers=workers)
    assert timeless(other.directory) == timeless(swept.directory)


def parameters_equal(one, other):
    ours, theirs = one.model.state_dict(), other.model.state_dict()
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_best_yaml_and_the_kept_runs_have_the_bits_of_the_trial(swept, tmp_path):
    best = nnintro.fit(config(), as_overrides(swept.best.values))
    again = nnintro.train(swept.directory / "best.yaml", runs_dir=tmp_path)
    assert parameters_equal(again, best)
    kept = sorted(swept.trials, key=lambda trial: trial.objective)[:2]
    folders = sorted(path.name for path in swept.directory.iterdir() if path.is_dir())
    names = sorted(f"trial-{trial.number}" for trial in kept)
    assert folders == names  # and no figures, as the config says
    for trial in kept:
        run = nnintro.load(swept.directory / f"trial-{trial.number}")
        assert parameters_equal(run, nnintro.fit(config(), as_overrides(trial.values)))
    found = [run["directory"] for run in find_runs(swept.directory.parent)]
    assert sorted(found) == sorted(str(swept.directory / name) for name in names)  # and not the sweep's own


def test_the_trainer_gives_the_parameters_of_a_training(monkeypatch):
    """Each seen where it is handed over, over engines and variants."""
    trained = []
    train_again = repeated.train_again

    def noted(*arguments, **options):
        trained.append(train_again(*arguments, **options))
        return trained[-1]

    monkeypatch.setattr("nnintro.sweeps.trial.train_again", noted)
    over = {"training.engine": ["fused", "autograd"], "descent.variant": ["batch", "mini-batch"]}
    loaded = load_config(config(sweep={"over": {**over, "seed": [5]}}), sweep=SweepOptions())
    trainer = Trainer(loaded, loaded.experiment.sweep, {})
    for number, (engine, variant) in enumerate([("fused", "batch"), ("autograd", "mini-batch")]):
        values = {"training.engine": engine, "descent.variant": variant, "seed": 5}
        result = trainer.run(Trial(number, values), threading.Event())
        fitted = nnintro.fit(config(), as_overrides(values))
        assert parameters_equal(trained[-1], fitted)
        assert (result.metrics, result.seed) == (fitted.metrics, 5)


def test_a_grid_in_a_file_of_its_own(tmp_path):
    (tmp_path / "target.yaml").write_text(yaml.safe_dump(config()))
    section = {"over": {"seed": [3, 4], RATE: [0.1, 0.2]}, "objective": "r2", "keep": 0}
    (tmp_path / "sweep.yaml").write_text(yaml.safe_dump({"config": "target.yaml", "sweep": section}, sort_keys=False))
    swept = nnintro.sweep(tmp_path / "sweep.yaml", runs_dir=tmp_path / "runs", trials=2)
    assert [trial.values for trial in swept.trials] == [{"seed": s, RATE: r} for s in (3, 4) for r in (0.1, 0.2)]
    assert [trial.seed for trial in swept.trials] == [3, 3, 4, 4]
    assert swept.best.objective == max(trial.metrics["validation/r2"] for trial in swept.trials)
    run = nnintro.train(tmp_path / "sweep.yaml", runs_dir=tmp_path / "runs")
    assert "sweep" not in yaml.safe_load((run.directory / "config.yaml").read_text())


def test_divergence_and_failures_are_results(tmp_path):
    over = {RATE: [0.05, 1e5], "descent.variant": ["mini-batch", "stochastic"], SIZE: [1, 4]}
    swept = nnintro.sweep(DIVERGING, over, runs_dir=tmp_path, keep=0)
    status = {tuple(trial.values.values()): trial.status for trial in swept.trials}
    for (rate, variant, size), found in status.items():
        expected = "failed" if (variant, size) == ("stochastic", 4) else "completed" if rate == 0.05 else "diverged"
        assert found == expected
    counts = {key: swept.summary[key] for key in ("trials", "completed", "diverged", "failed")}
    assert counts == {"trials": 8, "completed": 3, "diverged": 3, "failed": 2}
    reasons = [failure["reason"] for failure in swept.summary["failures"]]
    assert len(reasons) == 2
    assert all("descent.batch_size: stochastic takes one sample per update" in reason for reason in reasons)
    assert all(trial.objective is None for trial in swept.trials if trial.status != "completed")
    assert swept.best.values[RATE] == 0.05


def test_keys_of_a_section_that_is_swept_too(tmp_path):
    """The section comes first, whichever is named first; what only some of its kinds have is tried beside those."""
    over = {"descent.optimizer.betas": [[0.5, 0.9], [0.9, 0.99]], "descent.optimizer": ["adam", {"kind": "adamw"}]}
    swept = nnintro.sweep(config(), over, runs_dir=tmp_path, keep=1)
    assert [trial.status for trial in swept.trials] == ["completed"] * 4
    assert len({trial.objective for trial in swept.trials}) == 2  # without weight decay adamw is adam
    kept = yaml.safe_load((swept.directory / f"trial-{swept.best.number}" / "config.yaml").read_text())
    assert kept["descent"]["optimizer"]["betas"] == swept.best.values["descent.optimizer.betas"]
    for trial in swept.trials:
        betas, optimizer = trial.values.values()
        own = config(descent={"optimizer": {"kind": optimizer if optimizer == "adam" else "adamw", "betas": betas}})
        assert nnintro.fit(own).metrics == trial.metrics


def test_sections_that_may_be_absent(tmp_path):
    over = {"training.early_stopping": [None, {"patience": 1, "minimum_improvement": 100.0}]}
    swept = nnintro.sweep(config(), over, runs_dir=tmp_path, keep=0)
    assert [trial.status for trial in swept.trials] == ["completed", "completed"]
    again = nnintro.sweep(resume=swept.directory)
    assert again.trials == swept.trials


def test_kept_runs_have_their_figures(tmp_path):
    values = config(logging={"figures": "auto"})
    swept = nnintro.sweep(values, {"seed": [1, 2]}, runs_dir=tmp_path, keep=2)
    for number in (0, 1):
        assert {path.name for path in (swept.directory / f"trial-{number}" / "figures").iterdir()} >= {"fit.png"}


def test_no_trial_has_an_objective(tmp_path):
    swept = nnintro.sweep(DIVERGING, {RATE: [1e5, 2e5]}, runs_dir=tmp_path)
    assert (swept.best, swept.summary["best"], swept.summary["diverged"]) == (None, None, 2)
    assert not (swept.directory / "best.yaml").exists()


def test_bad_trials_are_stopped_whatever_the_workers(tmp_path, monkeypatch):
    """Worse than the median of the completed trials up to k - 8 at the same look."""
    monkeypatch.setattr("nnintro.sweeps.trial.WATCHED_SECONDS", 0.0)
    values = config(
        training={"epochs": 12},
        sweep={"over": {RATE: {"low": 1e-5, "high": 0.3, "log": True}}, "stop_bad_trials": True},
    )
    one, four = (
        nnintro.sweep(values, runs_dir=tmp_path / str(workers), trials=30, keep=0, workers=workers)
        for workers in (1, 4)
    )
    assert timeless(one.directory) == timeless(four.directory)
    assert (one.directory / "looks.csv").exists()
    looks = {}
    for line in (one.directory / "looks.csv").read_text().splitlines():
        number, *cells = line.split(",")
        looks[int(number)] = [float(cell) for cell in cells]
    status = {trial.number: trial.status for trial in one.trials}
    assert {*status.values()} == {"completed", "stopped"}
    for number, own in looks.items():
        stops = []
        for at, value in enumerate(own):
            others = [looks[n][at] for n in range(number - 7) if status[n] == "completed"]
            stops.append(len(others) >= 5 and (math.isnan(value) or value > statistics.median(others)))
        assert stops == [False] * (len(own) - 1) + [status[number] == "stopped"]
    completed = [trial for trial in one.trials if trial.status == "completed"]
    for trial in completed[:5]:
        assert trial.metrics == nnintro.fit(config(training={"epochs": 12}), as_overrides(trial.values)).metrics
