"""A run that was cut off goes on to the same bits as one that was not."""

from __future__ import annotations

import hashlib
import json

import pytest
import torch
import yaml

import nnintro
from nnintro.errors import CheckpointError, ConfigError, DivergedError, UsageError
from nnintro.runs.folder import RunLock
from tests.comparing import Cut, assert_same_run, cut_before, history, parameters, scalar_events, train
from tests.support import config

UPDATES = 50


ENGINES = ["autograd", "fused"]


def experiment(variant="mini-batch", optimizer="adam", every="1 steps", **training):
    """50 updates on 23 samples, with an early stopping that watches, and dropout if it may be."""
    fused = training.get("engine") == "fused"
    return config(
        dataset={"noise": 0.1},
        model={"dropout": 0.0 if fused else 0.3, "hidden": [5, 4]},
        descent={
            "variant": variant,
            "batch_size": {"batch": 7, "mini-batch": 4, "stochastic": 1}[variant],
            "optimizer": optimizer,
            "schedule": {"kind": "cosine", "warmup_steps": 5},
            "learning_rate": 0.02,
        },
        training={
            "epochs": None,
            "steps": UPDATES,
            "early_stopping": {"patience": 2 if variant != "batch" else 20},
            "checkpoint": {"every": every},
            **training,
        },
        logging={"scalars": "every 3 steps"},
        name="run",
    )


MOMENTUM = {"kind": "sgd", "momentum": 0.9, "nesterov": True}


@pytest.mark.parametrize("optimizer", ["adam", MOMENTUM], ids=["adam", "momentum"])
@pytest.mark.parametrize("variant", ["batch", "mini-batch", "stochastic"])
@pytest.mark.parametrize("engine", ENGINES)
def test_at_every_update(engine, variant, optimizer, tmp_path, monkeypatch):
    values = experiment(variant, optimizer, "off", engine=engine)
    whole = train(values, tmp_path / "whole").directory
    last = nnintro.load(whole).summary["steps"]
    assert last > 10
    # Every update is met with one optimizer and autograd; what the others keep shows at any.
    every_one = engine == "autograd" and optimizer == "adam"
    for step in range(0, last, 1 if every_one else 3):
        folder = tmp_path / f"cut-{step}"
        with cut_before(monkeypatch, step):
            every = f"{max(step, 1)} steps"
            train(experiment(variant, optimizer, every, engine=engine), folder)
        resumed = train(None, resume=folder / "run", folder=folder)
        assert resumed.summary.get("resumed", []) == ([step] if step else [])
        assert parameters(resumed.directory) == parameters(whole)
        assert history(resumed.directory) == history(whole)
        if step % 7 == 3:
            assert_same_run(resumed.directory, whole)


@pytest.mark.parametrize("optimizer", ["sgd", "adagrad", "rmsprop", {"kind": "rmsprop", "momentum": 0.5}, "adamw"])
@pytest.mark.parametrize("engine", ENGINES)
def test_every_other_optimizer(engine, optimizer, tmp_path, monkeypatch):
    values = experiment(optimizer=optimizer, engine=engine)
    whole = train(values, tmp_path / "whole").directory
    with cut_before(monkeypatch, 9):
        train(values, tmp_path / "cut")
    assert_same_run(train(None, tmp_path, resume=tmp_path / "cut/run").directory, whole)


def test_lbfgs(tmp_path, monkeypatch):
    values = config(
        descent={"variant": "batch", "batch_size": 23, "optimizer": "lbfgs", "learning_rate": 0.5},
        training={"epochs": 12, "checkpoint": {"every": "1 step"}},
        name="run",
    )
    whole = train(values, tmp_path / "whole").directory
    with cut_before(monkeypatch, 7):
        train(values, tmp_path / "cut")
    assert_same_run(train(None, tmp_path, resume=tmp_path / "cut/run").directory, whole)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("standardize", ["none", "inputs"])
