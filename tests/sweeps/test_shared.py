"""Sweeps that several processes share through PostgreSQL: each trial once, whoever dies, whatever the database does."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import optuna
import psycopg
import pytest
import yaml

from nnintro.errors import CheckpointError, UsageError
from nnintro.sweeps import heartbeat, patience
from nnintro.sweeps.password import hide_in_command_line
from nnintro.sweeps.patience import Patience
from nnintro.sweeps.storage import open_storage
from nnintro.sweeps.study import join, study_in_folder
from nnintro.sweeps.sweep import SweepRequest, run_sweep
from nnintro.sweeps.trial import Result, Trial
from nnintro.sweeps.work import work
from tests import postgres
from tests.postgres import PASSWORD, serving
from tests.support import config
from tests.sweeps.machines import GATE, RATE, Machine, result_of, space


@pytest.fixture(scope="module")
def server():
    if postgres.programs() is None and not postgres.NEEDED:
        pytest.skip("PostgreSQL is not installed (Debian: postgresql)")
    with serving() as running:
        yield running


@pytest.fixture
def storage(server):
    opened = open_storage(server.url())
    yield opened
    opened.close()


def test_machines_that_die_or_come_late_and_a_database_that_stops_cost_no_trial(server, tmp_path, monkeypatch):
    monkeypatch.setenv("NNINTRO_HEARTBEAT", "0.3")  # the processes have it from here
    trials = 80

    def start() -> Machine:
        machines.append(Machine(tmp_path / str(len(machines)), server.url(), "shared", trials))
        return machines[-1]

    machines: list[Machine] = []
    try:
        for _ in range(3):
            start()
        for machine in machines:
            machine.wait_for(5)
        machines[0].kill()
        server.stop()
        (tmp_path / GATE).touch()
        time.sleep(2.0)
        server.start()
        machines[2].wait_for(40)
        late = start()
        machines[1].kill()
        machines[2].end()
        late.end()
    finally:
        for machine in machines:
            machine.kill()
    # Optuna tries a claim again for some seconds by itself: a machine that was making one need not have noticed.
    lines = [line.partition(": ")[2] for line in machines[2].said.splitlines()]
    assert [line.count("does not answer") for line in lines] in ([], [1, 0])
    assert [line.count("answers again, after") for line in lines] in ([], [0, 1])
    numbers = [int(line.split()[0]) for line in late.results]
    assert sorted(numbers) == list(range(trials))
    assert sorted(late.results) == sorted(machines[2].results)

    opened = open_storage(server.url())
    kept = optuna.load_study(study_name="shared", storage=opened.storage).trials
    opened.close()
    completed = [t for t in kept if t.state == optuna.trial.TrialState.COMPLETE]
    assert Counter(t.user_attrs["trial"] for t in completed) == Counter(range(trials))
    assert all(t.state.is_finished() for t in kept)

    # The values are those of a sweep by one worker, whose source is another one.
    alone: dict[int, Result] = {}
    joined_alone = study_in_folder(tmp_path, "alone", maximize=False)
    source = joined_alone.source(space(trials, "tpe"), 0, {}, lambda r: alone.update({r.number: r}), threading.Event(),
                                 ordered=False)  # fmt: skip
    work(source, lambda trial, _: result_of(trial), 1, threading.Event())
    source.close()
    expected = [f"{n} {r.values[RATE]!r} {r.objective!r}" for n, r in alone.items()]
    assert sorted(expected) == sorted(late.results)


def test_the_command_s_folders_are_equal_and_have_no_password(server, tmp_path, monkeypatch):
    sweep = {"over": {RATE: [0.01, 0.05, 0.1]}, "keep": 1}
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(config(training={"epochs": 2, "engine": "autograd"}, sweep=sweep)))
    monkeypatch.setattr(sys, "argv", ["nnintro", "sweep", str(path), "--storage", server.url()])
    hide_in_command_line(server.url())
    one, two = (
        run_sweep(SweepRequest(path, storage=server.url(), runs_dir=tmp_path / name, quiet=True)).directory
        for name in ("one", "two")
    )
    assert len((one / "trials.csv").read_text().splitlines()) == 4
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    again = run_sweep(SweepRequest(None, resume="small", runs_dir=tmp_path / "one", quiet=True))
    assert again.summary["trials"] == 3
    for name in ("trials.csv", "best.yaml", "sweep.yaml"):
        assert (one / name).read_text() == (two / name).read_text()
    written = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert {"environment.json", "summary.json", "sweep.yaml"} <= {file.name for file in written}
    for file in written:
        assert PASSWORD.encode() not in file.read_bytes(), file
        assert postgres.IN_URL.encode() not in file.read_bytes(), file


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="another system shows processes in another way")
def test_a_password_is_not_in_the_list_of_processes():
    address = "postgresql://u:secret@host/name"
    code = """
