"""nnintro predict on tables with columns of their own: the rows as they were, answers behind."""

from __future__ import annotations

import csv
import io
import json
import sys
import types

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

import nnintro
from nnintro.exports.export import describe
from nnintro.predict.rows import predict_file
from tests.support import config
from tests.training.test_runs_on_files import CITIES, write_prices


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Folders of runs on one table: a regression, a classification, a forecast."""
    folder = tmp_path_factory.mktemp("tables")
    path = write_prices(folder / "prices.csv")
    base = {"kind": "table", "path": str(path)}
    datasets = {
        "price": {**base, "target": "price", "exclude": ["dear"]},
        "zeros": {**base, "target": "price", "exclude": ["dear"], "unseen": "zeros"},
        "dear": {**base, "target": "dear", "exclude": ["price"]},
        "city": {**base, "target": "city", "exclude": ["dear"]},
        "both": {**base, "target": ["price", "area"], "exclude": ["dear"]},
        "ahead": {**base, "target": "price", "inputs": ["area"], "window": 3, "horizon": 2},
    }
    descent = {"batch_size": 16, "optimizer": "adam"}
    runs = {
        (name, precision): nnintro.train(
            config(dataset=dataset, descent=descent, precision=precision), runs_dir=folder / precision, name=name
        ).directory
        for name, dataset in datasets.items()
        for precision in ("float64", "float32")
    }
    return {name if precision == "float64" else f"{name}32": run
            for (name, precision), run in runs.items()}  # fmt: skip


def table(text, delimiter=","):
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def write(path, rows, header="note,city,area"):
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")


def features(area, city):
    return [area, *(float(city == name) for name in CITIES)]


def test_columns_stay_as_they_were_and_are_found_by_name(command, trained, tmp_path):
    write(tmp_path / "new.csv", ['"a, ""b""",Ulm,0100.50', ",Bonn,3e1"])
    done = command("predict", trained["price"], "new.csv")
    assert (done.code, done.err) == (0, "")
    header, *rows = table(done.out)
    assert header == ["note", "city", "area", "prediction"]
    assert [row[:3] for row in rows] == [['a, "b"', "Ulm", "0100.50"], ["", "Bonn", "3e1"]]
    run = nnintro.load(trained["price"])
    expected = run.predict([features(100.5, "Ulm"), features(30.0, "Bonn")])[:, 0]
    assert np.allclose([float(row[3]) for row in rows], expected, rtol=1e-12)


def test_classes_have_their_names(command, trained, tmp_path):
    write(tmp_path / "new.csv", ["1,Ulm,190", "2,Bonn,31"])
    header, *rows = table(command("predict", trained["dear"], "new.csv").out)
    assert header == ["note", "city", "area", "prediction", "probability_no", "probability_yes"]
    logits = nnintro.load(trained["dear"]).predict([features(190, "Ulm"), features(31, "Bonn")])
    p = 1 / (1 + np.exp(-logits[:, 0].numpy()))
    assert np.allclose([[float(c) for c in row[4:]] for row in rows], np.stack([1 - p, p], 1))
    assert [row[3] for row in rows] == ["yes" if one > 0.5 else "no" for one in p]
    write(tmp_path / "new.csv", ["200,300000", "31,70000"], header="area,price")
    header, *rows = table(command("predict", trained["city"], "new.csv").out)
    assert header[2:] == ["prediction", *(f"probability_{name}" for name in CITIES)]
    assert {row[2] for row in rows} <= set(CITIES)
    for row in rows:
        assert row[2] == CITIES[int(np.argmax([float(cell) for cell in row[3:]]))]


def test_several_targets(command, trained, tmp_path):
    write(tmp_path / "new.csv", ["Ulm"], header="city")
    header, _ = table(command("predict", trained["both"], "new.csv").out)
    assert header == ["city", "prediction_price", "prediction_area"]