def test_a_classifier_standardised_in_float32(standardize, engine, tmp_path, monkeypatch):
    values = config(
        dataset={"kind": "classification", "generator": "blobs", "samples": 60, "standardize": standardize},
        precision="float32",
        training={"epochs": 5, "checkpoint": {"every": "4 steps"}, "engine": engine},
        name="run",
    )
    whole = train(values, tmp_path / "whole").directory
    with cut_before(monkeypatch, 22):
        train(values, tmp_path / "cut")
    resumed = train(None, tmp_path, resume=tmp_path / "cut/run")
    assert resumed.summary["resumed"] == [20]
    assert_same_run(resumed.directory, whole)
    assert resumed.summary["confusion"] == nnintro.load(whole).summary["confusion"]


@pytest.mark.parametrize("engine", ENGINES)
def test_cut_off_again_and_again(engine, tmp_path, monkeypatch):
    values = experiment(every="4 steps", early_stopping=None, engine=engine)
    whole = train(values, tmp_path / "whole").directory
    with cut_before(monkeypatch, 6):
        train(values, tmp_path / "cut")
    for step in (7, 9, 21, 20, 47):
        with cut_before(monkeypatch, step):
            train(None, tmp_path, resume=tmp_path / "cut/run")
    resumed = train(None, tmp_path, resume=tmp_path / "cut/run")
    assert resumed.summary["resumed"] == [4, 8, 20, 44]
    assert_same_run(resumed.directory, whole)


def test_cut_off_before_the_first_checkpoint(tmp_path, monkeypatch):
    values = experiment(every="30s")
    whole = train(values, tmp_path / "whole").directory
    with cut_before(monkeypatch, 17):
        train(values, tmp_path / "cut")
    with pytest.raises(CheckpointError, match="no checkpoint here"):
        nnintro.load(tmp_path / "cut/run")
    resumed = train(None, tmp_path, resume=tmp_path / "cut/run")
    assert "resumed" not in resumed.summary
    assert_same_run(resumed.directory, whole)


@pytest.mark.parametrize("place", ["conclude", "finish", "summarize"])
def test_cut_off_after_training(place, tmp_path, monkeypatch):
    """Only the last words are missing then; nothing is trained again."""
    from nnintro.recording.recorder import Recorder
    from nnintro.training import job

    values = experiment()
    whole = train(values, tmp_path / "whole").directory

    def cut(*_, **__):
        raise Cut

    with monkeypatch.context() as patch:
        patch.setattr(job if place == "summarize" else Recorder, place, cut)
        with pytest.raises(Cut):
            train(values, tmp_path / "cut")
    assert nnintro.load(tmp_path / "cut/run").summary["status"] == "unfinished"
    with cut_before(monkeypatch, 0, expected=0):  # no update is made, or it would be cut off
        resumed = train(None, tmp_path, resume=tmp_path / "cut/run")
    expected = nnintro.load(whole).summary
    assert resumed.summary["status"] == expected["status"]
    assert resumed.summary.get("reason") == expected.get("reason")
    assert resumed.summary["metrics"] == expected["metrics"]
    assert_same_run(resumed.directory, whole)


def test_a_finished_run_is_returned_as_it_is(tmp_path, monkeypatch, capsys):
    run = train(experiment(), tmp_path)
    before = {path: path.read_bytes() for path in run.directory.rglob("*") if path.is_file()}
    with cut_before(monkeypatch, 0, expected=0):
        again = train(None, tmp_path, resume="run", quiet=False)
    assert again.summary == run.summary
    assert f"{tmp_path}/run is finished: stopped after" in capsys.readouterr().err
    after = {path: path.read_bytes() for path in run.directory.rglob("*") if path.is_file()}
    assert after == before