import pathlib, sys
from nnintro.sweeps.password import hide_in_command_line
hide_in_command_line(sys.argv[2])
print(sys.argv[1:], pathlib.Path("/proc/self/cmdline").read_bytes())
"""
    command = [sys.executable, "-c", code, "--storage", address, "behind"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "secret" not in done.stdout
    assert "['--storage', 'postgresql://u:***@host/name', 'behind']" in done.stdout
    assert "postgresql://u:***@host/name***" in done.stdout
    assert "\\x00behind" in done.stdout


def joined(opened, name: str, over=None, **values):
    call = Patience(opened.place, threading.Event(), print)
    return join(opened, name, {"seed": 0, "sweep.over": over, **values}, maximize=False, call=call)


def source_of(study, known=None, record=print, trials=6):
    return study.source(space(trials), 0, known or {}, record, threading.Event(), ordered=False)


def test_two_processes_that_claim_at_once_get_different_trials(storage):
    one, other = (source_of(joined(storage, "claims"), trials=40) for _ in range(2))
    taken: list[int] = []

    def take(source):
        while (trial := source.next()) is not None:
            taken.append(trial.number)
            source.report(result_of(Trial(trial.number, trial.values)))

    threads = [threading.Thread(target=take, args=(source,)) for source in (one, other, one, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    one.close(), other.close()
    assert sorted(taken) == list(range(40))
    assert one.results == other.results
    assert one.results[7].values == space(40).values(7)


def test_a_process_that_falls_silent_loses_its_trial_and_its_late_result_counts_no_more(storage, monkeypatch):
    monkeypatch.setenv("NNINTRO_HEARTBEAT", "0.2")
    silent = source_of(joined(storage, "silent"), trials=1)
    trial = silent.next()
    silent._heart.stop()
    alive = source_of(joined(storage, "silent"), trials=1)
    again = alive.next()
    assert again.number == trial.number == 0
    silent.report(Result(0, trial.values, "completed", 99.0, {}, 0, 0.1))
    alive.report(result_of(Trial(0, again.values)))
    assert alive.next() is None
    assert silent.next() is None
    silent.close(), alive.close()
    assert silent.results[0].objective == alive.results[0].objective == result_of(trial).objective


def test_what_was_not_trained_to_its_end_is_given_back_at_once(storage):
    interrupted = source_of(joined(storage, "given back"))
    number = interrupted.next().number
    interrupted.close()
    following = source_of(joined(storage, "given back"))
    assert following.next().number == number
    following.close()


def test_a_signal_while_the_database_is_away_ends_the_sweep_without_an_error(storage):
    interrupted = threading.Event()
    study = joined(storage, "away")
    source = study.source(space(6), 0, {}, print, interrupted, ordered=False)
    trial = source.next()

    def away(operation):
        raise CheckpointError("does not answer")

    source._call = away
    with pytest.raises(CheckpointError):
        source.report(result_of(trial))
    interrupted.set()
    source.report(result_of(trial))
    assert source.next() is None
    source.close()
    assert source.results == {}


def test_results_of_this_machine_are_given_to_a_study_that_lacks_them(storage):
    known = {number: result_of(Trial(number, space(6).values(number))) for number in (0, 1, 4)}
    source = source_of(joined(storage, "imported"), known)
    numbers = []
    while (trial := source.next()) is not None:
        numbers.append(trial.number)
        source.report(result_of(Trial(trial.number, trial.values)))
    source.close()
    assert numbers == [2, 3, 5]
    other = source_of(joined(storage, "imported"))
    assert other.next() is None
    other.close()
    assert sorted(other.results) == list(range(6))


def test_a_sweep_with_the_same_name_and_another_config_is_refused_with_the_key(storage):
    joined(storage, "agreed", batch=32, path="/home/one/data.csv")
    joined(storage, "agreed", batch=32, path="/mnt/two/data.csv")
    with pytest.raises(UsageError) as refused:
        joined(storage, "agreed", batch=16, path="/home/one/data.csv")
    assert str(refused.value) == (
        "--storage: the sweep 'agreed' there has batch 32, here it is 16: give this one another --name"
    )
    joined(storage, "agreed", batch=32, path="/home/one/data.csv")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"password": "wr0ng-word"}, 'password authentication failed for user "nnintro"'),
        ({"user": "stranger"}, 'password authentication failed for user "stranger"'),
        ({"database": "absent"}, 'database "absent" does not exist'),
        ({"options": "-csearch_path%3Dabsent"}, "no schema has been selected to create in"),
    ],
)
def test_what_the_database_refuses_is_one_line_without_the_password(server, changes, reason):
    with pytest.raises(UsageError) as refused:
        open_storage(server.url(**changes))
    user, database = changes.get("user", "nnintro"), changes.get("database", "postgres")
    query = "?options=-csearch_path%3Dabsent" if "options" in changes else ""
    shown = f"postgresql://{user}:***@127.0.0.1:{server.port}/{database}{query}"
    assert str(refused.value) == f"--storage: {shown}: {reason}"
    with psycopg.connect(server.url()) as own:  # what was opened is closed, although the error is still held here
        query = "select count(*) from pg_stat_activity where application_name = 'nnintro sweep'"
        deadline = time.monotonic() + 10
        while own.execute(query).fetchone() != (0,):
            assert time.monotonic() < deadline, "a connection was left open"
            time.sleep(0.05)
            own.rollback()


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("postgresql://u:secret@127.0.0.1:1/d", "postgresql://u:***@127.0.0.1:1/d: Connection refused"),
        ("postgresql://u:secret@no.such.host.invalid/d", "failed to resolve host 'no.such.host.invalid'"),
        ("postgresql://u:sec@ret@127.0.0.1/d", "an @ in a password is written %40"),
        ("postgresql+absent://u:secret@h/d", "postgresql+absent is not a kind of database that is known here"),
        ("mysql://u:secret@h/d", "needs the driver MySQLdb, which is not installed"),
        ("sqlite:///sweep.db", "SQLite is not made for several workers"),
        ("postgresql:/u:secret@h/d", "expected the URL of a database, as postgresql://USER@HOST/DATABASE"),
        ("localhost", "or a file that ends in .journal"),
        ("/no/such/folder/sweep.journal", "No such file or directory"),
    ],
)
def test_an_address_that_cannot_be_used_is_one_line_without_the_password(address, message):
    with pytest.raises(UsageError) as refused:
        open_storage(address)
    text = str(refused.value)
    assert text.startswith("--storage: ")
    assert message in text
    assert "secret" not in text
    assert "sec@ret" not in text
    assert "\n" not in text


def test_a_missing_driver_is_one_line_that_says_how_to_install_it(server, monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(UsageError, match=r"needs the driver of PostgreSQL: pip install 'nnintro\[sweep\]'"):
        open_storage(server.url())


def test_an_unreachable_database_leaves_nothing_behind(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(config(sweep={"over": {RATE: [0.1]}})))
    address = "postgresql://u:secret@127.0.0.1:1/d"
    with pytest.raises(UsageError, match=r"127\.0\.0\.1:1/d: Connection refused"):
        run_sweep(SweepRequest(path, storage=address, runs_dir=tmp_path / "runs", quiet=True))
    assert list(tmp_path.iterdir()) == [path]


def test_a_database_that_stays_away_ends_the_sweep_with_its_cause(storage, monkeypatch):
    from sqlalchemy.exc import OperationalError

    monkeypatch.setattr(patience, "PATIENCE_SECONDS", 0.1)
    monkeypatch.setattr(patience, "PAUSE_SECONDS", 0.05)
    lines: list[str] = []

    def operation():
        raise OperationalError("SELECT 1", {}, Exception("connection refused"))

    with pytest.raises(CheckpointError, match="does not answer: connection refused"):
        Patience(storage.place, threading.Event(), lines.append)(operation)
    assert len(lines) == 1


def test_a_connection_that_breaks_within_a_transaction_is_made_again(storage):
    from sqlalchemy import exc

    failures = [exc.PendingRollbackError("refused"), exc.OperationalError("SELECT 1", {}, Exception("closed"))]
    lines: list[str] = []

    def operation():
        if failures:
            raise optuna.exceptions.StorageInternalError("commit") from failures.pop()
        return "done"

    assert Patience(storage.place, threading.Event(), lines.append)(operation) == "done"
    assert [line.partition(" again, after")[0][-7:] for line in lines] == ["minutes", "answers"]


def test_what_is_wrong_for_good_is_not_tried_again(storage):
    calls: list[int] = []

    def operation():
        calls.append(1)
        raise KeyError("bug")

    with pytest.raises(KeyError):
        Patience(storage.place, threading.Event(), print)(operation)
    assert calls == [1]


@pytest.mark.parametrize("text", ["soon", "0", "-1", "inf", ""])
def test_a_heartbeat_that_is_not_a_time_is_refused(text, monkeypatch):
    monkeypatch.setenv("NNINTRO_HEARTBEAT", text)
    with pytest.raises(UsageError, match="NNINTRO_HEARTBEAT: expected seconds, a number above 0"):
        heartbeat.beat_seconds()


def test_a_file_on_a_shared_disk_serves_as_storage(tmp_path):
    path = tmp_path / "sweep.journal"
    one, other = (source_of(joined(open_storage(str(path)), "file")) for _ in range(2))
    first, second = one.next(), other.next()
    assert {first.number, second.number} != {first.number}
    one.report(result_of(Trial(first.number, first.values)))
    other.report(result_of(Trial(second.number, second.values)))
    one.close(), other.close()
    kept = [json.loads(line) for line in path.read_text().splitlines()]
    assert kept