def test_rows_without_a_window_have_no_answer(command, trained, tmp_path):
    area, price = [100, 120, 90, 110], [200000, 240000, 180000, 220000]
    rows = [f"{a},{p}" for a, p in zip(area, price, strict=True)]
    write(tmp_path / "new.csv", rows, header="area,price")
    _, *found = table(command("predict", trained["ahead"], "new.csv").out)
    assert [row[2] for row in found[:2]] == ["", ""]
    run = nnintro.load(trained["ahead"])
    assert run.features[:2] == ["area[-2]", "price[-2]"]
    past = np.stack([area, price], 1).astype(float)
    expected = run.predict([past[0:3].ravel(), past[1:4].ravel()])[:, 0]
    assert np.allclose([float(row[2]) for row in found[2:]], expected, rtol=1e-12)
    done = command("predict", trained["ahead"], "new.csv", "--format", "jsonl")
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert [line["prediction"] for line in lines[:2]] == [None, None]
    assert lines[0]["area"] == 100.0


def test_formats(command, trained, tmp_path):
    write(tmp_path / "new.csv", ["x,Ulm,100", "y,Kiel,50.5"])
    lines = command("predict", trained["price"], "new.csv", "--format", "jsonl").out.splitlines()
    first = json.loads(lines[0])
    assert (first["note"], first["city"], first["area"]) == ("x", "Ulm", 100.0)
    assert command("predict", trained["price"], "new.csv", "--output", "out.npy").code == 0
    assert np.load(tmp_path / "out.npy").shape == (2, 1)
    assert first["prediction"] == pytest.approx(float(np.load(tmp_path / "out.npy")[0, 0]))
    assert command("predict", trained["dear"], "new.csv", "--output", "out.npy").code == 0
    assert set(np.load(tmp_path / "out.npy")[:, 0]) <= {0.0, 1.0}
    assert command("predict", trained["price"], "new.csv", "--output", "out.tsv").code == 0
    assert table((tmp_path / "out.tsv").read_text(), "\t")[0][-1] == "prediction"


def test_parquet_and_stdin(command, trained, tmp_path, monkeypatch):
    write(tmp_path / "new.csv", ["x,Ulm,100", "y,Kiel,50.5"])
    expected = [row[-1] for row in table(command("predict", trained["price"], "new.csv").out)]
    columns = {"city": ["Ulm", "Kiel"], "area": [100.0, 50.5], "seen": [True, None]}
    pq.write_table(pa.table(columns), tmp_path / "new.parquet")
    header, *rows = table(command("predict", trained["price"], "new.parquet").out)
    assert header == ["city", "area", "seen", "prediction"]
    assert [row[-1] for row in rows] == expected[1:]
    assert [row[2] for row in rows] == ["true", ""]
    data = (tmp_path / "new.csv").read_bytes()
    monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(buffer=io.BytesIO(data)))
    found = table(command("predict", trained["price"], "-").out)
    assert [row[-1] for row in found] == expected
    bad = types.SimpleNamespace(buffer=io.BytesIO(data.replace(b"50.5", b"small")))
    monkeypatch.setattr(sys, "stdin", bad)
    done = command("predict", trained["price"], "-")
    assert done.code == 4
    assert done.err == "<stdin>:3: column 'area': expected a number, got 'small'\n"


@pytest.mark.parametrize(
    ("rows", "header", "said"),
    [
        (["1,Aalen,50"], "note,city,area", "new.csv:2: column 'city': expected"),
        (["1,Ulm,50", "1,Ulm,"], "note,city,area", "new.csv:3: column 'area': expected a number"),
        (["1,Ulm,inf"], "note,city,area", "new.csv:2: column 'area': expected a finite number"),
        (["1,Ulm,50"], "note,town,area", "new.csv:1: no column 'city' in new.csv"),
        (["1,Ulm,50"], "prediction,city,area", "column 'prediction' has the name of a prediction"),
        ([], "note,city,area", "new.csv"),
        (["1,Ulm"], "note,city,area", "new.csv:2: expected 3 cells, found 2"),
    ],
)
def test_what_cannot_be_predicted(command, trained, tmp_path, rows, header, said):
    write(tmp_path / "new.csv", rows, header)
    done = command("predict", trained["price"], "new.csv", "--unseen", "error")
    assert (done.code, done.out) == (4, "")
    assert said in done.err
    assert done.err.count("\n") == 1


