"""``nnintro explain``: the text, the JSON, and what it refuses."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from nnintro.explain import check, equations
from tests.cli.conftest import ROOT

WORKED = {
    "dataset": {"kind": "function", "formula": "sin(3*x)", "samples": 8},
    "model": {"kind": "mlp", "hidden": [2], "activation": "tanh"},
    "descent": {"variant": "stochastic", "learning_rate": 0.1, "batch_size": 1},
}
SECTIONS = ["THE NETWORK", "THE SAMPLE", "FORWARD", "THE LOSS", "BACKWARD", "THE UPDATE", "THE CHECK"]
CONFIGS = [
    "neuron/linear_regression", "classification/xor", "target", "real/iris", "neuron/single_layer", "steps/tower",
    "descent/batch", "tables/collisions",
]  # fmt: skip


def explained(command, *arguments):
    done = command("explain", *arguments, "--json")
    assert (done.code, done.err) == (0, "")
    return json.loads(done.out)


class TestJson:
    def test_the_contract(self, command, written):
        update = explained(command, written(**WORKED))
        assert list(update)[:4] == ["sample", "inputs", "targets", "loss"]
        wanted = {"sample", "inputs", "targets", "loss", "loss_name", "layers", "update", "step", "rows", "check"}
        assert set(update) >= wanted
        assert "following" not in update
        assert update["sample"] == update["rows"][0]
        assert (update["step"], update["loss_name"]) == (0, "mse")
        assert isinstance(update["loss"], float)
        assert update["update"]["optimizer"] == "sgd"
        assert update["update"]["learning_rate"] == 0.1
        assert update["check"] == {
            "largest_difference": update["check"]["largest_difference"],
            "against": "torch.autograd",
            "tolerance": 1e-12,
            "holds": True,
        }
        first, second = update["layers"]
        keys = {"W", "b", "s", "z", "slope", "u", "delta", "dW", "db", "W_after", "b_after"}
        assert set(first) >= keys
        shapes = {key: np.shape(first[key]) for key in ("W", "b", "z", "u", "delta", "dW", "db")}
        assert shapes == {
            "W": (2, 1), "b": (2,), "z": (1, 2), "u": (1, 2), "delta": (1, 2), "dW": (2, 1), "db": (2,)
        }  # fmt: skip
        assert (first["s"], second["s"]) == ("tanh", "identity")
        assert np.shape(second["W"]) == (1, 2)

    def test_by_hand(self, command, written):
        """The chain rule of a 1-2-1 network, one number after another in plain Python."""
        update = explained(command, written(**WORKED))
        (x,), (t,) = update["inputs"][0], update["targets"][0]
        assert t == pytest.approx(np.sin(3 * x), rel=1e-12)
        first, second = update["layers"]
        u = [np.tanh(w[0] * x + b) for w, b in zip(first["W"], first["b"], strict=True)]
        y = sum(w * v for w, v in zip(second["W"][0], u, strict=True)) + second["b"][0]
        assert update["loss"] == pytest.approx((y - t) ** 2, rel=1e-12)
        delta = 2 * (y - t)
        assert second["delta"] == [[pytest.approx(delta, rel=1e-12)]]
        assert second["dW"][0] == pytest.approx([delta * v for v in u], rel=1e-12)
        hidden = [delta * w * (1 - v**2) for w, v in zip(second["W"][0], u, strict=True)]
        assert first["delta"][0] == pytest.approx(hidden, rel=1e-12)
        assert first["db"] == first["delta"][0]
        after = [w[0] - 0.1 * d * x for w, d in zip(first["W"], hidden, strict=True)]
        assert [w[0] for w in first["W_after"]] == pytest.approx(after, rel=1e-12)

    def test_following_updates(self, command, written):
        update = explained(command, written(**WORKED), "--updates", 3)
        assert [each["step"] for each in update["following"]] == [1, 2]
        assert "following" not in update["following"][0]
        chain = [update, *update["following"]]
        for before, after in zip(chain[:-1], chain[1:], strict=True):
            assert [layer["W_after"] for layer in before["layers"]] == [layer["W"] for layer in after["layers"]]
            assert [layer["b_after"] for layer in before["layers"]] == [layer["b"] for layer in after["layers"]]

    def test_several_rows_have_no_sample(self, command, written):
        update = explained(command, written(), "--set", "descent.batch_size=5")
        assert (update["sample"], len(update["rows"]), len(update["inputs"])) == (None, 5, 5)

    def test_class_numbers(self, command, written):
        config = written(dataset={"kind": "classification", "generator": "blobs", "classes": 3, "samples": 30})
        update = explained(command, config, "--sample", 2)
        assert update["targets"] in ([0], [1], [2])
        assert np.shape(update["layers"][-1]["u"]) == (1, 3)

    def test_a_run_by_its_name_is_where_its_training_ended(self, command, written):
        assert command("train", written("a.yaml"), "--quiet").code == 0
        by_name, by_path = explained(command, "a"), explained(command, "runs/a")
        assert by_name == by_path
        assert by_name["step"] == 18
        assert by_name["layers"][0]["W"] != explained(command, "a.yaml")["layers"][0]["W"]


class TestText:
    @pytest.mark.parametrize("arguments", [(), ("--sample", 3), ("--updates", 2)])
    @pytest.mark.parametrize("name", CONFIGS)
    def test_the_sections_in_80_columns(self, command, name, arguments):
        done = command("explain", ROOT / f"configs/{name}.yaml", *arguments)
        assert (done.code, done.err) == (0, "")
        lines = done.out.splitlines()
        assert max(map(len, lines)) <= 80
        headings = [line for line in lines if line.startswith(tuple(SECTIONS))]
        assert len(headings) == len(SECTIONS) * (2 if "--updates" in arguments else 1)
        assert [heading.startswith(s) for heading, s in zip(headings, SECTIONS, strict=False)] == [True] * 7
        assert done.out.isascii()
        assert len(lines) < 200 * (2 if "--updates" in arguments else 1)

    @pytest.mark.parametrize("activation", equations.ACTIVATIONS)
    @pytest.mark.parametrize("loss", ["mse", "huber", "mae"])
    def test_narrow_and_deep_and_wide(self, command, written, activation, loss):
        model = {"hidden": [9, 70, 2, 3, 4], "activation": activation, "output_activation": activation}
        optimizer = {"kind": "rmsprop", "momentum": 0.9}
        descent = {"optimizer": optimizer, "weight_decay": 0.1, "clip_norm": 1e-5, "learning_rate": 1e3}
        dataset = {"kind": "regression", "generator": "linear", "features": 12, "outputs": 7, "samples": 40}
        config = written(model=model, loss=loss, descent=descent, dataset=dataset)
        done = command("explain", config, "--updates", 3)
        assert (done.code, done.err) == (0, "")
        assert max(map(len, done.out.splitlines())) <= 80
        assert done.out.count("... 4 more layers between, of the same kind; --json has their numbers") == 9

    def test_a_long_path(self, command, written):
        config = written(f"{'long' * 40}.yaml")
        lines = command("explain", config).out.splitlines()
        assert max(map(len, lines)) <= 80
        assert lines[0].endswith("long.yaml, as training begins")

    def test_every_number_of_a_small_network_is_there(self, command, written):
        config = written(**WORKED)
        text, update = command("explain", config).out, explained(command, config)
        numbers = [np.ravel(layer[key]) for layer in update["layers"] for key in
                   ("W", "b", "z", "u", "dW", "db", "W_after", "b_after")]  # fmt: skip
        numbers = [*np.concatenate(numbers), update["loss"], *update["inputs"][0], *update["targets"][0]]
        words = set(re.findall(r"[-.\de]+", text))
        assert [number for number in numbers if f"{number:.5g}" not in words] == []
        assert len(numbers) == 30

    def test_what_clipping_and_weight_decay_make_of_a_gradient(self, command, written):
        """dL/dw and g stand beside each other, and g is what the plain step takes."""
        config = written(**{**WORKED, "descent": {**WORKED["descent"], "clip_norm": 0.1, "weight_decay": 0.3}})
        text, update = command("explain", config).out, explained(command, config)
        (line,) = [line for line in text.splitlines() if line.startswith("    W1[2,1]")]
        w, slope, g, after = map(float, line.split()[1:])
        factor = min(1.0, 0.1 / (update["update"]["gradient_norm"] + 1e-6))
        assert factor < 1
        assert slope == pytest.approx(update["layers"][0]["dW"][1][0], rel=1e-4)
        assert g == pytest.approx(factor * slope + 0.3 * w, rel=1e-3)
        assert after == pytest.approx(w - 0.1 * g, rel=1e-4)
        assert f"makes it g <- {factor:.5g} g" in " ".join(text.split())
        assert "\n  g <- g + 0.3 w\n  w <- w - eta g\n" in text

    def test_a_damaged_checkpoint_is_noted_on_stderr(self, command, written, tmp_path):
        training = {"epochs": 3, "checkpoint": {"every": "5 steps", "keep": 3}}
        assert command("train", written("a.yaml", training=training), "--quiet").code == 0
        newest = tmp_path / "runs/a/checkpoints/step-18.pt"
        newest.write_bytes(newest.read_bytes()[:-9])
        done = command("explain", "a")
        assert (done.code, done.err.count("\n")) == (0, 1)
        assert re.match(r"note: \S+step-18\.pt is damaged: .*; step-15\.pt is used in its place\n", done.err)
        assert done.out.startswith("runs/a, running after 15 updates\n")

    def test_where_a_run_stands(self, command, written):
        assert command("train", written("a.yaml"), "--quiet").code == 0
        text = " ".join(command("explain", "a").out.split())
        assert text.startswith("runs/a, completed after 18 updates Update 19, in epoch 4; mini-batch: 4 of 23 ")
        assert "All 18 are made: this one would come next if training went on." in text
        text = " ".join(command("explain", "a", "--set", "training.epochs=9").out.split())
        assert "Update 19 of 54, in epoch 4;" in text

    def test_standardised_inputs_are_called_so(self, command):
        assert "x is standardised, (raw - mean) / scale" in command("explain", ROOT / "configs/real/iris.yaml").out


UNET = {"dataset": {"kind": "images", "generator": "cells"}, "model": {"kind": "unet"}}


class TestErrors:
    @pytest.mark.parametrize(
        ("sections", "place", "message"),
        [
            ({"model": {"hidden": [3], "dropout": 0.5}}, r"\d+:\d+: model\.dropout",
             "explain does not serve dropout, whose masks are random; expected 0"),
            ({"descent": {"optimizer": "lbfgs", "variant": "batch"}}, r"\d+:\d+: descent\.optimizer",
             "explain does not serve the optimizer lbfgs; expected sgd, adagrad, rmsprop, adam or adamw"),
            (UNET, r"\d+:\d+: model\.kind", "explain does not serve model kind unet; expected mlp or steps"),
        ],
    )  # fmt: skip
    def test_what_is_not_served(self, command, written, sections, place, message):
        done = command("explain", written("a.yaml", **sections))
        assert (done.code, done.out) == (3, "")
        assert re.fullmatch(rf"\S*a\.yaml:{place}: {re.escape(message)}\n", done.err)

    @pytest.mark.parametrize(
        ("table", "name", "path", "what"),
        [(equations.LOSSES, "mse", "loss", "the loss mse"),
         (equations.ACTIVATIONS, "tanh", "model.activation", "the activation tanh")],
    )  # fmt: skip
    def test_a_new_member_is_refused_until_it_has_a_row(self, command, written, monkeypatch, table, name, path, what):
        monkeypatch.delitem(table, name)
        done = command("explain", written("a.yaml", loss="mse"))
        assert (done.code, done.out) == (3, "")
        assert f": {path}: explain does not serve {what}; expected " in done.err

    def test_a_sample_that_is_not_there(self, command, written):
        done = command("explain", written(), "--sample", 23)
        assert (done.code, done.out) == (2, "")
        assert done.err == "--sample: expected a training sample from 0 to 22, got 23\n"
        assert command("explain", written(), "--sample", -1).code == 2

    @pytest.mark.parametrize("updates", ["0", "-1", "many"])
    def test_a_number_of_updates_that_is_none(self, command, written, updates):
        assert command("explain", written(), "--updates", updates).code == 2

    def test_neither_a_config_nor_a_run(self, command, written):
        assert command("train", written("xor.yaml"), "--quiet").code == 0
        done = command("explain", "xr")
        assert (done.code, done.out, done.err) == (6, "", "xr: no such run; did you mean 'xor'?\n")
        assert command("explain", "missing.yaml").code == 3

    def test_a_mistake_in_the_config_or_in_an_override(self, command, written):
        done = command("explain", written(), "--set", "descent.nesterof=true")
        assert (done.code, done.out) == (3, "")
        assert done.err.startswith("--set:1: descent.nesterof: unknown key")

    def test_wrong_numbers_are_loud(self, command, written, monkeypatch):
        """A derivative that is wrong by a millionth is shown as such, and is a bug: exit code 1."""
        right = equations.ACTIVATIONS["tanh"]
        wrong = equations.Activation(right.value, lambda z, u: right.slope(z, u) + 1e-6, "tanh(z)", "1 - u^2")
        monkeypatch.setitem(equations.ACTIVATIONS, "tanh", wrong)
        done = command("explain", written())
        assert done.code == 1
        assert "NOT EQUAL" in done.out
        assert re.match(r"the numbers above are wrong: (delta|dW|db) of layer 1 differs from torch's by ", done.err)
        done = command("explain", written(), "--json")
        assert done.code == 1
        assert json.loads(done.out)["check"]["largest_difference"] > check.TOLERANCE

    def test_a_wrong_step_is_loud_too(self, command, written, monkeypatch):
        from nnintro.explain import backpropagation

        monkeypatch.setattr(backpropagation, "SMALLEST_NORM", 1e-4)
        done = command("explain", written(), "--set", "descent.clip_norm=0.1")
        assert done.code == 1
        assert "after the update differs from torch's by" in done.err


def test_more_updates_than_anybody_reads(command, tmp_path):
    (tmp_path / "c.yaml").write_text(
        "dataset: {kind: function, formula: x}\nmodel: {kind: mlp, hidden: [64]}\n", encoding="utf-8"
    )
    done = command("explain", "c.yaml", "--updates", "1000000")
    assert done.code == 2
    assert "--updates: 1,000,000 of this network are" in done.err