@pytest.mark.parametrize("engine", ENGINES)
def test_more_epochs_are_those_of_a_longer_run(engine, tmp_path):
    longer = config(training={"epochs": 9, "engine": engine}, logging={"scalars": "every 1 steps"}, name="run")
    whole = train(longer, tmp_path / "whole").directory
    train(longer, tmp_path / "short", overrides=["training.epochs=4"])
    short = tmp_path / "short/run"
    resumed = train(None, tmp_path, resume=short, overrides=["training.epochs=9"])
    assert resumed.summary["status"] == "completed"
    assert resumed.summary["resumed"] == [24]
    assert_same_run(short, whole)
    written = yaml.safe_load((short / "config.yaml").read_text())
    assert written["training"]["epochs"] == 9
    entry = json.loads((short / "environment.json").read_text())["resumed"]
    assert [(e["step"], e["changes"]) for e in entry] == [(24, ["training.epochs: 4 -> 9"])]
    assert len(list((short / "checkpoints").glob("step-*.pt"))) == 2


@pytest.mark.parametrize("engine", ENGINES)
def test_early_stopping_goes_on_from_the_last_network_not_the_best(engine, tmp_path):
    values = experiment(early_stopping={"patience": 1.5}, engine=engine)
    short = train(values, tmp_path / "short")
    assert short.summary["status"] == "stopped"
    patient = ["training.early_stopping.patience=1000"]
    whole = train(values, tmp_path / "whole", overrides=patient)
    assert whole.summary["status"] == "completed"
    resumed = train(None, tmp_path, resume=short.directory, overrides=patient)
    assert parameters(resumed.directory) == parameters(whole.directory)
    # The row at which it had stopped is of the network that it had gone back to then.
    ended, rows = short.summary["steps"], []
    for run in (resumed, whole):
        columns = history(run.directory)
        there = [at for at, step in enumerate(columns["step"]) if step != ended]
        rows.append({name: [values[at] for at in there] for name, values in columns.items()})
    assert rows[0] == rows[1]


def test_fewer_epochs_than_were_trained(tmp_path):
    run = train(config(name="run"), tmp_path)
    with pytest.raises(ConfigError) as error:
        train(None, tmp_path, resume=run.directory, overrides=["training.epochs=2"])
    assert str(error.value) == ("--set:1: training.epochs: the run is at update 18 already, and this is update 12")
    assert nnintro.load(run.directory).summary == run.summary


def test_another_config_is_refused_key_by_key(tmp_path):
    values = config(name="run")
    run = train(values, tmp_path / "runs")
    path = tmp_path / "other.yaml"
    other = config(descent={"learning_rate": 0.01}, model={"hidden": [6]})
    path.write_text(yaml.safe_dump(other, sort_keys=False))
    lines = [line.strip() for line in path.read_text().splitlines()]
    hidden, rate = lines.index("hidden:") + 2, lines.index("learning_rate: 0.01") + 1
    with pytest.raises(ConfigError) as error:
        nnintro.train(path, resume=run.directory)
    assert str(error.value).splitlines() == [
        f"{path}:{hidden}:3: model.hidden: the run has [5], and here it is [6]; "
        "to change it from here on: --set 'model.hidden=[6]'",
        f"{path}:{rate}:18: descent.learning_rate: the run has 0.05, and here it is 0.01; "
        "to change it from here on: --set descent.learning_rate=0.01",
    ]


def test_a_change_that_is_named_is_made(tmp_path):
    values = config(name="run")
    run = train(values, tmp_path)
    other = config(descent={"learning_rate": 0.01}, training={"epochs": 5})
    overrides = ["descent.learning_rate=0.01", "training={epochs: 5}"]
    resumed = nnintro.train(other, overrides, resume=run.directory)
    found = resumed.history
    rates = dict(zip(found["step"], found["descent/learning_rate"], strict=True))
    assert rates[18] == 0.05
    assert rates[30] == 0.01