def test_unseen_categories_may_be_none_of_the_known(command, trained, tmp_path):
    write(tmp_path / "new.csv", ["1,Aalen,50"])
    done = command("predict", trained["zeros"], "new.csv")
    _, row = table(done.out)
    assert done.err == "note: 1 cell has a category that training did not have ('city': 1), encoded as zeros\n"
    expected = nnintro.load(trained["zeros"]).predict([[50.0, 0, 0, 0]])
    assert float(row[-1]) == pytest.approx(float(expected), rel=1e-12)


def test_several_targets_are_measured_each(command, trained, tmp_path):
    write_prices(tmp_path / "others.csv", rows=40, seed=5)
    done = command("evaluate", trained["both"], "--dataset", "others.csv", "--json")
    found = json.loads(done.out)
    command("predict", trained["both"], "others.csv", "--output", "out.csv")
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for name in ("price", "area"):
        truth = np.array([float(row[name]) for row in rows])
        errors = np.array([float(row[f"prediction_{name}"]) for row in rows]) - truth
        expected = {
            "mse": np.mean(errors**2), "mae": np.mean(np.abs(errors)), "rmse": np.sqrt(np.mean(errors**2)),
            "r2": 1 - np.sum(errors**2) / np.sum((truth - truth.mean()) ** 2),
        }  # fmt: skip
        assert found["targets"][name] == pytest.approx(expected, rel=1e-9)
    shown = command("evaluate", trained["both"], "--dataset", "others.csv").out
    assert [line.split()[0] for line in shown.splitlines()[-3:]] == ["target", "price", "area"]


def test_unseen_categories_in_evaluate(command, trained, tmp_path):
    write(tmp_path / "new.csv", ["1,Aalen,50,90"], "note,city,area,price")
    done = command("evaluate", trained["price"], "--dataset", "new.csv")
    assert (done.code, "note: 1 cell has a category that training did not have" in done.err) == (0, True)
    done = command("evaluate", trained["price"], "--dataset", "new.csv", "--unseen", "error")
    assert (done.code, "got 'Aalen'" in done.err) == (4, True)


def test_images_are_not_for_a_table(command, trained, tmp_path):
    (tmp_path / "pictures").mkdir()
    done = command("predict", trained["price"], "pictures", "--output", "out.csv")
    assert done.code == 4
    assert done.err == "pictures: cannot be read: Is a directory\n"


def test_evaluate_on_another_table(command, trained, tmp_path):
    write_prices(tmp_path / "others.csv", rows=40, seed=5)
    done = command("evaluate", trained["dear"], "--dataset", "others.csv", "--json")
    found = json.loads(done.out)
    assert (found["samples"], np.sum(found["confusion"])) == (40, 40)
    text = (tmp_path / "others.csv").read_text().replace("yes", "maybe", 1)
    (tmp_path / "others.csv").write_text(text)
    done = command("evaluate", trained["dear"], "--dataset", "others.csv")
    assert done.code == 4
    assert "column 'dear': expected" in done.err


def test_a_delimiter_is_that_of_training(command, trained, tmp_path):
    path = write_prices(tmp_path / "prices.csv")
    path.write_text(path.read_text().replace(",", "~"))
    dataset = {"kind": "table", "path": str(path), "target": "price", "exclude": ["dear"]}
    values = config(dataset={**dataset, "delimiter": "~"}, name="run")
    run = nnintro.train(values, runs_dir=tmp_path).directory
    done = command("predict", run, "prices.csv")
    assert (done.code, len(table(done.out))) == (0, 91)
    done = command("evaluate", run, "--dataset", "prices.csv", "--json")
    assert (done.code, json.loads(done.out)["samples"]) == (0, 90)


@pytest.mark.parametrize("name", ["price", "dear", "city"])
def test_numbers_beyond_the_precision(command, trained, tmp_path, name):
    write(tmp_path / "new.csv", ["Ulm,100,90000,no", "Ulm,1e300,90000,no"], "city,area,price,dear")
    told = "new.csv:3: column 'area': expected a number that float32 can hold, got 1e+300\n"
    for use in (("predict",), ("evaluate", "--dataset")):
        done = command(use[0], trained[name + "32"], *use[1:], "new.csv")
        assert (done.code, done.out, done.err) == (4, "", told)


