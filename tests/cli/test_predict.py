"""nnintro predict: the rows as they were, and the network's answers behind them."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import signal
import subprocess
import sys
import time
import types
from pathlib import Path

import numpy as np
import pytest

import nnintro
from nnintro.predict import writers as output
from tests.cli.conftest import environment
from tests.support import PATIENCE


def table(text, delimiter=","):
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softmax(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


class TestCsv:
    def test_columns_keep_their_text_names_and_order(self, command, runs, tmp_path):
        text = 'n,x2,"a ""b"", c", x1\r\n007,-0.50,"1,5\nü",1e-1\r\n\r\n,+2.,x,  3\r\n'
        (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
        done = command("predict", runs["blobs"], "a.csv")
        assert (done.code, done.err) == (0, "")
        header, *rows = table(done.out)
        assert header == [
            "n", "x2", 'a "b", c', " x1", "prediction", "probability_0", "probability_1",
            "probability_2",
        ]  # fmt: skip
        assert [row[:4] for row in rows] == [["007", "-0.50", "1,5\nü", "1e-1"], ["", "+2.", "x", "  3"]]
        logits = nnintro.load(runs["blobs"]).predict([[0.1, -0.5], [3, 2]]).numpy()
        expected = softmax(logits.astype(float))
        assert np.allclose([[float(c) for c in row[5:]] for row in rows], expected, rtol=1e-6)
        assert [row[4] for row in rows] == [str(k) for k in logits.argmax(1)]

    def test_one_logit_is_two_probabilities(self, command, runs, tmp_path):
        points = np.random.default_rng(1).normal(size=(50, 2))
        np.savetxt(tmp_path / "a.csv", points, delimiter=",")
        header, *rows = table(command("predict", runs["moons"], "a.csv").out)
        assert header == ["x1", "x2", "prediction", "probability_0", "probability_1"]
        found = np.array(rows, dtype=float)
        one = sigmoid(nnintro.load(runs["moons"]).predict(points).numpy()[:, 0])
        assert np.allclose(found[:, 4], one, rtol=1e-12)
        assert np.allclose(found[:, 3], 1 - one, rtol=1e-9)
        assert np.array_equal(found[:, 2], one > 0.5)
        assert 0 < found[:, 2].sum() < 50

    def test_outputs_that_are_no_logits_are_no_probabilities(self, command, runs, tmp_path):
        points = np.random.default_rng(2).normal(size=(40, 2))
        np.savetxt(tmp_path / "a.csv", points, delimiter=",")
        for name, columns in (("moons_mse", ["output"]), ("blobs_mse", ["output_0", "output_1", "output_2"])):
            header, *rows = table(command("predict", runs[name], "a.csv").out)
            assert header == ["x1", "x2", "prediction", *columns]
            outputs = nnintro.load(runs[name]).predict(points).numpy()
            found = np.array(rows, dtype=float)
            assert np.array_equal(found[:, 3:], outputs)
            single = outputs.shape[1] == 1
            classes = outputs[:, 0] > 0.5 if single else outputs.argmax(1)
            assert np.array_equal(found[:, 2], classes)

    def test_several_outputs_and_standardised_inputs(self, command, runs, tmp_path):
        points = np.random.default_rng(3).normal(size=(5, 3)) * 4 + 1
        np.savetxt(tmp_path / "a.csv", points, delimiter=";", header="x1;x2;x3", comments="")
        header, *rows = table(command("predict", runs["vector"], "a.csv").out)
        assert header == ["x1", "x2", "x3", "prediction_1", "prediction_2"]
        model = nnintro.load(runs["vector"]).model
        mean, scale, w1, b1, w2, b2 = (
            model.state_dict()[key].numpy() for key in model.state_dict()
            if key in ("mean", "scale") or "weight" in key or "bias" in key
        )  # fmt: skip
        expected = np.tanh((points - mean) / scale @ w1.T + b1) @ w2.T + b2
        assert np.allclose(np.array(rows, dtype=float)[:, 3:], expected, rtol=1e-12)

    @pytest.mark.parametrize("name", ["curve", "exact"])
    def test_numbers_read_back_to_the_same_bits(self, command, runs, tmp_path, name):
        points = np.random.default_rng(4).normal(size=200)
        (tmp_path / "a.csv").write_text("\n".join(map(repr, points.tolist())))
        _, *rows = table(command("predict", runs[name], "a.csv").out)
        expected = nnintro.load(runs[name]).predict(points).numpy()[:, 0]
        found = np.array([row[1] for row in rows]).astype(expected.dtype)
        assert np.array_equal(found, expected)
        assert [row[0] for row in rows] == list(map(repr, points.tolist()))
        assert all(len(row[1]) <= (14 if name == "curve" else 24) for row in rows)

    @pytest.mark.parametrize(
        ("file", "text"),
        [
            ("a.csv", "1,2\n3,4\n"),
            ("a.csv", "1;2\n3;4"),
            ("a.CSV", "\n\r\n1\t2\r\n3\t4\r\n"),
            ("a.csv", "1,2\r3,4\r"),
            ("a.csv", "x2;x1;a,b\n2;1;,\n4;3;,\n"),
            ("a.tsv", "x1\tx2\ta;b\n1\t2\t,\n3\t4\t,\n"),
            ("a.csv", '"x1","x2"\n"1","2"\n"3","4"\n'),
            ("a.csv", "1|2\n3|4\n"),
            ("a.csv", "x1,x2,a;b;c;d\n1,2,;;;\n3,4,;;;\n"),
            ("a.csv", ',,\n"","",\n,x1,x2\n0,1,\u00a02\n1,3,4\n'),
            ("a.csv", "x1,x2,n\n1,2," + "q" * 200_000 + "\n3,4,\n"),
        ],
    )
    def test_every_way_to_write_a_table(self, command, runs, tmp_path, file, text):
        (tmp_path / file).write_bytes(text.encode())
        header, *rows = table(command("predict", runs["moons"], file).out)
        expected = nnintro.load(runs["moons"]).predict([[1, 2], [3, 4]]).numpy()
        found = [float(row[header.index("probability_1")]) for row in rows]
        assert np.allclose(found, sigmoid(expected[:, 0]), rtol=1e-12)


class TestFormats:
    @pytest.fixture
    def points(self, tmp_path):
        (tmp_path / "a.csv").write_text("n,x1,x2\n7,1,2\nü,0.1,-4\n")
        return [[1, 2], [0.1, -4]]

    @pytest.mark.usefixtures("points")
    def test_tsv_to_stdout(self, command, runs):
        done = command("predict", runs["moons"], "a.csv", "--format", "tsv")
        commas = table(command("predict", runs["moons"], "a.csv").out)
        assert table(done.out, "\t") == commas

    @pytest.mark.usefixtures("points")
    def test_tsv(self, command, runs, tmp_path):
        done = command("predict", runs["moons"], "a.csv", "--output", "out.tsv")
        assert (done.code, done.out, done.err) == (0, "", "2 predictions in out.tsv\n")
        rows = table((tmp_path / "out.tsv").read_text(), "\t")
        assert rows == table(command("predict", runs["moons"], "a.csv").out)

    @pytest.mark.parametrize("words", [("--output", "out.jsonl"), ("--output", "out.NDJSON"),
                                       ("--format", "jsonl")])  # fmt: skip
    def test_json_lines(self, command, runs, tmp_path, points, words):
        done = command("predict", runs["blobs"], "a.csv", *words)
        text = done.out or (tmp_path / words[1]).read_text()
        first, second = map(json.loads, text.splitlines())
        assert list(first) == ["n", "x1", "x2", "prediction", *(f"probability_{k}" for k in "012")]
        assert (first["n"], first["x1"], first["x2"]) == ("7", 1, 2)
        assert (second["n"], second["x1"], second["x2"]) == ("ü", 0.1, -4)
        logits = nnintro.load(runs["blobs"]).predict(points).numpy()
        assert first["prediction"] == int(logits[0].argmax())
        assert isinstance(first["prediction"], int)
        found = [[row[f"probability_{k}"] for k in range(3)] for row in (first, second)]
        assert np.allclose(found, softmax(logits), rtol=1e-6)
        # As short as a float32 can be said.
        assert all(len(repr(value)) <= 14 for row in found for value in row)

    def test_json_has_no_infinity(self, command, runs, tmp_path, monkeypatch):
        import torch

        (tmp_path / "a.csv").write_text("1\n2\n")
        outputs = torch.tensor([[float("inf")], [float("nan")]])
        monkeypatch.setattr(nnintro.Run, "predict", lambda *_: outputs)
        done = command("predict", runs["curve"], "a.csv", "--format", "jsonl")
        assert [json.loads(line)["prediction"] for line in done.out.splitlines()] == [None, None]
        lines = command("predict", runs["curve"], "a.csv").out.splitlines()
        assert lines == ["x,prediction", "1,inf", "2,nan"]

    @pytest.mark.parametrize("name", ["blobs", "moons"])
    @pytest.mark.usefixtures("points")
    def test_npy_holds_the_predictions_alone(self, command, runs, tmp_path, name):
        assert command("predict", runs[name], "a.csv", "--output", "out.npy").code == 0
        found = np.load(tmp_path / "out.npy", allow_pickle=False)
        _, *rows = table(command("predict", runs[name], "a.csv").out)
        dtype = np.float32 if name == "blobs" else np.float64
        assert found.dtype == dtype
        assert np.array_equal(found, np.array([row[3:] for row in rows]).astype(dtype))

    @pytest.mark.usefixtures("points")
    def test_format_wins_over_the_suffix(self, command, runs, tmp_path):
        done = command("predict", runs["moons"], "a.csv", "--format=csv", "--output", "out.txt")
        assert done.code == 0
        rows = table((tmp_path / "out.txt").read_text())
        assert rows == table(command("predict", runs["moons"], "a.csv").out)

    @pytest.mark.usefixtures("points")
    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (("--format", "xml"), "--format: expected csv, tsv, npy or jsonl, got 'xml'"),
            (("--format", "json"),
             "--format: expected csv, tsv, npy or jsonl, got 'json'; did you mean 'jsonl'?"),
            (("--format", "npy"), "--format npy needs --output: an array cannot go to stdout"),
            (("--output", "out"), "out: the suffix names no format: csv, tsv, npy or jsonl, or "
             "let --output end in .csv, .tsv, .npy, .jsonl or .ndjson"),
            (("--format", "npy", "--output", "out.csv"),
             "out.csv: a file of --format npy does not end in .csv"),
            (("--format", "csv", "--output", "out.TSV"),
             "out.TSV: a file of --format csv does not end in .tsv"),
        ],
    )  # fmt: skip
    def test_usage(self, command, runs, tmp_path, words, message):
        done = command("predict", runs["moons"], "a.csv", *words)
        assert (done.code, done.out, done.err) == (2, "", f"{message}\n")
        assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


class TestArrays:
    @pytest.mark.parametrize(
        "array",
        [
            np.arange(6.0).reshape(3, 2),
            np.arange(6).reshape(3, 2),
            np.asfortranarray(np.arange(6, dtype=np.float16).reshape(3, 2)),
            np.arange(6, dtype=">f4").reshape(3, 2),
            np.arange(6, dtype=">i2").reshape(3, 2),
            np.arange(6, dtype=np.longdouble).reshape(3, 2) / 2,
            np.arange(12).reshape(6, 2)[::2] / 2,
            np.arange(6, dtype=np.uint8).reshape(3, 2) > 2,
        ],
    )
    def test_any_real_numbers(self, command, runs, tmp_path, array):
        np.save(tmp_path / "a.npy", array)
        header, *rows = table(command("predict", runs["moons"], "a.npy").out)
        assert header[:3] == ["x1", "x2", "prediction"]
        expected = nnintro.load(runs["moons"]).predict(array.astype(float)).numpy()[:, 0]
        assert np.allclose([float(row[4]) for row in rows], sigmoid(expected), rtol=1e-12)
        assert np.array_equal(np.array(rows)[:, :2].astype(float), array)
        lines = command("predict", runs["moons"], "a.npy", "--format", "jsonl").out.splitlines()
        for line, (x1, x2) in zip(lines, array.astype(float), strict=True):
            row = json.loads(line)
            assert (row["x1"], row["x2"]) == (x1, x2)
            assert type(row["x1"]) in (int, float)

    @pytest.mark.parametrize("name", ["a.csv", "a.npy"])
    def test_no_answer_is_no_class(self, command, runs, tmp_path, name):
        """Standardised they are infinite in float32, and their weighted sum may be inf - inf."""
        far = np.array([[0.0, 1.0], [1e300, 1e300]])
        np.save(tmp_path / "a.npy", far)
        (tmp_path / "a.csv").write_text("x2,n,x1\n1,a,0\n\n1e300,b,1e300\n")
        assert nnintro.load(runs["blobs"]).predict(far).isnan().any(1).tolist() == [False, True]
        done = command("predict", runs["blobs"], name, "--output", "out.csv")
        place = {"a.csv": "a.csv:4", "a.npy": "a.npy[1, 0]"}[name]
        found = {"a.csv": "'1e300'", "a.npy": "1e+300"}[name]
        assert (done.code, done.out) == (4, "")
        assert done.err == (
            f"{place}: column 'x1': expected inputs whose outputs are numbers (here an output is nan), got {found}\n"
        )
        assert not (tmp_path / "out.csv").exists()

    def test_one_column_may_be_flat(self, command, runs, tmp_path):
        values = np.linspace(0, 1, 11, dtype=np.float32)
        np.save(tmp_path / "a.npy", values)
        np.save(tmp_path / "b.npy", values[:, None])
        first = command("predict", runs["curve"], "a.npy").out
        assert first == command("predict", runs["curve"], "b.npy").out
        assert table(first)[2][0] == "0.1"

    def test_many_blocks_are_one_array(self, command, runs, tmp_path, monkeypatch):
        from nnintro.predict import inputs

        monkeypatch.setattr(inputs, "CELLS", 64)
        values = np.random.default_rng(5).normal(size=(1000, 2))
        expected = nnintro.load(runs["blobs"]).predict(values).numpy()
        for order in "CF":
            np.save(tmp_path / "a.npy", np.array(values, order=order))
            assert command("predict", runs["blobs"], "a.npy", "--output", "o.npy").code == 0
            found = np.load(tmp_path / "o.npy")
            assert np.allclose(found[:, 1:], softmax(expected), atol=1e-6)


class TestOutputs:
    @pytest.fixture
    def inputs(self, tmp_path):
        (tmp_path / "a.csv").write_text("x\n0.5\n")
        return "a.csv"

    def test_the_input_may_be_the_output(self, command, runs, tmp_path, inputs):
        expected = command("predict", runs["curve"], inputs).out
        assert command("predict", runs["curve"], inputs, "--output", inputs).code == 0
        assert (tmp_path / inputs).read_text() == expected
        again = command("predict", runs["curve"], inputs, "--output", inputs)
        assert again.code == 4  # its predictions stand there already
        assert (tmp_path / inputs).read_text() == expected

    def test_an_array_too(self, command, runs, tmp_path):
        values = np.random.default_rng(6).normal(size=100_000)
        np.save(tmp_path / "a.npy", values)
        assert command("predict", runs["exact"], "a.npy", "--output", "a.npy").code == 0
        expected = nnintro.load(runs["exact"]).predict(values).numpy()
        assert np.allclose(np.load(tmp_path / "a.npy"), expected, rtol=1e-12)

    def test_no_such_folder(self, command, runs, inputs):
        done = command("predict", runs["curve"], inputs, "--output", "no/out.csv")
        assert (done.code, done.out) == (2, "")
        assert done.err == "cannot write no/out.csv: No such file or directory\n"

    def test_a_folder(self, command, runs, tmp_path, inputs):
        (tmp_path / "out.csv").mkdir()
        done = command("predict", runs["curve"], inputs, "--output", "out.csv")
        assert (done.code, done.err) == (2, "cannot write out.csv: Is a directory\n")
        assert list((tmp_path / "out.csv").iterdir()) == []

    def test_a_pipe_or_a_device_is_not_replaced(self, command, runs, tmp_path, inputs):
        os.mkfifo(tmp_path / "out.csv")
        done = command("predict", runs["curve"], inputs, "--output", "out.csv")
        assert (done.code, done.err) == (2, "cannot write out.csv: it is not a regular file\n")
        assert (tmp_path / "out.csv").is_fifo()

    def test_a_link_stays_one(self, command, runs, tmp_path, inputs):
        (tmp_path / "folder").mkdir()
        (tmp_path / "out.csv").symlink_to("folder/real.csv")
        for before in (None, "before"):
            if before is not None:
                (tmp_path / "folder/real.csv").write_text(before)
            assert command("predict", runs["curve"], inputs, "--output", "out.csv").code == 0
            assert (tmp_path / "out.csv").is_symlink()
            assert (tmp_path / "folder/real.csv").read_text().startswith("x,prediction\n")
        assert [path.name for path in (tmp_path / "folder").iterdir()] == ["real.csv"]

    def test_links_in_a_circle(self, command, runs, tmp_path, inputs):
        (tmp_path / "out.csv").symlink_to("out.csv")
        done = command("predict", runs["curve"], inputs, "--output", "out.csv")
        assert done.code == 2
        assert done.err.startswith("cannot write out.csv: ")
        assert (tmp_path / "out.csv").is_symlink()

    def test_a_name_that_is_too_long(self, command, runs, inputs):
        name = "a" * 300 + ".csv"
        done = command("predict", runs["curve"], inputs, "--output", name)
        assert (done.code, done.err) == (2, f"cannot write {name}: File name too long\n")

    def test_a_full_disk(self, command, runs, tmp_path, monkeypatch, inputs):
        def full(_):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(os, "fsync", full)
        done = command("predict", runs["curve"], inputs, "--output", "out.npy")
        assert (done.code, done.out) == (4, "")
        assert done.err == "cannot write out.npy: No space left on device\n"
        assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]

    def test_stdout_on_a_full_disk(self, command, runs, monkeypatch, inputs):
        class Full(io.RawIOBase):
            def writable(self):
                return True

            def write(self, _):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        full = types.SimpleNamespace(buffer=Full())
        monkeypatch.setattr(output.sys, "stdout", full)
        done = command("predict", runs["curve"], inputs)
        assert (done.code, done.err) == (
            4, "cannot write to stdout: No space left on device\n"
        )  # fmt: skip

    def test_stdout_that_is_closed(self, command, runs, monkeypatch, inputs):
        monkeypatch.setattr(output.sys, "stdout", None)
        done = command("predict", runs["curve"], inputs)
        assert (done.code, done.err) == (4, "cannot write to stdout: it is closed\n")

    def test_a_mistake_of_ours_is_not_laid_to_the_disk(self, command, runs, tmp_path, monkeypatch, inputs):
        def failing(*_):
            raise RuntimeError("ours")

        monkeypatch.setattr(nnintro.Run, "predict", failing)
        with pytest.raises(RuntimeError, match="ours"):
            command("predict", runs["curve"], inputs, "--output", "out.npy")
        assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]

    def test_no_run(self, command, inputs):
        done = command("predict", "nowhere", inputs)
        assert (done.code, done.err) == (6, f"nowhere: no such run; the current folder is {Path.cwd()}\n")


class TestProcess:
    def test_ctrl_c_removes_what_was_begun(self, process, runs, tmp_path):
        words = ("predict", runs["curve"], "-", "--output", "out.csv")
        with process(*words, stdin=subprocess.PIPE) as running:
            running.stdin.write("x\n" + "0.5\n" * 200_000)
            running.stdin.flush()
            deadline = time.monotonic() + PATIENCE
            while not list(tmp_path.iterdir()):
                assert time.monotonic() < deadline
                time.sleep(0.02)
            running.send_signal(signal.SIGINT)
            _, err = running.communicate(timeout=PATIENCE)
        assert (running.returncode, err) == (130, "")
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGHUP", 129)])
    def test_other_signals_too(self, command, runs, tmp_path, monkeypatch, name, code):
        (tmp_path / "a.csv").write_text("0.5\n")
        number = getattr(signal, name)
        before = signal.getsignal(number)
        monkeypatch.setattr(nnintro.Run, "predict", lambda *_: signal.raise_signal(number))
        done = command("predict", runs["curve"], "a.csv", "--output", "out.csv")
        assert (done.code, done.out, done.err) == (code, "", "")
        assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
        assert signal.getsignal(number) == before

    def test_a_reader_that_leaves(self, runs, tmp_path):
        (tmp_path / "a.csv").write_text("x\n" + "0.5\n" * 100_000)
        run = f"{sys.executable} -m nnintro predict {runs['curve']}"
        line = f"{run} a.csv | head -1; echo ${{PIPESTATUS[0]}}"
        done = subprocess.run(
            ["bash", "-c", line], cwd=tmp_path, env=environment(), capture_output=True, text=True,
            check=False, timeout=PATIENCE,
        )  # fmt: skip
        assert (done.stdout, done.stderr) == ("x,prediction\n0\n", "")

    def test_stdin_without_end(self, runs, tmp_path):
        """It is answered as it comes, and nothing of it is laid aside."""
        run = f"{sys.executable} -m nnintro predict {runs['curve']}"
        line = f"yes 0.5 | {run} - | head -3; echo ${{PIPESTATUS[1]}}"
        done = subprocess.run(
            ["bash", "-c", line], cwd=tmp_path, env=environment(TMPDIR=str(tmp_path)),
            capture_output=True, text=True, check=False, timeout=PATIENCE,
        )  # fmt: skip
        header, first, second, code = done.stdout.splitlines()
        assert (header, first, code, done.stderr) == ("x,prediction", second, "0", "")
        assert list(tmp_path.iterdir()) == []


def test_memory_does_not_grow_with_the_file(runs, tmp_path, monkeypatch):
    """Of what is in memory at a time, nothing belongs to more than one block."""
    import tracemalloc

    from nnintro.predict import inputs
    from nnintro.predict.rows import predict_file

    monkeypatch.setattr(inputs, "CELLS", 1 << 12)
    peaks = []
    for rows in (15_000, 60_000):
        (tmp_path / "a.csv").write_text("x\n" + "0.25\n" * rows)
        tracemalloc.start()
        assert predict_file(runs["curve"], str(tmp_path / "a.csv"), tmp_path / "o.csv", "csv") == (rows)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.1 * peaks[0] < 20e6
