"""tpe: suggestions that depend on the seed, the number and earlier results alone, whatever the workers do."""

from __future__ import annotations

import math
import random
import subprocess
import sys
import threading
import time
import warnings

import optuna
import pytest
import yaml

from nnintro.config.sweep import Range, Sweep
from nnintro.sweeps.password import without_password
from nnintro.sweeps.space import Space
from nnintro.sweeps.study import JOURNAL, study_in_folder
from nnintro.sweeps.sweep import SweepRequest, run_sweep
from nnintro.sweeps.tpe import Parameters, Suggestions, load_optuna
from nnintro.sweeps.trial import LAG, Result, Trial
from nnintro.sweeps.work import work
from tests.support import config

RATE, HIDDEN, BATCH = "descent.learning_rate", "model.hidden", "descent.batch_size"
SECTION = {
    "over": {RATE: Range(low=1e-4, high=1.0, log=True), HIDDEN: [[8], [16], [32]], BATCH: Range(low=1.0, high=64.0)},
    "sampler": "tpe",
    "trials": 40,
}


def space(**changes) -> Space:
    return Space(Sweep(**{**SECTION, **changes}), seed=3, whole=frozenset([BATCH]))


def trained(trial: Trial, interrupted: threading.Event) -> Result:
    """A smooth objective with its best value 0.2; large learning rates diverge."""
    time.sleep(random.random() * 0.003)  # so that threads end in any order
    rate, (width,), batch = trial.values[RATE], trial.values[HIDDEN], trial.values[BATCH]
    if rate > 0.5:
        return Result(trial.number, trial.values, "diverged", None, {}, 0, 0.1)
    objective = (math.log10(rate) + 1.7) ** 2 + {8: 1.0, 16: 0.2, 32: 0.5}[width] + (batch - 20) ** 2 / 400
    return Result(trial.number, trial.values, "completed", objective, {"validation/loss": objective}, 0, 0.1)


def swept(folder, workers, known=None, run=trained, **changes) -> dict[int, Result]:
    """Number -> result of the trials of a sweep that were trained now."""
    folder.mkdir(exist_ok=True)
    results: list[Result] = []
    interrupted = threading.Event()
    joined = study_in_folder(folder, "sweep", maximize=False)
    source = joined.source(space(**changes), 3, known or {}, results.append, interrupted, ordered=False)
    try:
        work(source, run, workers, interrupted)
    finally:
        source.close()
    numbers = [result.number for result in results]
    assert len(set(numbers)) == len(numbers)
    return {result.number: result for result in results}


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """A sweep by one worker."""
    return swept(tmp_path_factory.mktemp("alone"), workers=1)


@pytest.mark.parametrize("workers", [2, 5, 12])
def test_equal_seeds_give_equal_trials_whatever_the_number_of_workers(alone, workers, tmp_path):
    assert swept(tmp_path, workers) == alone
    assert sorted(alone) == list(range(40))


def test_a_suggestion_does_not_depend_on_the_results_that_are_not_in_yet(alone):
    load_optuna()
    number = 30
    few = {n: result for n, result in alone.items() if n <= number - LAG}
    suggestions = Suggestions(space(), Parameters(space()), 3, optuna.study.StudyDirection.MINIMIZE)
    assert suggestions.values(number, few) == alone[number].values


def test_tpe_learns_where_the_objective_is_small_and_diverged_trials_are_bad(alone):
    early, late = [alone[n] for n in range(18)], [alone[n] for n in range(22, 40)]
    good = [sum(r.objective is not None and r.objective < 1 for r in part) for part in (early, late)]
    assert good[1] > 2 * good[0]
    assert sum(r.status == "diverged" for r in late) <= sum(r.status == "diverged" for r in early)


def test_large_objectives_are_good_where_they_are_to_be(tmp_path):
    def run(trial, interrupted):
        result = trained(trial, interrupted)
        objective = None if result.objective is None else -result.objective
        return Result(trial.number, trial.values, result.status, objective, {}, 0, 0.1)

    results: list[Result] = []
    joined = study_in_folder(tmp_path, "sweep", maximize=True)
    source = joined.source(space(), 3, {}, results.append, threading.Event(), ordered=False)
    work(source, run, 1, threading.Event())
    source.close()
    mirrored = swept(tmp_path / "other", 1)
    assert {r.number: r.values for r in results} == {n: r.values for n, r in mirrored.items()}