def test_targets_beyond_the_precision(command, trained, tmp_path):
    write(tmp_path / "new.csv", ["Ulm,100,90000", "Ulm,100,1e300"], "city,area,price")
    done = command("evaluate", trained["price32"], "--dataset", "new.csv")
    assert done.code == 4
    assert done.err == ("new.csv:3: column 'price': expected a number that float32 can hold, got 1e+300\n")
    assert command("predict", trained["price32"], "new.csv").code == 0


def test_numbers_beyond_the_precision_in_a_window(command, trained, tmp_path):
    rows = ["100,200000", "1e300,240000", "90,1", "80,3", "70,4"]
    write(tmp_path / "new.csv", rows, header="area,price")
    done = command("predict", trained["ahead32"], "new.csv")
    assert done.code == 4
    assert done.err == ("new.csv:3: column 'area': expected a number that float32 can hold, got 1e+300\n")


def test_no_class_is_made_of_nan(command, trained, tmp_path, monkeypatch):
    write(tmp_path / "new.csv", ["Ulm,100"], "city,area")
    predict = nnintro.Run.predict
    monkeypatch.setattr(nnintro.Run, "predict", lambda run, x: predict(run, x) * float("nan"))
    done = command("predict", trained["dear"], "new.csv")
    assert (done.code, done.out) == (4, "")
    assert done.err == "new.csv:2: expected inputs whose outputs are numbers (here an output is nan)\n"
    assert command("predict", trained["price"], "new.csv").code == 0


def test_many_columns_are_the_inputs_that_they_say(command, tmp_path):
    """Columns that are read together, a category between them and a cell without a value, are as in numpy."""
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(60, 900)).round(3)
    cells = [[repr(float(value)) for value in row] for row in numbers]
    cells[7][300] = ""
    names = [f"x{index}" for index in range(900)]
    kinds = ["a" if row % 3 else "b" for row in range(60)]
    rows = [
        [*some[:450], kind, *some[450:], str(row % 7)]
        for row, (some, kind) in enumerate(zip(cells, kinds, strict=True))
    ]
    write(tmp_path / "wide.csv", map(",".join, rows), header=",".join([*names[:450], "kind", *names[450:], "y"]))
    dataset = {
        "kind": "table",
        "path": str(tmp_path / "wide.csv"),
        "target": "y",
        "task": "regression",
        "missing": "mean",
    }
    run = nnintro.train(config(dataset=dataset, precision="float64"), runs_dir=tmp_path, name="wide")
    encoded = np.insert(numbers, 450, 0, axis=1).repeat([1] * 450 + [2] + [1] * 450, axis=1)
    encoded[:, 450], encoded[:, 451] = np.array(kinds) == "a", np.array(kinds) == "b"
    columns = json.loads((run.directory / "data.json").read_text())["description"]["columns"]
    encoded[7, 300] = columns[300]["mean"]
    answered = table(command("predict", run.directory, tmp_path / "wide.csv").out)
    expected = run.predict(encoded).numpy()[:, 0]
    assert np.allclose([float(row[-1]) for row in answered[1:]], expected, rtol=1e-12)
    assert [row[:-1] for row in answered[1:]] == rows


def test_stdin_is_answered_as_it_comes(command, trained, monkeypatch):
    def endless():
        yield b"city,area\n"
        for _ in range(20):
            yield b"Ulm,100\n" * 1000
        raise AssertionError("stdin is read on and on")

    class Closed(io.RawIOBase):
        def write(self, _):
            raise BrokenPipeError

    chunks = endless()
    stdin = types.SimpleNamespace(buffer=types.SimpleNamespace(read=lambda _: next(chunks)))
    monkeypatch.setattr(sys, "stdin", stdin)
    monkeypatch.setattr(sys, "stdout", types.SimpleNamespace(buffer=Closed()))
    assert command("predict", trained["price"], "-").code == 0