def test_the_same_config_is_accepted(tmp_path, monkeypatch):
    values = experiment()
    with cut_before(monkeypatch, 5):
        train(values, tmp_path)
    assert train(values, tmp_path, resume="run").summary["status"] in ("completed", "stopped")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("model.hidden=[7]", "the checkpoint is of another model than config.yaml: hidden [5] bec"),
        ("descent.optimizer=adam", "--set:1: descent.optimizer: the run has the state of sgd"),
        ("descent.learning_rat=1", "--set:1: descent.learning_rat: unknown key; 'learning_rate'"),
        ("training.steps=3", "--set:1: training.steps: the run is at update 18 already"),
    ],
)
def test_a_change_that_cannot_be_made(override, message, tmp_path):
    run = train(config(name="run"), tmp_path)
    before = {path: path.read_bytes() for path in run.directory.rglob("*") if path.is_file()}
    with pytest.raises((ConfigError, CheckpointError)) as error:
        train(None, tmp_path, resume="run", overrides=[override])
    assert message in str(error.value)
    after = {path: path.read_bytes() for path in run.directory.rglob("*") if path.is_file()}
    assert after == before


LONGER = ["training.epochs=9"]


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        # Half a cosine over updates 0 to 17, then over 0 to 35: 0.05 * (1 + cos(pi * 18 / 35)) / 2.
        ("cosine", "drawn anew over 36 updates in place of 18: the learning rate goes from 0 to 0.0239"),
        ({"kind": "step", "every": 5, "factor": 0.5}, None),
        ("constant", None),
    ],
)
def test_a_schedule_that_is_drawn_anew_is_said(schedule, said, tmp_path, capsys):
    every = {"scalars": "every 1 step", "figures": "off"}
    train(config(descent={"schedule": schedule}, logging=every, name="run"), tmp_path)
    run = train(None, tmp_path, resume="run", overrides=["training.epochs=6"], quiet=False)
    shown = capsys.readouterr().err
    assert ("drawn anew" in shown) == (said is not None)
    if said is not None:
        assert f"warning: the cosine schedule is {said}\n" in shown
        before, after = (run.history["descent/learning_rate"][run.history["step"].index(at)] for at in (18, 19))
        assert (f"{before:.3g}", f"{after:.3g}") == ("0", "0.0239")


def test_a_lengthened_run_that_is_cut_off_is_not_finished(tmp_path, monkeypatch):
    """Its newest checkpoint is one of a completed run, under another config."""
    values = config(training={"epochs": 4}, name="run")
    train(values, tmp_path)
    with cut_before(monkeypatch, 30):
        train(None, tmp_path, resume="run", overrides=LONGER)
    assert nnintro.load(tmp_path / "run").summary["status"] == "unfinished"
    assert nnintro.load(tmp_path / "run").summary["steps"] == 24
    resumed = train(None, tmp_path, resume="run")
    assert (resumed.summary["status"], resumed.summary["steps"]) == ("completed", 54)
    whole = train(values, tmp_path / "whole", overrides=LONGER)
    assert parameters(resumed.directory) == parameters(whole.directory)


