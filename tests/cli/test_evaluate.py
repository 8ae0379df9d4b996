"""nnintro evaluate: the training's own metrics, on its own data and on others."""

from __future__ import annotations

import json
import shutil
import zipfile

import numpy as np
import pytest
from sklearn.datasets import load_linnerud
from sklearn.metrics import f1_score, roc_auc_score

import nnintro
from tests.cli.bad_tables import npy
from tests.conftest import TRAINED
from tests.support import config


def evaluated(command, *words):
    done = command("evaluate", *words, "--json")
    assert done.code == 0, done.err
    return json.loads(done.out)


class TestOwnData:
    @pytest.mark.parametrize("name", sorted(TRAINED))
    def test_the_numbers_of_the_summary_to_the_last_bit(self, command, runs, name):
        summary = json.loads((runs[name] / "summary.json").read_text())
        expected = {
            tag.removeprefix("validation/"): value
            for tag, value in summary["metrics"].items()
            if tag.startswith("validation/")
        }
        assert len(expected) >= 3
        found = evaluated(command, runs[name])
        several = ["targets"] if name == "vector" else []
        assert list(found) == ["run", "dataset", "samples", "metrics", "confusion", *several]
        assert found["metrics"] == expected
        assert found["confusion"] == summary.get("confusion")
        assert (found["run"], found["dataset"]) == (str(runs[name]), "validation")
        samples = {"moons": 12, "moons_mse": 12, "blobs": 18, "blobs_mse": 12, "vector": 10}
        assert found["samples"] == samples.get(name, 2001)

    def test_table(self, command, runs):
        done = command("evaluate", runs["exact"])
        assert done.err == f"{runs['exact']} on its own validation data, 2,001 samples\n"
        header, *rows = [line.split() for line in done.out.splitlines()]
        assert header == ["metric", "value"]
        metrics = evaluated(command, runs["exact"])["metrics"]
        assert [row[0] for row in rows] == list(metrics)
        assert [float(row[1]) for row in rows] == [float(f"{v:.6g}") for v in metrics.values()]
        assert all(len(row) == 2 for row in rows)

    def test_table_of_classes(self, command, runs):
        lines = command("evaluate", runs["blobs"]).out.splitlines()
        blank = lines.index("")
        counts = evaluated(command, runs["blobs"])["confusion"]
        assert lines[blank + 1] == "true class (rows), predicted class (columns)"
        assert lines[blank + 2].split() == ["0", "1", "2"]
        rows = [[int(cell) for cell in line.split()] for line in lines[blank + 3 :]]
        assert rows == [[k, *row] for k, row in enumerate(counts)]

    @pytest.mark.parametrize("device", [None, "foo", "mps", "cuda:-1", "cuda:0x1", "cuda:99", 3])
    def test_a_summary_with_an_odd_device(self, command, runs, tmp_path, device):
        copy = shutil.copytree(runs["curve"], tmp_path / "copy")
        summary = json.loads((copy / "summary.json").read_text())
        (copy / "summary.json").write_text(json.dumps({**summary, "device": device}))
        assert evaluated(command, copy)["metrics"] == evaluated(command, runs["curve"])["metrics"]

    def test_a_run_of_another_machine_is_measured_on_this_one(self, command, runs, tmp_path):
        copy = shutil.copytree(runs["exact"], tmp_path / "copy")
        summary = json.loads((copy / "summary.json").read_text())
        summary["device"] = "cuda:7"
        (copy / "summary.json").write_text(json.dumps(summary))
        expected = evaluated(command, runs["exact"])["metrics"]
        assert evaluated(command, copy)["metrics"] == expected