@pytest.mark.parametrize("use", [("predict",), ("evaluate", "--dataset")])
def test_columns_of_bytes_go_through(command, trained, tmp_path, use):
    coded = pa.array([b"a", b"\xff"]).dictionary_encode()
    columns = {"city": ["Ulm", "Kiel"], "area": [100.0, 50.5], "price": [1.0, 2.0], "key": coded,
               "fixed": pa.array([b"ab", b"\xff\xfe"], pa.binary(2))}  # fmt: skip
    pq.write_table(pa.table(columns), tmp_path / "new.parquet")
    assert command(use[0], trained["price"], *use[1:], "new.parquet").code == 0


def test_json_lines_keep_values_as_they_are(command, tmp_path):
    """Numbers, truth values, texts and dates, of text and of Parquet; empty cells are null."""
    source = np.random.default_rng(0)
    rows = [
        f"{source.normal():.3f},{k % 7},{'true' if k % 3 else 'false'},2024-01-{k % 28 + 1:02},k{k}" for k in range(60)
    ]
    rows[7] = ",3,true,2024-01-09,k7"
    write(tmp_path / "a.csv", rows, header="x,count,ok,day,name")
    dataset = {"kind": "table", "path": "a.csv", "target": "count", "exclude": ["name"],
               "missing": "mean"}  # fmt: skip
    nnintro.train(config(dataset=dataset, descent={"batch_size": 16}), runs_dir=tmp_path, name="r")
    done = command("predict", "r", "a.csv", "--format", "jsonl")
    assert (done.code, done.err) == (0, "")
    found = [json.loads(line) for line in done.out.splitlines()]
    first = {**found[0], "prediction": 0}
    assert first == {"x": float(rows[0].split(",")[0]), "count": 0, "ok": "false",
                     "day": "2024-01-01", "name": "k0", "prediction": 0}  # fmt: skip
    assert found[7]["x"] is None
    assert found[7]["prediction"] is not None
    day = pa.array([18_000], pa.timestamp("s"))
    columns = {"x": [0.5], "ok": [True], "day": day, "name": ["a"], "count": [4], "more": [1.5]}
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    done = command("predict", "r", "a.parquet", "--format", "jsonl")
    (line,) = map(json.loads, done.out.splitlines())
    assert {**line, "prediction": 0} == {
        "x": 0.5, "ok": True, "day": "1970-01-01 05:00:00.000", "name": "a", "count": 4,
        "more": 1.5, "prediction": 0,
    }  # fmt: skip


def test_how_many_were_answered(command, trained, tmp_path):
    write(tmp_path / "new.csv", ["100,200000", "120,1", "90,2"], header="area,price")
    done = command("predict", trained["ahead"], "new.csv", "--output", "out.csv")
    assert done.err == ("1 prediction in out.csv\nnote: no prediction for 2 rows without a whole window before\n")


def test_a_run_behind_a_link_is_known_by_its_name(command, trained, tmp_path):
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs/price").symlink_to(trained["price"])
    done = command("predict", "pric", "new.csv")
    assert (done.code, done.err) == (6, "pric: no such run; did you mean 'price'?\n")
    done = command("predict", "price", "new.csv")
    assert (done.code, done.err) == (
        4,
        f"new.csv: cannot be read: No such file or directory; the current folder is {tmp_path}\n",
    )