@pytest.mark.parametrize("file", ["summary.json", "config.yaml"])
def test_a_lengthened_run_that_is_cut_off_amid_its_files(file, tmp_path, monkeypatch):
    from nnintro.runs import folder, summary

    def cut(path, *_):
        raise Cut

    train(config(training={"epochs": 4}, name="run"), tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(*(
            (summary, "write_json", cut) if file == "summary.json" else (folder, "write_text", cut)
        ))  # fmt: skip
        with pytest.raises(Cut):
            train(None, tmp_path, resume="run", overrides=LONGER)
    again = train(None, tmp_path, resume="run")
    assert (again.summary["status"], again.summary["steps"]) == ("completed", 24)
    assert train(None, tmp_path, resume="run", overrides=LONGER).summary["steps"] == 54


def test_a_stopped_run_whose_rule_is_taken_back_and_that_is_cut_off(tmp_path, monkeypatch):
    values = config(training={"stop_when": {"validation/loss": 100.0}}, name="run")
    stopped = train(values, tmp_path)
    assert (stopped.summary["status"], stopped.summary["steps"]) == ("stopped", 0)
    with cut_before(monkeypatch, 5):
        train(None, tmp_path, resume="run", overrides=["training.stop_when=null"])
    assert train(None, tmp_path, resume="run").summary["steps"] == 18


@pytest.mark.parametrize(
    "change", ["training.checkpoint.keep=3", "descent.learning_rate=0.5", "training.stop_when={train/loss: 9}"]
)
def test_a_change_to_a_finished_run_from_which_nothing_follows_is_refused(change, tmp_path, monkeypatch):
    run = train(config(name="run"), tmp_path)
    before = {path: path.read_bytes() for path in run.directory.rglob("*") if path.is_file()}
    with cut_before(monkeypatch, 0, expected=0), pytest.raises(UsageError) as error:
        train(None, tmp_path, resume="run", overrides=[change])
    said = str(error.value)
    assert said.startswith(f"{run.directory} is finished: completed after 18 updates, without more of them nothing")
    assert said.endswith(f"; --resume {run.directory} --set training.epochs=6")
    assert change.partition("=")[0] in said
    assert "\n" not in said
    assert {path: path.read_bytes() for path in run.directory.rglob("*") if path.is_file()} == before
    longer = train(None, tmp_path, resume="run", overrides=[change, "training.epochs=6"])
    assert longer.summary["steps"] in (24, 36)


def test_early_stopping_that_is_taken_back_at_the_end_leaves_the_last_network(tmp_path):
    values = config(dataset={"noise": 1.0, "samples": 12}, model={"hidden": [40]}, name="run")
    values = {**values, "descent": {"learning_rate": 0.05, "optimizer": "adam", "batch_size": 4}}
    values["training"] = {"epochs": 60, "early_stopping": {"patience": 500}}
    run = train(values, tmp_path)
    assert run.summary["best_step"] < run.summary["steps"]
    last = train(values, tmp_path / "whole", overrides=["training.early_stopping=null"])
    again = train(None, tmp_path, resume="run", overrides=["training.early_stopping=null"])
    assert parameters(again.directory) == parameters(last.directory)


def test_checkpoints_that_nobody_can_go_on_from_do_not_displace_the_others(tmp_path):
    values = config(
        model={"hidden": []},
        descent={"variant": "batch", "learning_rate": 5.0},
        training={"epochs": 1000, "checkpoint": {"every": "50 steps"}},
        name="run",
    )
    with pytest.raises(DivergedError):
        train(values, tmp_path)
    for rate in (1e5, 1e6, 1e4):
        with pytest.raises(DivergedError):
            train(None, tmp_path, resume="run", overrides=[f"descent.learning_rate={rate}"])
    resumed = train(None, tmp_path, resume="run", overrides=["descent.learning_rate=0.1"])
    assert resumed.summary["status"] == "completed"
    assert resumed.summary["resumed"][-1] == 100


def test_a_damaged_checkpoint_does_not_displace_a_whole_one(tmp_path, monkeypatch):
    with cut_before(monkeypatch, 12):
        train(experiment(every="5 steps"), tmp_path)
    folder = tmp_path / "run/checkpoints"
    (folder / "step-10.pt").write_bytes(b"damaged")
    with cut_before(monkeypatch, 12):
        train(None, tmp_path, resume="run")
    manifest = json.loads((folder / "latest.json").read_text())
    steps = [manifest["step"], *(entry["step"] for entry in manifest["previous"])]
    assert steps == [10, 5]


def test_no_manifest_beside_several_checkpoints(tmp_path, monkeypatch):
    with cut_before(monkeypatch, 12):
        train(experiment(every="5 steps"), tmp_path)
    (tmp_path / "run/checkpoints/latest.json").unlink()
    before = (tmp_path / "run/history.csv").read_text()
    with pytest.raises(CheckpointError, match=r"latest\.json is missing, and there are 2 checkp"):
        train(None, tmp_path, resume="run")
    assert (tmp_path / "run/history.csv").read_text() == before


def test_all_checkpoints_gone(tmp_path):
    run = train(experiment(), tmp_path)
    for path in (run.directory / "checkpoints").iterdir():
        path.unlink()
    with pytest.raises(CheckpointError, match=r"run has no checkpoint left of its [0-9]+ updates"):
        train(None, tmp_path, resume="run", overrides=["training.steps=60"])


def test_events_that_were_lost_stay_lost(tmp_path, monkeypatch):
    """The new event file does not have them, so the summary goes on to say so."""
    from nnintro.recording.events import EventFile

    with monkeypatch.context() as patch, cut_before(patch, 12):
        drain = EventFile._drain

        def full(self, file):
            if len(self._pending) > 5:
                raise OSError(28, "No space left on device")
            drain(self, file)

        patch.setattr(EventFile, "_drain", full)
        train(experiment(every="5 steps"), tmp_path)
    resumed = train(None, tmp_path, resume="run")
    (lost,) = resumed.summary["incomplete"]
    assert "cannot write TensorBoard events any more: No space left on device" in lost


@pytest.mark.parametrize("override", ["descent.batch_size=8", "descent.variant=batch"])
def test_epochs_that_could_not_be_counted_on(override, tmp_path, monkeypatch):
    with cut_before(monkeypatch, 12):
        train(experiment(), tmp_path)
    with pytest.raises(ConfigError, match="the run's epochs are of 23 samples, mini-batch of 4; "):
        train(None, tmp_path, resume="run", overrides=[override])


def test_the_history_of_lbfgs_is_its_state(tmp_path):
    values = config(descent={"variant": "batch", "batch_size": 23, "optimizer": "lbfgs"}, name="run")
    train(values, tmp_path)
    overrides = ["training.epochs=9", "descent.optimizer.history=3"]
    with pytest.raises(ConfigError, match="the state of lbfgs with a history of 10, which is"):
        train(None, tmp_path, resume="run", overrides=overrides)


def test_a_run_that_was_moved(tmp_path):
    run = train(config(name="run"), tmp_path)
    moved = run.directory.rename(tmp_path / "elsewhere")
    assert nnintro.load(moved).summary["directory"] == str(moved)
    assert train(None, tmp_path, resume="elsewhere").summary["directory"] == str(moved)


TENSORS = torch.zeros(2)
CONTENTS = {
    "step": [TENSORS, "x", None, 12.0], "format": [TENSORS, 1], "seconds": [float("inf"), "x", -1],
    "status": ["bogus", None, TENSORS], "architecture": [None, {"inputs": TENSORS}, {"kind": 3}],
    "model": [None, {}, 3, {"layers.0.weight": TENSORS}], "network": [3, {"x": TENSORS}],
    "optimizer": [{}, None, {0: {}}, {i: {"exp_avg": "x"} for i in range(6)}],
    "patience": [3, {"metric": "validation/loss"}], "config": [None, 3],
    "history": [{}, None, {"step": TENSORS}, {"step": torch.zeros(2, 2, dtype=torch.int64)}],
    "events": [None, {"x": "y"}, {"x": float("inf")}], "lost": [3],
    "past": [None, {}, {"startup": 0.0, "total": 0.0, "resumed": [float("inf")]}],
    "optimizer_kind": [["x"], TENSORS], "plan": [None, [TENSORS]],
}  # fmt: skip


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in CONTENTS.items() for value in values])
def test_wrong_contents_behind_a_right_digest(key, value, tmp_path, monkeypatch):
    """Whoever wrote that: one line of ours, and nothing in the run is touched."""
    with cut_before(monkeypatch, 12):
        train(experiment(every="5 steps"), tmp_path)
    folder = tmp_path / "run/checkpoints"
    state = torch.load(folder / "step-10.pt", weights_only=True)
    assert key in state
    state[key] = value
    torch.save(state, folder / "step-10.pt")
    manifest = json.loads((folder / "latest.json").read_text())
    data = (folder / "step-10.pt").read_bytes()
    entry = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    (folder / "latest.json").write_text(json.dumps({**manifest, **entry}))
    before = {path: path.read_bytes() for path in folder.parent.rglob("*") if path.is_file()}
    with pytest.raises((CheckpointError, ConfigError)) as error:
        train(None, tmp_path, resume="run")
    assert len(str(error.value).splitlines()) == 1
    after = {path: path.read_bytes() for path in folder.parent.rglob("*") if path.is_file()}
    assert after == before


