"""Names of other frameworks, letters of other alphabets, typographic signs: the message says what to type."""

from __future__ import annotations

import pytest

from nnintro.config.load import load_config, name_from
from nnintro.errors import ConfigError
from nnintro.wording import nearest, pace

ACTIVATIONS = ("identity", "step", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "sine")
LOSSES = ("mse", "mae", "huber", "cross_entropy", "bce")


@pytest.mark.parametrize(
    ("theirs", "ours", "names"),
    [
        ("linear", "identity", ACTIVATIONS),
        ("none", "identity", ACTIVATIONS),
        ("relu6", "relu", ACTIVATIONS),
        ("selu", "elu", ACTIVATIONS),
        ("MSELoss", "mse", LOSSES),
        ("l1", "mae", LOSSES),
        ("L1Loss", "mae", LOSSES),
        ("smooth_l1", "huber", LOSSES),
        ("nll", "cross_entropy", LOSSES),
        ("CrossEntropyLoss", "cross_entropy", LOSSES),
        ("categorical_crossentropy", "cross_entropy", LOSSES),
    ],
)
def test_what_others_call_it(theirs, ours, names):
    assert nearest(theirs, names) == ours


def complaint(**changes):
    sections = {"dataset": {"kind": "function", "formula": "x"}, "model": {"kind": "mlp"}, **changes}
    with pytest.raises(ConfigError) as caught:
        load_config(sections)
    return str(caught.value)


def test_a_letter_of_another_alphabet_is_named():
    told = complaint(sееd=1)
    assert "did you mean 'seed'?; the 'е' in it is a Cyrillic letter: type the Latin e" in told
    told = complaint(descent={"optimizer": "аdam"})
    assert "did you mean 'adam'?; the 'а' in it is a Cyrillic letter: type the Latin a" in told


@pytest.mark.parametrize("minus", ["\u2212", "\u2013"])
def test_a_typographic_minus_is_explained(minus):
    assert complaint(descent={"learning_rate": f"{minus}0.1"}).endswith("; write -0.1")
    formula = complaint(dataset={"kind": "function", "formula": f"x {minus} 1"})
    assert formula.endswith("is not part of a formula; type the minus sign -")


def test_typographic_quotes_are_explained():
    formula = complaint(dataset={"kind": "function", "formula": "\u201csin(x)\u201d"})
    assert formula.endswith("; these are a word processor's quotes: leave them out, or type \" in YAML")


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("опыт 2.yaml", "опыт-2"), ("实验.yaml", "实验"), ("e\u0301te\u0301.yaml", "\u00e9t\u00e9"),
        ("a/b c.yaml", "b-c"), ("я" * 200 + ".yaml", "я" * 50),
    ],
)  # fmt: skip
def test_a_runs_name_in_any_alphabet(file, name, tmp_path):
    from pathlib import Path

    assert name_from(Path(file)) == name
    config = {"name": name, "dataset": {"kind": "function", "formula": "x"}, "model": {"kind": "mlp"}}
    assert load_config(config).experiment.name == name


def test_a_file_whose_name_gives_none_says_so(tmp_path):
    path = tmp_path / "---.yaml"
    path.write_text("dataset: {kind: function, formula: x}\nmodel: {kind: mlp}\n")
    with pytest.warns(UserWarning, match=r"gives no name for the run, which is called 'run'"):
        assert load_config(path).experiment.name == "run"
    assert load_config(path, name="a").experiment.name == "a"


@pytest.mark.parametrize(
    ("rate", "text"), [(0.25, "4.0 s an update"), (0.005, "3:20 an update"), (1.0, "1 updates/s"), (0.0, "0 updates/s")]
)
def test_slow_updates_are_seconds(rate, text):
    assert pace(rate) == text
