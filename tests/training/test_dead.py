"""A hidden layer that is 0 everywhere is named when training ends."""

from __future__ import annotations

import pytest

import nnintro

DEAD = [{"W": [[1], [1]], "b": [-5, -9]}, {"W": [[1, 1]], "b": [0.5]}]  # inputs are from 0 to 1
ONE_LIVES = [{"W": [[1], [1]], "b": [-5, -0.999]}, DEAD[1]]  # at the last sample alone
DEEP = [{"W": [[1]], "b": [0]}, {"W": [[-1], [-1], [-1]], "b": [-0.1, -0.1, -0.1]}, {"W": [[1, 1, 1]], "b": [0]}]


def said(tmp_path, capsys, layers, **keys):
    hidden = [len(layer["b"]) for layer in layers[:-1]]
    model = {"kind": "mlp", "hidden": hidden, "activation": keys.pop("activation", "relu"),
             "initialization": {"kind": "given", "layers": layers}}  # fmt: skip
    values = {"dataset": {"kind": "function", "formula": "x", "samples": 5000}, "model": model, "name": "run",
              "descent": {"learning_rate": 1e-9}, "training": {"steps": 2, **keys},
              "logging": {"figures": "off"}}  # fmt: skip
    nnintro.train(values, runs_dir=tmp_path, quiet=False)
    return " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(("layers", "number", "units"), [(DEAD, 1, 2), (DEEP, 2, 3)])
def test_it_is_named_with_remedies(tmp_path, capsys, layers, number, units):
    text = said(tmp_path, capsys, layers)
    assert (
        f"warning: hidden layer {number} is dead: all {units} of its relu units are 0 at every training sample" in text
    )
    assert "try a smaller learning rate, initialization: he, or activation: leaky_relu" in text
    assert text.count("is dead") == 1


@pytest.mark.parametrize(
    ("layers", "keys"),
    [(ONE_LIVES, {}), (DEAD, {"activation": "leaky_relu"}), (DEAD, {"activation": "sigmoid"}), (DEAD, {"steps": 0})],
)
def test_nothing_is_said_of_others(tmp_path, capsys, layers, keys):
    assert "dead" not in said(tmp_path, capsys, layers, **keys)