class TestFiles:
    def test_regression_is_numpy_by_hand(self, command, runs, tmp_path):
        rng = np.random.default_rng(7)
        inputs, targets = rng.normal(size=(40, 3)), rng.normal(size=(40, 2))
        both = np.hstack([inputs, targets])
        np.save(tmp_path / "a.npy", both)
        np.savez(tmp_path / "a.npz", targets=targets, inputs=np.asfortranarray(inputs))
        np.savetxt(tmp_path / "plain.csv", both, delimiter=",", fmt="%.17g")
        shuffled = both[:, [4, 0, 3, 2, 1]]
        np.savetxt(
            tmp_path / "a.tsv", shuffled, delimiter="\t", fmt="%.17g", header="y2\tx1\ty1\tx3\tx2",
            comments="",
        )  # fmt: skip
        residual = nnintro.load(runs["vector"]).predict(inputs).numpy() - targets
        spread = ((targets - targets.mean(0)) ** 2).sum(0)
        mse = (residual**2).mean()
        expected = {
            "loss": mse,
            "mse": mse,
            "mae": np.abs(residual).mean(),
            "rmse": np.sqrt(mse),
            "r2": (1 - (residual**2).sum(0) / spread).mean(),
        }
        for name in ("a.npy", "a.npz", "plain.csv", "a.tsv"):
            found = evaluated(command, runs["vector"], "--dataset", name)
            assert (found["dataset"], found["samples"]) == (name, 40)
            assert found["confusion"] is None
            assert found["metrics"] == pytest.approx(expected, rel=1e-12)

    def test_sup_error_says_what_it_is(self, command, runs, tmp_path):
        (tmp_path / "a.csv").write_text("x,y\n0.25,1\n0.5,7\n0.75,1\n")
        largest = 7 - nnintro.load(runs["exact"]).predict([0.5]).item()
        found = evaluated(command, runs["exact"], "--dataset", "a.csv")
        assert found["metrics"]["sup_error"] == pytest.approx(largest, rel=1e-12)
        done = command("evaluate", runs["exact"], "--dataset", "a.csv")
        assert done.out.splitlines()[-1].endswith("the largest absolute error over these samples")
        assert done.err.endswith("on a.csv, 3 samples\n")

    @pytest.mark.parametrize("name", ["moons", "moons_mse", "blobs", "blobs_mse"])
    def test_classes_are_scikit_learns(self, command, runs, tmp_path, name):
        rng = np.random.default_rng(8)
        count = 2 if name.startswith("moons") else 3
        inputs, labels = rng.normal(size=(80, 2)) * 3, rng.integers(0, count, 80)
        np.savez(tmp_path / "a.npz", inputs=inputs, targets=labels)
        np.savetxt(tmp_path / "a.csv", np.column_stack([inputs, labels]), delimiter=",")
        outputs = nnintro.load(runs[name]).predict(inputs).double().numpy()
        logits = not name.endswith("mse")
        middle = 0 if logits else 0.5
        predicted = outputs.argmax(1) if count == 3 else (outputs[:, 0] > middle).astype(int)
        for file in ("a.npz", "a.csv"):
            found = evaluated(command, runs[name], "--dataset", file)
            metrics = found["metrics"]
            assert metrics["accuracy"] == pytest.approx((predicted == labels).mean())
            assert metrics["f1"] == pytest.approx(f1_score(labels, predicted, average="macro"))
            assert ("cross_entropy" in metrics) == logits
            if count == 2:
                assert metrics["auc"] == pytest.approx(roc_auc_score(labels, outputs[:, 0]))
            pairs = [[a, b] for a, b in zip(labels, predicted, strict=True)]
            assert found["confusion"] == [[pairs.count([true, said]) for said in range(count)] for true in range(count)]
        if logits and count == 3:
            chosen = outputs[np.arange(80), labels]
            expected = (np.log(np.exp(outputs).sum(1)) - chosen).mean()
            assert metrics["cross_entropy"] == pytest.approx(expected, rel=1e-6)

    def test_an_archive_with_plain_names(self, command, runs, tmp_path):
        """numpy takes members with and without .npy behind their names."""
        arrays = {"inputs": np.arange(3.0), "targets": np.zeros(3)}
        np.savez(tmp_path / "a.npz", **arrays)
        with zipfile.ZipFile(tmp_path / "b.npz", "w") as archive:
            for name, array in arrays.items():
                archive.writestr(name, npy(array))
        expected = evaluated(command, runs["curve"], "--dataset", "a.npz")["metrics"]
        assert evaluated(command, runs["curve"], "--dataset", "b.npz")["metrics"] == expected

    def test_targets_have_to_fit_where_inputs_may_be_larger(self, command, tmp_path):
        values = config(dataset={"standardize": "inputs"}, precision="float32")
        run = nnintro.train(values, runs_dir=tmp_path / "runs").directory
        (tmp_path / "a.csv").write_text("x,y\n1e39,1\n1,-1e39\n")
        done = command("evaluate", run, "--dataset", "a.csv")
        assert (done.code, done.out) == (4, "")
        wanted = "a number that float32 can hold (at most 3.4e+38)"
        assert done.err == f"a.csv:3: column 'y': expected {wanted}, got '-1e39'\n"

    def test_classes_that_do_not_occur(self, command, runs, tmp_path):
        (tmp_path / "a.csv").write_text("x1,x2,y\n0,1,1\n2,3,1.0\n")
        done = command("evaluate", runs["moons"], "--dataset", "a.csv", "--json")
        found = json.loads(done.out)
        assert found["metrics"]["auc"] is None
        assert found["confusion"][0] == [0, 0]
        assert done.err == "note: no sample belongs to class 0; auc is not defined\n"
        done = command("evaluate", runs["blobs"], "--dataset", "a.csv")
        assert done.err.splitlines()[-1] == "note: no sample belongs to classes 0, 2"
        assert (done.code, "not finite" in done.out) == (0, False)


