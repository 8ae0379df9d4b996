"""Sweeps that several processes share through PostgreSQL: each trial once, whoever dies, whatever the database does."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import optuna
import pytest
import yaml

from nnintro.errors import CheckpointError, UsageError
from nnintro.sweeps import heartbeat, patience
from nnintro.sweeps.patience import Patience
from nnintro.sweeps.storage import open_storage
from nnintro.sweeps.study import join
from nnintro.sweeps.trial import Result
from tests import postgres
from tests.postgres import PASSWORD, serving
from tests.support import PATIENCE, config

pytestmark = pytest.mark.skipif(
    postgres.programs() is None and not postgres.NEEDED, reason="PostgreSQL is not installed (Debian: postgresql)"
)
RATE = "descent.learning_rate"
TRIALS = 120


@pytest.fixture(scope="module")
def server():
    with serving() as running:
        yield running


@pytest.fixture
def storage(server):
    opened = open_storage(server.url())
    yield opened
    opened.close()


def small(folder: Path, name: str, sampler: str = "random", **changes) -> Path:
    """A config of which a trial takes some hundredths of a second."""
    sweep = {"over": {RATE: {"low": 1e-3, "high": 0.1, "log": True}}, "sampler": sampler, "trials": TRIALS, "keep": 1}
    path = folder / f"{name}.yaml"
    training = {"epochs": 40, "engine": "autograd"}
    path.write_text(yaml.safe_dump(config(training=training, sweep={**sweep, **changes})))
    return path


class Machine:
    """A process that runs ``nnintro sweep`` with a folder of runs of its own."""

    def __init__(self, number: int, folder: Path, *arguments: str, **variables: str) -> None:
        self.folder, self.log = folder / f"machine-{number}", folder / f"machine-{number}.log"
        command = [sys.executable, "-m", "nnintro", "sweep", *arguments, "--runs-dir", str(self.folder)]
        environment = {**os.environ, "NNINTRO_HEARTBEAT": "0.2", **variables}
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)

    def trials(self, name: str) -> list[dict[str, str]]:
        path = self.folder / name / "trials.csv"
        return list(csv.DictReader(path.read_text().splitlines())) if path.exists() else []

    def wait_for(self, name: str, count: int) -> None:
        deadline = time.monotonic() + PATIENCE
        while len(self.trials(name)) < count:
            assert time.monotonic() < deadline
            assert self.process.poll() in (None, 0), self.log.read_text()
            time.sleep(0.02)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def end(self) -> str:
        assert self.process.wait(timeout=PATIENCE) == 0, self.log.read_text()
        return self.log.read_text()


@contextlib.contextmanager
def killed_at_the_end():
    machines: list[Machine] = []
    try:
        yield machines
    finally:
        for machine in machines:
            machine.kill()


def test_machines_that_die_or_come_late_and_a_database_that_stops_cost_no_trial(server, tmp_path):
    path = small(tmp_path, "shared", sampler="tpe")
    arguments = str(path), "--storage", server.url()
    with killed_at_the_end() as machines:
        machines += [Machine(number, tmp_path, *arguments) for number in range(3)]
        for machine in machines:
            machine.wait_for("shared", 2)
        machines[0].kill()
        server.stop()
        time.sleep(1.5)
        server.start()
        machines.append(Machine(3, tmp_path, *arguments))
        machines[2].wait_for("shared", 12)
        machines[1].kill()
        said = [machines[number].end() for number in (2, 3)]
        assert "answers again, after" in said[0]
        assert said[0].count("does not answer") == 1
    whole, best = ((machines[2].folder / "shared" / name).read_text() for name in ("trials.csv", "best.yaml"))
    assert (machines[3].folder / "shared" / "trials.csv").read_text() == whole
    numbers = [int(row["number"]) for row in csv.DictReader(whole.splitlines())]
    assert numbers == list(range(TRIALS))

    # All have died: the one that goes on has the same whole record, and asks for no password but the variable's.
    again = Machine(0, tmp_path, "--resume", "shared", PGPASSWORD=PASSWORD)
    again.end()
    assert (again.folder / "shared" / "trials.csv").read_text() == whole
    assert (again.folder / "shared" / "best.yaml").read_text() == best

    opened = open_storage(server.url())
    trials = optuna.load_study(study_name="shared", storage=opened.storage).trials
    opened.close()
    completed = [t for t in trials if t.state == optuna.trial.TrialState.COMPLETE]
    assert Counter(t.user_attrs["trial"] for t in completed) == Counter(range(TRIALS))
    assert all(t.state.is_finished() for t in trials)

    written = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert len(written) > 20
    for file in written:
        data = file.read_bytes()
        assert PASSWORD.encode() not in data, file
        assert postgres.IN_URL.encode() not in data, file


def result_of(number: int, values) -> Result:
    return Result(number, values, "completed", float(number), {"validation/loss": 1.0}, 0, 0.1)


def joined(opened, name: str, over=None, **values):
    call = Patience(opened.place, threading.Event(), print)
    return join(opened, name, {"seed": 0, "sweep.over": over, **values}, maximize=False, call=call)


def space(trials: int):
    from nnintro.config.sweep import Range, Sweep
    from nnintro.sweeps.space import Space

    over = {RATE: Range(low=0.1, high=1.0)}
    return Space(Sweep(over=over, sampler="random", trials=trials), 0, frozenset())


def source_of(study, known=None, record=print, trials=6):
    return study.source(space(trials), 0, known or {}, record, threading.Event(), ordered=False)


def test_two_processes_that_claim_at_once_get_different_trials(storage):
    one, other = (source_of(joined(storage, "claims"), trials=60) for _ in range(2))
    taken: list[int] = []

    def take(source):
        while (trial := source.next()) is not None:
            taken.append(trial.number)
            source.report(result_of(trial.number, trial.values))

    threads = [threading.Thread(target=take, args=(source,)) for source in (one, other, one, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    one.close(), other.close()
    assert sorted(taken) == list(range(60))
    assert one.results == other.results
    assert one.results[7].values == space(60).values(7)


def test_a_process_that_falls_silent_loses_its_trial_and_its_late_result_counts_no_more(storage, monkeypatch):
    monkeypatch.setenv("NNINTRO_HEARTBEAT", "0.05")
    silent = source_of(joined(storage, "silent"), trials=1)
    trial = silent.next()
    silent._heart.stop()
    alive = source_of(joined(storage, "silent"), trials=1)
    again = alive.next()
    assert again.number == trial.number == 0
    silent.report(Result(0, trial.values, "completed", 99.0, {}, 0, 0.1))
    alive.report(result_of(0, again.values))
    assert alive.next() is None
    assert silent.next() is None
    silent.close(), alive.close()
    assert silent.results[0].objective == alive.results[0].objective == 0.0


def test_what_was_not_trained_to_its_end_is_given_back_at_once(storage):
    interrupted = source_of(joined(storage, "given back"))
    number = interrupted.next().number
    interrupted.close()
    following = source_of(joined(storage, "given back"))
    assert following.next().number == number
    following.close()


def test_results_of_this_machine_are_given_to_a_study_that_lacks_them(storage):
    known = {number: result_of(number, space(6).values(number)) for number in (0, 1, 4)}
    source = source_of(joined(storage, "imported"), known)
    numbers = []
    while (trial := source.next()) is not None:
        numbers.append(trial.number)
        source.report(result_of(trial.number, trial.values))
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
    arguments = [str(small(tmp_path, "nothing")), "--storage", "postgresql://u:secret@127.0.0.1:1/d"]
    machine = Machine(0, tmp_path, *arguments)
    assert machine.process.wait(timeout=PATIENCE) == UsageError.exit_code
    assert machine.log.read_text() == "--storage: postgresql://u:***@127.0.0.1:1/d: Connection refused\n"
    assert not machine.folder.exists()


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
    one.report(result_of(first.number, first.values))
    other.report(result_of(second.number, second.values))
    one.close(), other.close()
    kept = [json.loads(line) for line in path.read_text().splitlines()]
    assert kept