@pytest.mark.parametrize("lost", ["nothing", "the journal", "half of the journal's last line", "some results"])
def test_a_sweep_that_goes_on_has_the_trials_of_an_undisturbed_one(alone, lost, tmp_path):
    stopped = threading.Event()

    def run(trial, interrupted):
        if trial.number >= 25:
            stopped.set()
        return None if stopped.is_set() else trained(trial, interrupted)

    first = swept(tmp_path, 3, run=run)
    journal = tmp_path / JOURNAL
    if lost == "the journal":
        journal.unlink()
    elif lost == "half of the journal's last line":
        journal.write_bytes(journal.read_bytes()[:-9])
        (tmp_path / f"{JOURNAL}.lock").symlink_to(journal)  # as a killed process leaves it
    known = {n: r for n, r in first.items() if lost != "some results" or n % 5}
    rest = swept(tmp_path, 2, known=known)
    if lost == "some results":  # the journal has them
        assert {**first, **rest} == alone
    else:
        assert {**known, **rest} == alone
        assert not set(known) & set(rest)


def test_the_journal_is_one_for_optuna_s_own_tools(alone, tmp_path):
    swept(tmp_path, 2)
    backend = optuna.storages.journal.JournalFileBackend(str(tmp_path / JOURNAL))
    study = optuna.load_study(study_name="sweep", storage=optuna.storages.JournalStorage(backend))
    best = min((r for r in alone.values() if r.objective is not None), key=lambda r: r.objective)
    assert study.best_value == best.objective
    assert study.best_params == {RATE: best.values[RATE], HIDDEN: str(best.values[HIDDEN]), BATCH: best.values[BATCH]}
    assert len(study.trials) == 40
    diverged = {n for n, r in alone.items() if r.status == "diverged"}
    assert {t.user_attrs["trial"] for t in study.trials if t.state == optuna.trial.TrialState.PRUNED} == diverged


def test_values_of_any_kind_come_back_as_they_were_and_optuna_does_not_warn():
    over = {
        "a": [1, 1.0, True], "b": [None, "none", 0.5], "c": [[1, 2], [], {"kind": "adam", "betas": [0.9, 0.99]}],
        "d": [1, 2, 3],
    }  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        axes = Space(Sweep(over=over), 0, frozenset())
        parameters = Parameters(axes)
        for number in range(axes.trials):
            values = axes.values(number)
            again = parameters.values(parameters.of(values))
            assert repr(again) == repr(dict(values))


def test_a_killed_sweep_of_the_command_goes_on_to_the_same_trials(tmp_path):
    over = {RATE: {"low": 1e-3, "high": 1.0, "log": True}}
    sweep = {"over": over, "sampler": "tpe", "trials": 30, "keep": 0}
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(config(training={"epochs": 3, "engine": "autograd"}, sweep=sweep)))
    trials = tmp_path / "killed" / "small" / "trials.csv"
    command = [sys.executable, "-m", "nnintro", "sweep", str(path), "--quiet", "--runs-dir", str(trials.parents[1])]
    with subprocess.Popen(command) as process:
        while not (trials.exists() and trials.read_text().count("\n") > 12):
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
    assert run_sweep(SweepRequest(None, resume=trials.parent, quiet=True)).summary["completed"] == 30
    whole = run_sweep(SweepRequest(path, runs_dir=tmp_path / "whole", quiet=True)).directory / "trials.csv"

    def read(path):
        return [line.rpartition(",")[0] for line in path.read_text().splitlines()]  # without the seconds

    assert read(trials) == read(whole)
    assert len(read(trials)) == 31


@pytest.mark.parametrize(
    ("address", "hidden"),
    [
        ("postgresql://u@h/d", "postgresql://u@h/d"),
        ("postgresql://u:secret@h:5432/d", "postgresql://u:***@h:5432/d"),
        ("postgresql://u:sec@ret@h/d", "postgresql://u:***@h/d"),
        ("postgresql:/u:secret@h/d", "postgresql:***@h/d"),
        ("postgresql://h/d?user=u&password=secret&sslmode=require", "postgresql://h/d?user=u&password=***&sslmode=require"),
        ("shared/sweep.journal", "shared/sweep.journal"),
    ],
)  # fmt: skip
def test_a_password_is_not_shown(address, hidden):
    assert without_password(address) == hidden
