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


PRICES = "dataset: {{kind: table, path: {path}, target: price}}\nmodel: {{kind: mlp, hidden: [3]}}\n"


def table_config(tmp_path, name, rows, more=""):
    (tmp_path / f"{name}.csv").write_text("area,price\n" + "\n".join(rows) + "\n")
    path = tmp_path / f"{name}.yaml"
    path.write_text(PRICES.format(path=f"{name}.csv") + more)
    return path


def test_the_data_is_read_only_where_it_is_asked_for(command, tmp_path):
    path = table_config(tmp_path, "a", [f"{k},{k * k}" for k in range(9)] + ["many,5"])
    done = command("validate", path)
    assert (done.code, done.out) == (0, f"{path}: ok\n")
    assert "--data reads it" in done.err
    done = command("validate", "--data", path)
    assert (done.code, done.out) == (4, "")
    assert done.err.startswith("a.csv:11: column 'area': expected a number, got 'many'")


def test_of_good_data_it_says_what_it_is(command, tmp_path):
    path = table_config(tmp_path, "a", [f"{k},{k * k}" for k in range(10)])
    done = command("validate", "--data", path)
    assert done.code == 0, done.err
    assert (
        done.out
        == f"{path}: ok; table ({tmp_path / 'a.csv'}): regression, 1 in, 1 out; 8 training and 2 validation samples\n"
    )
    assert "--data" not in done.err
    assert not (tmp_path / "runs").exists()


def test_each_config_is_looked_at_and_the_first_problem_is_the_exit_code(command, tmp_path):
    rows = [f"{k},{k * k}" for k in range(10)]
    bad_data = table_config(tmp_path, "d", ["1,2", "2,", "3,4"])
    does_not_fit = table_config(tmp_path, "f", rows, "loss: cross_entropy\n")
    good = table_config(tmp_path, "g", rows)
    done = command("validate", "--data", does_not_fit, bad_data, good)
    assert done.code == 3
    assert done.out.startswith(f"{good}: ok; ")
    first, second = done.err.splitlines()
    assert first.startswith(f"{does_not_fit}:3:7: loss: cross_entropy needs classes")
    assert second.startswith("d.csv:3: column 'price': ")
    assert command("validate", "--data", bad_data, does_not_fit).code == 4
    assert command("validate", bad_data, does_not_fit, good).code == 0


def test_what_training_would_refuse_of_known_data_is_refused(command, written):
    path = written(device="cuda:7")
    assert command("validate", path).code == 0
    done = command("validate", "--data", path)
    assert done.code == 3
    assert "device: cuda:7 was asked for" in done.err