@pytest.mark.parametrize("engine", ENGINES)
def test_a_diverged_run_would_do_so_again(engine, tmp_path):
    values = config(
        model={"hidden": []},
        descent={"variant": "batch", "learning_rate": 5.0},
        training={"epochs": 1000, "checkpoint": {"every": "20 steps"}, "engine": engine},
        name="run",
    )
    with pytest.raises(DivergedError):
        train(values, tmp_path)
    with pytest.raises(DivergedError, match="and would again; to go on from the checkpoint before"):
        train(None, tmp_path, resume="run")
    resumed = train(None, tmp_path, resume="run", overrides=["descent.learning_rate=0.1"])
    assert resumed.summary["status"] == "completed"
    assert resumed.summary["resumed"] == [140]
    events = scalar_events(resumed.directory)
    assert len({(step, tag) for step, tag, _ in events}) == len(events)


def test_a_diverged_run_without_an_earlier_checkpoint(tmp_path):
    values = config(model={"hidden": []}, descent={"learning_rate": 5.0}, name="run")
    with pytest.raises(DivergedError):
        train(values, tmp_path, overrides=["training.epochs=1000"])
    with pytest.raises(CheckpointError, match="no checkpoint from before that is kept: begin a"):
        train(None, tmp_path, resume="run", overrides=["descent.learning_rate=0.1"])


