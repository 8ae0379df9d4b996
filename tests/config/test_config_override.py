"""``--set``: values read as YAML, laid over a file, each problem placed at its override."""

from __future__ import annotations

import pytest

from nnintro.config.load import load_config
from nnintro.config.parse.nodes import Place, plain
from nnintro.config.parse.overrides import apply_overrides
from nnintro.config.parse.yaml_text import read_text
from nnintro.config.write import as_yaml
from nnintro.errors import ConfigError
from tests.config.config_files import MINIMAL, complaints, load_text

FILE = """\
dataset: {kind: function, formula: x}
model: {kind: mlp, hidden: [8, 9]}
descent: {optimizer: sgd, batch_size: 16}
training: {epochs: 3}
"""


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("seed=7", "seed", 7),
        ("descent.learning_rate=1e-3", "descent.learning_rate", 0.001),
        ("descent.shuffle=false", "descent.shuffle", False),
        ("name=no", "name", "no"),
        ("name='2024'", "name", "2024"),
        (" seed =5", "seed", 5),
        ("dataset.formula=x ** 2", "dataset.formula", "x ** 2"),
        ("dataset.formula=2*x", "dataset.formula", "2*x"),
        ("model.hidden=[1, 2, 3]", "model.hidden", [1, 2, 3]),
        ("model.hidden.1=4", "model.hidden", [8, 4]),
        ("logging.scalars=every 5 steps", "logging.scalars", "every 5 steps"),
        ("descent.optimizer.momentum=0.9", "descent.optimizer.momentum", 0.9),
        ("descent.optimizer.kind=adam", "descent.optimizer.kind", "adam"),
        ("descent.schedule={kind: step, every: 5}", "descent.schedule.every", 5),
        ("training.stop_when.train/loss=0.1", "training.stop_when", {"train/loss": 0.1}),
        ("training.early_stopping={}", "training.early_stopping.patience", 20.0),
    ],
)
def test_values(override, path, value, tmp_path):
    found = load_text(FILE, tmp_path, override).experiment
    for key in path.split("."):
        found = getattr(found, key)
    assert found == value


def test_the_newer_length_counts(tmp_path):
    def length(*overrides):
        training = load_text(FILE, tmp_path, *overrides).experiment.training
        return training.epochs, training.steps

    assert length("training.steps=50") == (None, 50)
    assert length("training.epochs=5") == (5, None)
    assert length("training.steps=50", "training.epochs=5") == (5, None)
    assert length("training.epochs=5", "training.steps=50") == (None, 50)
    assert length("training.steps=null") == (3, None)
    assert length("seed=1", "seed=2") == (3, None)


def test_later_overrides_win(tmp_path):
    assert load_text(FILE, tmp_path, "seed=1", "seed=2").experiment.seed == 2
    assert load_config(MINIMAL, ["descent.batch_size=8"]).experiment.descent.batch_size == 8


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("", "--set:1: expected KEY=VALUE, such as descent.learning_rate=0.01, got ''"),
        ("seed", "--set:1: expected KEY=VALUE, such as descent.learning_rate=0.01, got 'seed'"),
        ("=5", "--set:1: expected KEY=VALUE, such as descent.learning_rate=0.01, got '=5'"),
        ("a..b=5", "--set:1: expected KEY=VALUE, such as descent.learning_rate=0.01, got 'a..b=5'"),
        ("descent.learning_rat=1", "--set:1: descent.learning_rat: unknown key; did you mean 'learning_rate'?"),
        ("seed=many", "--set:1: seed: expected a whole number, got 'many'"),
        ("seed=", "--set:1: seed: expected a whole number, got nothing"),
        ("name=[a", "--set:1: name: not valid YAML: a list is opened with '[', never closed"),
        ("seed=!!int 5", "--set:1: seed: tags are not allowed, got !!int; write the plain value"),
        (
            "descent.optimizer={kind: sgd, kind: adam}",
            "--set:1: descent.optimizer.kind: duplicate key; it is defined twice",
        ),
        ("model.hidden.2=4", "--set:1: model.hidden.2: there is no item '2'; the list has 2, counted from 0"),
        ("model.hidden.-1=4", "--set:1: model.hidden.-1: there is no item '-1'; the list has 2, counted from 0"),
        (
            "model.hidden.first.x=4",
            "--set:1: model.hidden.first.x: there is no item 'first'; the list has 2, counted from 0",
        ),
        ("seed.x=4", "--set:1: seed: expected a whole number, got a mapping"),
        (
            "descent.schedule.final=0",
            "--set:1: descent.schedule.kind: required key is missing; expected constant, step, exponential or cosine",
        ),
        ("training.steps=-1", "--set:1: training.steps: expected a number of at least 0, got -1"),
        (
            "descent.batch_size=5000",
            "--set:1: descent.batch_size: expected at most the 1000 training samples, got 5000",
        ),
    ],
)
def test_problems(override, expected, tmp_path):
    with pytest.raises(ConfigError) as caught:
        load_text(FILE, tmp_path, override)
    assert str(caught.value) == expected


def test_order_of_problems(tmp_path, monkeypatch):
    """The file's from top to bottom, then the overrides' in theirs, then the option's."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_text("modl: {}\n" + FILE + "seed: x\n")
    overrides = [f"seed{i}=1" for i in range(9)] + ["training.epochs=-1", "=", "loss=l2"]
    with pytest.raises(ConfigError) as caught:
        load_config("a.yaml", overrides, name="../b")
    places = [line.split(": ")[0] for line in str(caught.value).split("\n")]
    assert places == ["a.yaml:1:1", "a.yaml:6:7", *(f"--set:{i}" for i in range(1, 13)), "--name"]


def test_an_anchor_is_not_shared(tmp_path):
    text = "dataset: {kind: function, formula: x1, samples: 4, domain: [&side [0, 1], *side]}\n"
    config = load_text(text + "model: {kind: mlp}\n", tmp_path, "dataset.domain.0.1=2").experiment
    assert config.dataset.domain == [[0, 2], [0, 1]]

    root = read_text("a: &m {kind: sgd, deep: {x: 1}}\nb: *m\nc: &t sgd\nd: *t", Place()).root
    assert apply_overrides(root, ["a.kind=adam", "b.deep.x=2", "c.kind=adam"]) == []
    assert plain(root) == {
        "a": {"kind": "adam", "deep": {"x": 1}},
        "b": {"kind": "sgd", "deep": {"x": 2}},
        "c": {"kind": "adam"},
        "d": "sgd",
    }


def test_a_dict_is_left_as_it_was():
    config = {**MINIMAL, "descent": {"optimizer": "sgd"}}
    load_config(config, ["descent.optimizer.momentum=0.5", "seed=3"])
    assert config == {**MINIMAL, "descent": {"optimizer": "sgd"}}
    assert complaints(config, "descent.optimizer.momentun=0.5") == [
        "--set:1: descent.optimizer.momentun: unknown key; did you mean 'momentum'?"
    ]


def test_the_name_option(tmp_path):
    path = tmp_path / "my first run!.yaml"
    path.write_text(FILE)
    assert load_config(path).experiment.name == "my-first-run-"
    assert load_config(path, name="other").experiment.name == "other"
    assert load_config(path, ["name=third"]).experiment.name == "third"
    assert "name: third" in as_yaml(load_config(path, ["name=third"]).experiment)
    assert complaints(path, "name=../x")[0].startswith("--set:1: name: expected letters")