class TestDatasets:
    def test_the_runs_own_config_gives_its_own_numbers(self, command, runs):
        for name in ("vector", "moons", "curve"):
            config = runs[name] / "config.yaml"
            found = evaluated(command, runs[name], "--dataset", config)
            assert found["metrics"] == evaluated(command, runs[name])["metrics"]
            assert found["dataset"] == str(config)

    def test_a_dataset_alone_is_enough(self, command, runs, tmp_path):
        (tmp_path / "d.yaml").write_text("seed: 3\ndataset: {kind: function, formula: sin(3*x), samples: 5}\n")
        found = evaluated(command, runs["exact"], "--dataset", "d.yaml")
        assert found["metrics"] == evaluated(command, runs["exact"])["metrics"]

    def test_a_dataset_beyond_the_runs_precision(self, command, runs, tmp_path):
        text = "precision: float64\ndataset:\n  kind: function\n  formula: 1e39*x\n"
        (tmp_path / "d.yaml").write_text(text)
        done = command("evaluate", runs["curve"], "--dataset", "d.yaml")
        assert (done.code, done.out) == (3, "")
        assert done.err.startswith("d.yaml:4:12: dataset.formula: the targets go beyond what float32 can hold")
        assert command("evaluate", runs["exact"], "--dataset", "d.yaml").code == 0

    def test_the_seed_is_that_of_the_file(self, command, runs, tmp_path):
        text = "seed: {}\ndataset: {{kind: classification, generator: moons, samples: 60}}\n"
        accuracies = set()
        for seed in (1, 2):
            (tmp_path / "d.yml").write_text(text.format(seed))
            found = evaluated(command, runs["moons"], "--dataset", "d.yml")
            assert (found["samples"], sum(map(sum, found["confusion"]))) == (12, 12)
            accuracies.add(found["metrics"]["loss"])
        assert len(accuracies) == 2

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("dataset: {kind: classification, generator: moons}",
             "d.yaml:1:10: dataset: expected regression of 1 input and 1 output, as the run "
             "was trained for; got 2 classes of 2 inputs"),
            ("# two\ndataset:\n  kind: function\n  formula: x1*x2\n  domain: [[0, 1], [0, 1]]\n"
             "  samples: 9",
             "d.yaml:3:3: dataset: expected regression of 1 input and 1 output, as the run "
             "was trained for; got regression of 2 inputs and 1 output"),
            ("dataset: {kind: function, formula: x, sample: 3}",
             "d.yaml:1:39: dataset.sample: unknown key; did you mean 'samples'?"),
            ("", "d.yaml:1:1: the config is empty; expected a mapping of sections (dataset, model, "
             "...)"),
        ],
    )  # fmt: skip
    def test_another_task_or_a_mistake(self, command, runs, tmp_path, text, message):
        (tmp_path / "d.yaml").write_text(text)
        done = command("evaluate", runs["exact"], "--dataset", "d.yaml")
        assert (done.code, done.out) == (3, "")
        assert done.err == f"{message}\n"


def test_each_of_several_targets_without_a_table(command, tmp_path):
    """Three measures of the body, in their own units: y1, y2 and y3 as in a file of samples."""
    (tmp_path / "c.yaml").write_text(
        "dataset: {kind: bundled, name: linnerud}\nmodel: {kind: mlp, hidden: [3]}\ntraining: {epochs: 3}\n"
    )
    assert command("train", "c.yaml", "--quiet").code == 0
    run, bunch = nnintro.load("c"), load_linnerud()
    assert list(run.summary["targets"]) == ["y1", "y2", "y3"]
    columns = np.column_stack([bunch.data, bunch.target])
    np.savetxt(tmp_path / "all.csv", columns, "%.17g", ",", header="x1,x2,x3,y1,y2,y3", comments="")
    done = command("evaluate", "c", "--dataset", "all.csv", "--json")
    assert done.code == 0, done.err
    errors = run.predict(bunch.data).numpy() - bunch.target
    found = json.loads(done.out)["targets"]
    for column, name in enumerate(("y1", "y2", "y3")):
        assert found[name]["mae"] == pytest.approx(np.abs(errors[:, column]).mean(), rel=1e-5)
        assert found[name]["rmse"] == pytest.approx(np.sqrt((errors[:, column] ** 2).mean()), rel=1e-5)
