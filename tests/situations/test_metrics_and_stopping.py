"""What is measured, when training stops, and what a run says of its schedule."""

from __future__ import annotations

import json

import numpy as np
import pytest

import nnintro

N = 40
A = [k * 37 % 101 / 10 for k in range(N)]
B = [k * 7 % 11 for k in range(N)]
Y = [2 * a - b for a, b in zip(A, B, strict=True)]


def groups(desk):
    """Patients, each of one class: whichever is validation, it has one class alone."""
    desk.write(["g,a,y", *(f"p{k // 10},{a},{'yes' if k < 20 else 'no'}" for k, a in enumerate(A))])
    desk.keys = ["split: group", "split_by: g", "validation: 0.25"]


def set_training(desk, lines):
    desk.config = desk.config.replace("training: {epochs: 2}", f"training: {lines}")


@pytest.mark.parametrize(
    ("training", "place"),
    [
        ("{epochs: 9, early_stopping: {patience: 5, metric: validation/auc}}", "training.early_stopping.metric"),
        ("{epochs: 9, stop_when: {validation/auc: 0.99}}", "training.stop_when.validation/auc"),
    ],
)
def test_watching_auc_where_validation_has_one_class(desk, training, place):
    groups(desk)
    set_training(desk, training)
    message = desk.train("--quiet").err
    assert message.startswith("c.yaml:")
    assert f"{place}: in the validation data no sample belongs to class" in message
    assert "auc is not defined; watch another metric, or split otherwise" in message
    desk.config = desk.config.replace("validation/auc: 0.99", "validation/loss: 9").replace(
        "validation/auc", "validation/loss"
    )
    desk.trains("auc is not defined")


def test_auc_of_one_class_is_nothing(desk):
    groups(desk)
    desk.trains("auc is not defined")
    run = nnintro.load("c")
    assert run.summary["metrics"]["validation/auc"] is None
    assert set(run.history["validation/auc"]) == {None}
    assert all(value is not None for value in run.history["validation/accuracy"])


@pytest.mark.parametrize("more", [None, "every 8 steps"])
@pytest.mark.parametrize("epochs", [60, 3000])
def test_patience_is_counted_in_epochs(desk, epochs, more):
    """Whatever is logged, and however many epochs are asked for, training stops in the same epoch."""
    desk.write(["a,b,y", *(f"{a},{b},{y}" for a, b, y in zip(A, B, np.sin(1000 * np.array(A)), strict=True))])
    set_training(desk, f"{{epochs: {epochs}, early_stopping: {{patience: 3}}}}")
    if more:
        desk.config = desk.config.replace("logging: {", f"logging: {{scalars: {more}, ")
    desk.train("--quiet")
    summary = nnintro.load("c").summary
    assert summary["status"] == "stopped"
    losses = [loss_after(desk, number) for number in range(1, summary["epochs"] + 1)]
    best = int(np.argmin(losses)) + 1
    assert summary["epochs"] == best + 3
    assert summary["metrics"]["validation/loss"] == pytest.approx(losses[best - 1], rel=1e-12)


def loss_after(desk, epochs):
    """The validation loss of a run of so many epochs that nothing stops."""
    words = ["--set", f"training={{epochs: {epochs}}}", "--name", f"e{epochs}", "--quiet"]
    assert desk.command("train", "c.yaml", *words).code == 0
    return nnintro.load(f"e{epochs}").summary["metrics"]["validation/loss"]


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "tanh"])
def test_an_output_that_cannot_reach_the_targets(desk, activation):
    desk.write(["a,b,y", *(f"{a},{b},{abs(y)}" for a, b, y in zip(A, B, Y, strict=True))])
    desk.config = desk.config.replace("hidden: [4]", f"hidden: [4], output_activation: {activation}")
    desk.refused(f"c.yaml:5:52: model.output_activation: {activation} does not reach all standardised targets")
    desk.follow("standardize: inputs")
    desk.trains()
    if activation == "relu":
        desk.has_read({"a": A, "b": B}, [abs(y) for y in Y])
        assert min(map(float, desk.predicted("d.csv"))) >= 0


def test_a_cosine_schedule_that_is_extended(desk):
    """The rate had come down to 0; it starts from another place, and that is said."""
    desk.write(["a,b,y", *(f"{a},{b},{y}" for a, b, y in zip(A, B, Y, strict=True))])
    desk.config = desk.config.replace("learning_rate: 0.01", "learning_rate: 0.01, batch_size: 8, schedule: cosine")
    desk.trains()
    done = desk.command("train", "--resume", "c", "--set", "training.epochs=4")
    assert done.code == 0
    assert (
        "the cosine schedule is drawn anew over 16 updates in place of 8: the learning rate goes from 0 to" in done.err
    )


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("model.activation", {"linear": "identity", "none": "identity", "swish": "silu", "ReLU": "relu",
                              "LeakyReLU": "leaky_relu"}),
        ("descent.optimizer", {"SGD": "sgd", "AdamW": "adamw", "RMSProp": "rmsprop", "nadam": "adam"}),
        ("loss", {"l1": "mae", "nll": "cross_entropy", "binary_crossentropy": "cross_entropy", "huber_loss": "huber"}),
    ],
)  # fmt: skip
def test_the_words_of_other_programs(desk, key, words):
    desk.write("a,y\n1,2\n")
    desk.train("--quiet")
    for word, ours in words.items():
        done = desk.command("validate", "c.yaml", "--set", f"{key}={word}")
        assert done.code == 3
        assert done.err.endswith(f"got '{word}'; did you mean '{ours}'?\n")
        assert desk.command("validate", "c.yaml", "--set", f"{key}={ours}").code == 0 or ours == "cross_entropy"


def test_classes_that_the_console_cannot_write(desk, monkeypatch):
    """``evaluate`` on a console of ASCII: the names are escaped, and nothing breaks."""
    desk.write(
        ["a,ort,y", *(f"{a},{'Köln' if k % 2 else '東京'},{'grün' if k % 2 else 'rot'}" for k, a in enumerate(A))]
    )
    desk.trains()
    environment = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii:strict"}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    done = desk.process("evaluate", "c", "--dataset", "d.csv")
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
    assert rb"gr\xfcn" in done.stdout
    assert json.loads(desk.command("evaluate", "c", "--dataset", "d.csv", "--json").out)["samples"] == N