def test_columns_from_python(trained):
    pandas = pytest.importorskip("pandas")
    run = nnintro.load(trained["price"])
    expected = run.predict([features(70, "Ulm"), features(120, "Bonn")])
    columns = {"area": [70, 120], "city": ["Ulm", "Bonn"], "note": ["a", "b"]}
    for inputs in (columns, pandas.DataFrame(columns), pa.table(columns)):
        assert np.array_equal(run.predict(inputs), expected)
    tensors = {**columns, "area": torch.tensor([70.0, 120.0])}
    assert np.array_equal(run.predict(tensors), expected)
    for inputs, said in (
        ({"area": [70]}, "no column 'city' in the inputs"),
        ({"area": [70], "city": ["Ulm", "Bonn"]}, "expected columns of one length"),
        ({"area": ["large"], "city": ["Ulm"]}, "inputs, row 0: column 'area': expected a number"),
        ({"area": [70], "city": ["Aalen"]}, "inputs, row 0: column 'city': expected one of"),
        ({"area": [70], "city": [{}]}, "column 'city': expected numbers or texts"),
        ({"area": [2**70], "city": ["Ulm"]}, "column 'area': expected numbers or texts"),
        (pa.table([[1], [2], ["Ulm"]], ["area", "area", "city"]), "there more than once"),
    ):
        with pytest.raises(nnintro.DataError, match=said):
            run.predict(inputs)


def test_exports_say_what_their_inputs_are(trained):
    description = describe(nnintro.load(trained["price"]))
    assert json.loads(description["features"]) == ["area", *(f"city={name}" for name in CITIES)]
    assert json.loads(description["columns"])["columns"][1]["values"] == CITIES


def test_json_lines_of_odd_values(command, trained, tmp_path):
    """Numbers beyond floating point, dates beyond the calendar: as text, or with all digits."""
    long, huge = "12345678901234567890", "1" * 400
    write(tmp_path / "new.csv", [f"Ulm,100,{long}", f"Ulm,100,{huge}"], header="city,area,price")
    done = command("predict", trained["price"], "new.csv", "--format", "jsonl")
    assert done.code == 0
    first, second = map(json.loads, done.out.splitlines())
    assert (first["price"], second["price"]) == (int(long), None)
    columns = {
        "city": ["Ulm"], "area": [100.0],
        "far": pa.array([10**15], pa.timestamp("s")), "none": pa.array([None], pa.date32()),
    }  # fmt: skip
    pq.write_table(pa.table(columns), tmp_path / "new.parquet")
    done = command("predict", trained["price"], "new.parquet", "--format", "jsonl")
    assert done.err.count("Traceback") == 0
    assert done.code in (0, 4)


def test_a_series_from_python_is_in_order(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("t,y\n" + "".join(f"{k},{k % 5}\n" for k in range(40)))
    dataset = {"kind": "table", "path": str(path), "target": "y", "window": 3, "split_by": "t",
               "task": "regression"}  # fmt: skip
    run = nnintro.train(config(dataset=dataset), runs_dir=tmp_path)
    assert run.predict({"t": [1, 2, 3, 4], "y": [0, 1, 2, 3]}).shape == (2, 1)
    with pytest.raises(nnintro.DataError, match="sort the rows by it"):
        run.predict({"t": [4, 3, 2, 1], "y": [0, 1, 2, 3]})


@pytest.mark.parametrize("format", ["csv", "tsv"])
def test_texts_that_a_spreadsheet_would_compute(format, tmp_path):
    rows = "".join(f"{k},{2 * k}\n" for k in range(12))
    (tmp_path / "t.csv").write_text(f"x,y\n{rows}", encoding="utf-8")
    dataset = {"kind": "table", "path": str(tmp_path / "t.csv"), "target": "y"}
    run = nnintro.train(config(dataset=dataset, descent={"batch_size": 2}, name="r"), runs_dir=tmp_path)
    cells = ["=1+1", "+cmd", "-x", "@sum", "-3.5", "+7", "1e-3", "plain", "a=b"]
    lines = [f"{k},{cell}" for k, cell in enumerate(cells)]
    (tmp_path / "in.csv").write_text("\n".join(["x,=note", *lines]), encoding="utf-8")
    found = {}
    for safe in (False, True):
        path = tmp_path / f"{safe}.{format}"
        predict_file(run, tmp_path / "in.csv", path, spreadsheet_safe=safe)
        split = [line.split("\t" if format == "tsv" else ",") for line in path.read_text(encoding="utf-8").splitlines()]
        found[safe] = [row[1] for row in split]
    assert found[False] == ["=note", *cells]
    assert found[True] == ["'=note", "'=1+1", "'+cmd", "'-x", "'@sum", "-3.5", "+7", "1e-3", "plain", "a=b"]