def test_two_processes_in_one_run(tmp_path, monkeypatch):
    with cut_before(monkeypatch, 5):
        train(experiment(), tmp_path)
    with (
        RunLock(tmp_path / "run"),
        pytest.raises(CheckpointError, match=r"run: another process \(pid [0-9]+\) is training"),
    ):
        train(None, tmp_path, resume="run")
    train(None, tmp_path, resume="run")


def test_a_run_that_trains_is_locked(tmp_path, monkeypatch):
    from nnintro.training.loop import Loop

    def run(self, outcome=None):
        with pytest.raises(CheckpointError, match="another process"):
            RunLock(tmp_path / "run")
        seen.append(1)
        return loop_run(self, outcome)

    seen, loop_run = [], Loop.run
    monkeypatch.setattr(Loop, "run", run)
    train(config(name="run"), tmp_path)
    assert seen == [1]
    RunLock(tmp_path / "run").close()


def test_no_run(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(CheckpointError, match=r"nowhere: no such run"):
        train(None, tmp_path, resume="nowhere")
    (tmp_path / "project").mkdir()
    (tmp_path / "project/config.yaml").write_text("mine")
    with pytest.raises(CheckpointError, match="project is not a run: it has no checkpoints"):
        train(None, tmp_path, resume="project")
    assert [path.name for path in (tmp_path / "project").iterdir()] == ["config.yaml"]
    with pytest.raises(CheckpointError, match=r"cannot open x.*: File name too long"):
        train(None, tmp_path, resume="x" * 5000)
    with pytest.raises(CheckpointError, match=r"empty is not a run: it has no config\.yaml"):
        train(None, tmp_path, resume=tmp_path / "empty")
    with pytest.raises(UsageError, match="expected a config to train, or a run to resume"):
        train(None, tmp_path)
    with pytest.raises(UsageError, match="keeps its name"):
        train(None, tmp_path, resume="nowhere", name="other")


def test_a_damaged_newest_checkpoint(tmp_path, monkeypatch, capsys):
    values = experiment(every="5 steps")
    whole = train(values, tmp_path / "whole").directory
    with cut_before(monkeypatch, 12):
        train(values, tmp_path / "cut")
    path = tmp_path / "cut/run/checkpoints/step-10.pt"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)
    with pytest.warns(UserWarning, match=r"step-10\.pt is damaged.*step-5\.pt is used in its pla"):
        nnintro.load(tmp_path / "cut/run")
    resumed = train(None, tmp_path, resume=tmp_path / "cut/run", quiet=False)
    said = " ".join(capsys.readouterr().err.split())
    assert "step-10.pt is damaged" in said
    assert "going on from step-5.pt" in said
    assert resumed.summary["resumed"] == [5]
    assert_same_run(resumed.directory, whole)


