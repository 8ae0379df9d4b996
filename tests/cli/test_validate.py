"""nnintro validate: every problem of every file, and nothing else."""

from __future__ import annotations


def test_good_files(command, written):
    first, second = written("a.yaml"), written("b.yaml", seed=3)
    done = command("validate", first, second)
    assert (done.code, done.out, done.err) == (0, f"{first}: ok\n{second}: ok\n", "")


def test_bad_files_among_good_ones(command, written, tmp_path):
    good, last = written("good.yaml"), written("last.yaml")
    bad = written("bad.yaml", descent={"shufle": True}, training={"epochs": -1})
    done = command("validate", good, bad, tmp_path / "missing.yaml", last)
    assert done.code == 3
    assert done.out == f"{good}: ok\n{last}: ok\n"
    first, second, third = done.err.splitlines()
    assert first.startswith(f"{bad}:")
    assert "descent.shufle: unknown key; did you mean 'shuffle'?" in first
    assert second.startswith(f"{bad}:")
    assert "training.epochs" in second
    assert third.startswith(f"{tmp_path / 'missing.yaml'}:")
    assert "No such file" in third


def test_places_are_those_of_the_text(command, tmp_path):
    path = tmp_path / "placed.yaml"
    path.write_text("dataset: {kind: function, formula: x}\nmodel:\n  kind: mlp\n  hiden: [3]\n")
    done = command("validate", path)
    assert done.code == 3
    assert done.err.startswith(f"{path}:4:3: model.hiden: unknown key")


def test_overrides_are_checked_too(command, written):
    done = command("validate", written(), "--set", "descent.learning_rate=fast")
    assert done.code == 3
    assert done.err.startswith("--set:1: descent.learning_rate")


def test_a_config_that_trains_less_than_it_seems_is_told_so(command, written):
    path = written(model={"activation": "step"})
    done = command("validate", path)
    assert (done.code, done.out) == (0, f"{path}: ok\n")
    assert f"{path}: note: hidden layer 1 has the activation step" in done.err