def test_all_checkpoints_damaged(tmp_path, monkeypatch):
    with cut_before(monkeypatch, 12):
        train(experiment(every="5 steps"), tmp_path)
    for path in (tmp_path / "run/checkpoints").glob("step-*.pt"):
        path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CheckpointError, match=r"step-10\.pt is damaged: .*step-5\.pt is damaged: "):
        train(None, tmp_path, resume="run")


def test_records_that_were_lost_come_back_from_the_checkpoint(tmp_path, monkeypatch):
    values = experiment(every="5 steps")
    whole = train(values, tmp_path / "whole").directory
    with cut_before(monkeypatch, 12):
        train(values, tmp_path / "cut")
    (tmp_path / "cut/run/history.csv").write_text("step,epo")
    resumed = train(None, tmp_path, resume=tmp_path / "cut/run")
    assert history(resumed.directory) == history(whole)


def test_another_machine_is_noted(tmp_path, monkeypatch, capsys):
    with cut_before(monkeypatch, 5):
        train(experiment(), tmp_path)
    path = tmp_path / "run/environment.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "torch": "1.0"}))
    train(None, tmp_path, resume="run", quiet=False)
    said = " ".join(capsys.readouterr().err.split())
    assert f"torch was 1.0 and is {torch.__version__}: the bits may differ" in said


def test_seconds_add_up(tmp_path, monkeypatch):
    with cut_before(monkeypatch, 30):
        train(experiment(early_stopping=None), tmp_path)
    run = train(None, tmp_path, resume="run")
    seconds = run.summary["seconds"]
    assert run.history["seconds"] == sorted(run.history["seconds"])
    assert seconds["training"] >= run.history["seconds"][-1]
    assert seconds["total"] >= seconds["training"] + seconds["startup"] > 0


@pytest.mark.parametrize(
    "optimizer", ["adam", "adamw", "adagrad", "rmsprop", MOMENTUM, {"kind": "rmsprop", "momentum": 0.5}]
)
@pytest.mark.parametrize("engine", ENGINES)
def test_from_before_the_first_update(engine, optimizer, tmp_path):
    """Nothing is remembered there: a run of no epochs is lengthened like any other."""
    values = experiment(optimizer=optimizer, engine=engine)
    whole = train(values, tmp_path / "whole")
    train({**values, "training": {**values["training"], "steps": 0}}, tmp_path)
    changes = [f"training.steps={UPDATES}", "descent.schedule.warmup_steps=5"]
    resumed = train(None, tmp_path, resume="run", overrides=changes)
    assert parameters(resumed.directory) == parameters(whole.directory)


def test_a_torn_manifest(tmp_path, monkeypatch, capsys):
    values = experiment(checkpoint={"every": "3 steps", "keep": 2})
    whole = train(values, tmp_path / "whole").directory
    with cut_before(monkeypatch, 17):
        train(values, tmp_path)
    (tmp_path / "run/checkpoints/latest.json").write_text("{")
    resumed = train(None, tmp_path, resume="run", quiet=False)
    assert resumed.summary["resumed"] == [15]
    assert parameters(resumed.directory) == parameters(whole)
    shown = " ".join(capsys.readouterr().err.split())
    assert "latest.json: no readable checkpoint here" in shown
    assert "going on from step-15.pt" in shown
    assert json.loads((tmp_path / "run/checkpoints/latest.json").read_text())["step"] == resumed.summary["steps"]
