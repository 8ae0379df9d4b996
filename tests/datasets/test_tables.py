"""Tables against independent truths: numpy, the csv module, and scikit-learn's encoders."""

from __future__ import annotations

import csv
import datetime
import decimal
import gzip
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from nnintro.datasets.tables import Encoding, encoded_blocks
from nnintro.datasets.tables.columns.category import Category, ClassTarget
from nnintro.datasets.tables.columns.number import Number, NumberTarget
from nnintro.datasets.tables.columns.words import Words
from nnintro.datasets.tables.encoding import Window
from nnintro.datasets.tables.files.places import Places
from nnintro.errors import DataError
from tests.datasets.tables import built, encoded_samples, numpy_parts, raw, write

FORMATS = (".csv", ".tsv", ".parquet", ".npz")
CITIES = ("Ulm", "Bonn", "Köln, am Rhein", 'the "big" one')


def columns(n=200, seed=0):
    """Numbers of several sizes, a category, a truth value, and a target that is none of them."""
    draw = np.random.default_rng(seed)
    return {
        "area": (draw.normal(3, 5, n)).tolist(),
        "when": (1.7e9 + draw.normal(0, 1e5, n)).tolist(),
        "city": [CITIES[k] for k in draw.integers(0, 4, n)],
        "rooms": draw.integers(1, 9, n).tolist(),
        "y": draw.normal(size=n).tolist(),
    }


def order_of(splits, given):
    """Which row of the file each sample is, training first; targets are all different."""
    both = (splits.train.targets, splits.validation.targets)
    targets = torch.cat(both)[:, 0].numpy()
    positions = {value: row for row, value in enumerate(given)}
    return np.array([positions[value] for value in targets.tolist()])


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_inputs_are_those_of_scikit_learn(tmp_path, suffix, dtype):
    given = columns()
    splits = built(write(tmp_path / f"a{suffix}", given), dtype=dtype)
    rows = order_of(splits, given["y"])
    n = len(splits.train)
    assert (n, len(splits.validation)) == (160, 40)
    assert sorted(rows) == list(range(200))
    numbers = np.stack([given["area"], given["when"], given["rooms"]], axis=1)[rows]
    scaler = StandardScaler().fit(numbers[:n])
    hot = OneHotEncoder(sparse_output=False).fit_transform(np.array([given["city"]]).T)[rows]
    scaled = scaler.transform(numbers)
    expected = np.column_stack([scaled[:, :2], hot, scaled[:, 2]])
    found = torch.cat([splits.train.inputs, splits.validation.inputs]).numpy()
    assert found.dtype == str(dtype).removeprefix("torch.")
    # Timestamps: float64 keeps 1e-7 of a second of them, and the deviation is 1e5.
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6 if dtype.itemsize == 4 else 1e-9)
    assert splits.train.inputs_standardized
    assert splits.validation.inputs_standardized
    mean = splits.standardization.mean.numpy()
    np.testing.assert_allclose(mean[[0, 1, 6]], scaler.mean_, rtol=1e-12)
    assert mean[2:6].tolist() == [0, 0, 0, 0]
    assert splits.standardization.scale[2:6].tolist() == [1, 1, 1, 1]
    unscaled = np.column_stack([numbers[:n, :2], hot[:n], numbers[:n, 2]])
    assert splits.low.tolist() == unscaled.min(0).tolist()
    assert splits.high.tolist() == unscaled.max(0).tolist()
    task = splits.found.task
    assert (task.kind, task.inputs, task.outputs) == ("regression", 7, 1)
    assert splits.found.training_samples == n
    encoding = Encoding.from_description(splits.found.description)
    assert encoding.feature_names == [
        "area", "when", "city=Bonn", "city=Köln, am Rhein", "city=Ulm", 'city=the "big" one',
        "rooms",
    ]  # fmt: skip


def test_every_format_gives_the_same_bits(tmp_path):
    parts = []
    for suffix in FORMATS:
        parts.append(numpy_parts(built(write(tmp_path / f"a{suffix}", columns()))))
    plain = (tmp_path / "a.csv").read_bytes()
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(plain))
    parts.append(numpy_parts(built(tmp_path / "a.csv.gz")))
    (tmp_path / "A.CSV.GZ").write_bytes(gzip.compress(plain))
    parts.append(numpy_parts(built(tmp_path / "A.CSV.GZ")))
    (tmp_path / "b.csv").write_bytes(b"\xef\xbb\xbf\r\n" + plain)
    parts.append(numpy_parts(built(tmp_path / "b.csv")))
    (tmp_path / "c.csv").write_bytes(plain.decode().encode("cp1252"))
    parts.append(numpy_parts(built(tmp_path / "c.csv", encoding="cp1252")))
    (tmp_path / "d.csv").write_bytes(plain.decode().encode("utf-16"))
    parts.append(numpy_parts(built(tmp_path / "d.csv", encoding="utf-16")))
    for other in parts[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(parts[0], other, strict=True))
    assert len(parts) == 9


def test_train_and_validation_are_views_of_one_array(tmp_path):
    splits = built(write(tmp_path / "a.csv", columns()))
    train, validation = splits.train.inputs, splits.validation.inputs
    assert train.is_contiguous()
    assert train.untyped_storage().data_ptr() == validation.untyped_storage().data_ptr()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("given", [True, False])
def test_delimiters(tmp_path, delimiter, given):
    path = tmp_path / "a.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerows([["x", "z", "y"], [1, 2, 3], [2, 3, 5], [3, 5, 8]])
    splits = built(path, standardize="none", **({"delimiter": delimiter} if given else {}))
    np.testing.assert_array_equal(np.sort(raw(splits), axis=0), [[1, 2], [2, 3], [3, 5]])


def test_what_cells_may_look_like(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(
        "y, x ,b,d,t\n"
        "1, 1.5 ,true,2024-01-02,2024-01-02T03:04:05Z\n"
        "2,+2,False,1969-12-31,1970-01-01T00:00:00.5Z\n"
        "3,-.5e1,TRUE,2024-02-29,2024-01-01T00:00:00+01:00\n"
    )
    splits = built(path, standardize="none", split="time", split_by="y", validation=0.3)
    day = datetime.datetime(2024, 1, 2, tzinfo=datetime.UTC).timestamp()
    leap = datetime.datetime(2024, 2, 29, tzinfo=datetime.UTC).timestamp()
    hour = datetime.datetime(2023, 12, 31, 23, tzinfo=datetime.UTC).timestamp()
    assert raw(splits).tolist() == [
        [1.5, 1, day, day + 3 * 3600 + 4 * 60 + 5],
        [2, 0, -86400, 0.5],
        [-5, 1, leap, hour],
    ]
    encoding = Encoding.from_description(splits.found.description)
    assert np.array_equal(encoded_samples(str(path), encoding)[0], raw(splits))


def test_types_of_parquet(tmp_path):
    n = 12
    path = tmp_path / "a.parquet"
    days = [datetime.date(2020, 1, 1) + datetime.timedelta(days=k) for k in range(n)]
    amounts = [None if k == 3 else decimal.Decimal(k) / 4 for k in range(n)]
    table = pa.table({
        "y": pa.array(range(n), pa.int8()),
        "u": pa.array(range(n), pa.uint16()),
        "h": pa.array(np.arange(n, dtype=np.float16)),
        "m": pa.array(amounts, pa.decimal128(10, 2)),
        "b": pa.array([k % 2 == 0 for k in range(n)]),
        "d": pa.array(days),
        "t": pa.array([k * 1_500_000_001 for k in range(n)], pa.timestamp("ns")),
        "s": pa.array([("a", "b")[k % 2] for k in range(n)]).dictionary_encode(),
        "l": pa.array([("u", "v", "w")[k % 3] for k in range(n)], pa.large_string()),
        "a.b": pa.array(np.arange(n) * 3.0),
        "nested": pa.array([[k] for k in range(n)]),
    })  # fmt: skip
    pyarrow.parquet.write_table(table, path)
    keys = {"exclude": ["nested"], "standardize": "none", "missing": "mean", "split": "time"}
    splits = built(path, **keys)
    k = np.arange(n, dtype=float)
    amounts = np.where(k == 3, 0, k / 4)
    amounts[3] = amounts[:10].sum() / 9
    expected = np.column_stack([
        k, k, amounts, k % 2 == 0, 1577836800 + 86400 * k, k * 1.500000001,
        k % 2 == 0, k % 2 == 1, k % 3 == 0, k % 3 == 1, k % 3 == 2, 3 * k,
    ])  # fmt: skip
    np.testing.assert_allclose(raw(splits), expected, rtol=1e-15)
    encoding = Encoding.from_description(splits.found.description)
    np.testing.assert_allclose(encoded_samples(str(path), encoding)[0], expected, rtol=1e-15)


def test_two_dimensional_arrays_are_several_columns(tmp_path):
    inputs = np.random.default_rng(0).normal(size=(20, 3))
    np.savez(tmp_path / "a.npz", inputs=inputs, y=np.arange(20), one=np.arange(20)[:, None] ** 2)
    splits = built(tmp_path / "a.npz", split="time", standardize="none")
    encoding = Encoding.from_description(splits.found.description)
    assert encoding.feature_names == ["inputs1", "inputs2", "inputs3", "one"]
    assert np.array_equal(raw(splits), np.column_stack([inputs, np.arange(20) ** 2]))


@pytest.mark.parametrize("order", ["C", "F"])
def test_blocks_of_arrays_are_the_arrays(tmp_path, order):
    inputs = np.asarray(np.random.default_rng(0).normal(size=(23, 3)), order=order)
    np.savez(tmp_path / "a.npz", inputs=inputs, y=np.arange(23), one=np.ones((23, 1)), none=np.ones((23, 0)))
    splits = built(tmp_path / "a.npz", split="time", standardize="none", exclude=["one"])
    assert np.array_equal(raw(splits), inputs)
    encoding = Encoding.from_description(splits.found.description)
    again, targets = encoded_samples(str(tmp_path / "a.npz"), encoding, block_rows=5)
    assert np.array_equal(again, inputs)
    assert targets[:, 0].tolist() == list(range(23))


@pytest.mark.parametrize("kind", [">M8[s]", "M8[25s]", "M8[h]", ">M8[ms]", "M8[D]", "<M8[ns]"])
def test_times_of_arrays(tmp_path, kind):
    when = np.arange(20).astype(kind)
    np.savez(tmp_path / "a.npz", when=when, name=np.array(["a", "b"] * 10, ">U3"), y=np.arange(20))
    splits = built(tmp_path / "a.npz", split="time", standardize="none")
    expected = when.astype("M8[ns]").astype(np.int64) / 1e9
    np.testing.assert_allclose(raw(splits)[:, 0], expected)


# --- missing values --------------------------------------------------------------------------

SPELLINGS = ("", "NA", "N/A", "n/a", "nan", "NaN", "null", "NULL", "?", "  ")


def holes(n=100):
    """Columns with missing values, as text, and their numbers with NaN."""
    draw = np.random.default_rng(3)
    given = columns(n)
    gaps = {name: draw.random(n) < 0.2 for name in ("area", "rooms", "city")}
    texts = {name: [repr(v) if isinstance(v, float) else str(v) for v in values]
             for name, values in given.items()}  # fmt: skip
    for name, gap in gaps.items():
        for row in np.flatnonzero(gap):
            texts[name][row] = SPELLINGS[row % len(SPELLINGS)]
    numbers = np.stack([given["area"], given["when"], given["rooms"]], axis=1)
    numbers[gaps["area"], 0] = numbers[gaps["rooms"], 2] = np.nan
    return given, texts, numbers, gaps


@pytest.mark.parametrize("policy", ["mean", "indicator"])
def test_missing_numbers_become_the_mean(tmp_path, policy):
    given, texts, numbers, gaps = holes()
    splits = built(write(tmp_path / "a.csv", texts), missing=policy)
    rows, n = order_of(splits, given["y"]), len(splits.train)
    imputer = SimpleImputer().fit(numbers[rows[:n]])
    filled = imputer.transform(numbers[rows])
    scaled = StandardScaler().fit(filled[:n]).transform(filled)
    cities = np.where(gaps["city"], "~", np.array(given["city"]))  # behind all others
    hot = OneHotEncoder(sparse_output=False).fit_transform(cities[:, None])[rows]
    flags = MissingIndicator().fit_transform(numbers)[rows]
    parts = [scaled[:, :1], flags[:, :1], scaled[:, 1:2], hot, scaled[:, 2:], flags[:, 1:]]
    if policy == "mean":
        parts = [parts[k] for k in (0, 2, 3, 4)]
    found = torch.cat([splits.train.inputs, splits.validation.inputs]).numpy()
    np.testing.assert_allclose(found, np.column_stack(parts), atol=1e-9)
    encoding = Encoding.from_description(splits.found.description)
    assert ("area missing" in encoding.feature_names) == (policy == "indicator")
    assert "city=(missing)" in encoding.feature_names
    again, _ = encoded_samples(str(tmp_path / "a.csv"), encoding, block_rows=7)
    np.testing.assert_allclose(again[rows], raw(splits), rtol=1e-12)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_rows_with_missing_values_are_dropped(tmp_path, suffix):
    given, texts, _, gaps = holes()
    columns = texts
    if suffix == ".parquet":
        columns = {name: list(values) for name, values in given.items()}
        for name, gap in gaps.items():
            columns[name] = [None if gap[row] else v for row, v in enumerate(columns[name])]
    columns["y"][5] = "" if suffix == ".csv" else None
    splits = built(write(tmp_path / f"a{suffix}", columns), missing="drop", standardize="none")
    gone = gaps["area"] | gaps["rooms"] | gaps["city"]
    gone[5] = True
    assert splits.facts == {"rows": 100, "dropped_rows": int(gone.sum())}
    assert sorted(order_of(splits, given["y"])) == np.flatnonzero(~gone).tolist()


# --- text, categories, classes ---------------------------------------------------------------


def test_text_is_hashed_as_scikit_learn_does(tmp_path):
    draw = np.random.default_rng(0)
    words = ["good", "bad", "Film", "the", "naïve", "so-so", "a", "I", "don't"]
    texts = [" ".join(draw.choice(words, draw.integers(1, 9))) + ", x" for _ in range(300)]
    path = write(tmp_path / "a.csv", {"y": list(range(300)), "review": texts})
    splits = built(path, text=["review"], text_features=37)
    rows = order_of(splits, range(300))
    count = HashingVectorizer(n_features=37, alternate_sign=False, norm="l2")
    expected = count.transform(texts).toarray()[rows]
    np.testing.assert_allclose(raw(splits), expected, atol=1e-6)
    assert (splits.standardization.scale == 1).all()
    encoding = Encoding.from_description(splits.found.description)
    assert encoding.feature_names[17] == "review#17"


def test_numbers_may_be_names(tmp_path):
    zips = ["01067", "1067", "89073", "10115"] * 5
    path = write(tmp_path / "a.csv", {"y": list(range(20)), "zip": zips})
    encoding = Encoding.from_description(built(path, categorical=["zip"]).found.description)
    assert encoding.feature_names == ["zip=01067", "zip=1067", "zip=10115", "zip=89073"]
    path = write(tmp_path / "a.parquet", {"y": list(range(20)), "floor": [3.0, 10.0, 2.5, -1.0] * 5})
    encoding = Encoding.from_description(built(path, categorical=["floor"]).found.description)
    assert encoding.feature_names == ["floor=-1", "floor=2.5", "floor=3", "floor=10"]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize(
    ("values", "keys", "classes"),
    [
        (["b", "a", "c"], {}, ("a", "b", "c")),
        (["b", "a"], {}, ("a", "b")),
        ([10, 9, 3], {"task": "classification"}, ("3", "9", "10")),
        ([1.0, 0.0], {"task": "classification"}, ("0", "1")),
        ([0.5, 2.0, 1.5], {"task": "classification"}, ("0.5", "1.5", "2")),
        ([True, False], {}, ("false", "true")),
        ([10, 9, 3], {"categorical": ["y"]}, ("3", "9", "10")),
    ],
)
def test_classes(tmp_path, suffix, values, keys, classes):
    labels = [values[k % len(values)] for k in range(60)]
    path = write(tmp_path / f"a{suffix}", {"x": list(range(60)), "y": labels})
    splits = built(path, standardize="none", **keys)
    task = splits.found.task
    assert task.classes == classes
    assert (task.kind, task.outputs) == (("binary", 1) if len(classes) == 2 else ("multiclass", len(classes)))
    targets = torch.cat([splits.train.targets, splits.validation.targets])
    assert targets.shape == ((60, 1) if len(classes) == 2 else (60,))
    assert targets.dtype == (torch.float64 if len(classes) == 2 else torch.int64)
    by_name = sorted(set(values))
    expected = [by_name.index(labels[int(row)]) for row in raw(splits)[:, 0]]
    assert targets.reshape(-1).tolist() == expected
    encoding = Encoding.from_description(splits.found.description)
    again = encoded_samples(str(path), encoding)[1].reshape(-1)
    assert again.tolist() == [by_name.index(label) for label in labels]


def test_balanced_class_weights(tmp_path):
    labels = ["a"] * 60 + ["b"] * 30 + ["c"] * 10
    path = write(tmp_path / "a.csv", {"x": list(range(100)), "y": labels})
    splits = built(path, class_weights="balanced")
    assert splits.class_weights.tolist() == pytest.approx([80 / (3 * n) for n in (48, 24, 8)])
    assert built(path).class_weights is None


def test_several_targets(tmp_path):
    path = write(tmp_path / "a.csv", {"x": [1, 2, 3, 4], "y": [1, 2, 3, 5], "z": [0.5, 1, 2, 3]})
    splits = built(path, target=["z", "y"], split="time", validation=0.5)
    assert splits.train.targets.tolist() == [[0.5, 1], [1, 2]]
    assert splits.found.task.outputs == 2
    encoding = Encoding.from_description(splits.found.description)
    assert encoding.target_names == ["z", "y"]
    assert encoded_samples(str(path), encoding)[1].tolist() == [[0.5, 1], [1, 2], [2, 3], [3, 5]]


# --- the encoding of a stranger's file -------------------------------------------------------

names = st.text(min_size=1, max_size=5)
finite = st.floats(allow_nan=False, allow_infinity=False)
readings = st.sampled_from(["number", "truth", "time"])
numbers = st.builds(Number, names, readings, finite, st.booleans())
some_columns = st.one_of(
    numbers,
    st.builds(Category, names, st.lists(names, min_size=1).map(tuple), st.booleans()),
    st.builds(Words, names, st.integers(2, 9)),
)
windows = st.none() | st.builds(Window, st.integers(1, 5), st.integers(1, 5), st.none() | numbers)
targets = st.lists(st.builds(NumberTarget, names, readings), min_size=1, max_size=3).map(tuple) | st.builds(
    ClassTarget, names, st.lists(names, min_size=2).map(tuple)
).map(lambda t: (t,))


@given(
    st.builds(
        Encoding,
        st.lists(some_columns, min_size=1, max_size=4).map(tuple),
        targets,
        st.sampled_from(["error", "drop", "mean", "indicator"]),
        st.sampled_from(["error", "zeros"]),
        windows,
    )
)
def test_a_description_is_json_and_says_all(encoding):
    text = json.dumps(encoding.description())
    assert json.loads(text) == encoding.description()
    again = Encoding.from_description(json.loads(text))
    assert again == encoding
    assert again.features == len(again.feature_names)


@pytest.mark.parametrize("block_rows", [1, 7, 1000])
@pytest.mark.parametrize("suffix", FORMATS)
def test_blocks_are_the_whole_file(tmp_path, monkeypatch, suffix, block_rows):
    monkeypatch.chdir(tmp_path)
    given = columns(50)
    path = write(tmp_path / f"a{suffix}", given)
    splits = built(path, split="time")
    encoding = Encoding.from_description(splits.found.description)
    blocks = list(encoded_blocks(str(path), encoding, block_rows=block_rows))
    assert len(blocks) == -(-50 // block_rows)
    inputs = np.concatenate([block.inputs for block in blocks])
    np.testing.assert_allclose(inputs, raw(splits), rtol=1e-9)
    cells = [[*row] for block in blocks for row in zip(*block.texts(), strict=True)]
    plain = [[value if isinstance(value, str) else repr(value) for value in row]
             for row in zip(*given.values(), strict=True)]  # fmt: skip
    assert cells == plain
    last = blocks[-1].places
    place = f":{last.first + 2}" if suffix in (".csv", ".tsv") else f": row {last.first + 1}"
    assert last.at(0) == f"{path.name}{place}"


def test_cells_that_go_through(tmp_path):
    x = pa.array([1.0, 2.0])
    some = {
        "fixed": (pa.array([b"ab", b"c\xff"], pa.binary(2)), ["b'ab'", "b'c\\xff'"]),
        "bytes": (pa.array([b"ab", None]), ["b'ab'", ""]),
        "large": (pa.array([b"ab", None], pa.large_binary()), ["b'ab'", ""]),
        "coded": (pa.array([b"ab", None]).dictionary_encode(), ["b'ab'", ""]),
        "words": (pa.array(["u", None]).dictionary_encode(), ["u", ""]),
        "list": (pa.array([[1, 2], None]), ["[1, 2]", ""]),
        "day": (pa.array([0, None], pa.date32()), ["1970-01-01", ""]),
        "while": (pa.array([3, None], pa.duration("s")), ["3", ""]),
        "true": (pa.array([True, None]), ["true", ""]),
    }
    path = write(tmp_path / "a.csv", {"x": [1, 2, 3], "y": [1, 2, 3]})
    encoding = Encoding.from_description(built(path).found.description)
    table = pa.table({"x": x, **{name: column for name, (column, _) in some.items()}})
    pyarrow.parquet.write_table(table, tmp_path / "new.parquet")
    (block,) = encoded_blocks(str(tmp_path / "new.parquet"), encoding)
    for row in (0, 1):
        assert [c[row] for c in block.texts()][1:] == [texts[row] for _, texts in some.values()]


def test_cells_that_cannot_be_written(tmp_path):
    path = write(tmp_path / "a.csv", {"x": [1, 2, 3], "y": [1, 2, 3]})
    encoding = Encoding.from_description(built(path).found.description)
    far = pa.array([[2**62]], pa.list_(pa.timestamp("ms")))
    pyarrow.parquet.write_table(pa.table({"x": [1.0], "far": far}), tmp_path / "new.parquet")
    (block,) = encoded_blocks(str(tmp_path / "new.parquet"), encoding)
    with pytest.raises(DataError, match=r"new.parquet: column 'far': cells of type list<.*> cannot"):
        block.texts()


def test_targets_are_not_needed_to_predict(tmp_path):
    given = columns(50)
    encoding = Encoding.from_description(built(write(tmp_path / "a.csv", given)).found.description)
    del given["y"]
    (block,) = encoded_blocks(str(write(tmp_path / "new.csv", given)), encoding)
    assert block.inputs.shape == (50, 7)
    assert block.targets is None


def test_unseen_categories_may_be_zeros(tmp_path):
    path = write(tmp_path / "a.csv", {"c": ["a", "b"] * 5, "y": list(range(10))})
    encoding = Encoding.from_description(built(path, unseen="zeros").found.description)
    new = write(tmp_path / "new.csv", {"c": ["b", "new", "a"]})
    (block,) = encoded_blocks(str(new), encoding)
    assert block.inputs.tolist() == [[0, 1], [0, 0], [1, 0]]


def test_arrays_of_any_library_are_encoded():
    encoding = Encoding((Number("x"), Category("c", ("a", "b"))), (NumberTarget("y"),), missing="mean")
    places = Places("here", lambda row: f"here: row {row + 1}")
    for x, c in (
        (np.array([1.0, 2.0]), np.array(["a", "b"])),
        ([1.0, 2.0], ["a", "b"]),
        (pa.array([1, 2]), pa.chunked_array([["a"], ["b"]])),
        (["1", " 2.0 "], ["a ", "b"]),
    ):
        assert encoding.encode({"x": x, "c": c}, places).tolist() == [[1, 1, 0], [2, 0, 1]]


# --- what only some rows have ----------------------------------------------------------------


def in_time(path, cities, n_numbers=None, **keys):
    """A table whose last fifth is validation."""
    n = len(cities)
    numbers = n_numbers or list(range(n))
    path = write(path, {"x": numbers, "city": cities, "y": [k % 7 for k in range(n)]})
    return built(path, split="time", standardize="none", **keys)


def test_what_is_missing_later_alone_is_the_mean(tmp_path):
    x = [3.0, 5, 8, 9, 20, 100, 200, 300, 400, 500]
    for policy in ("mean", "indicator"):
        path = write(tmp_path / "a.csv", {"x": x, "y": list(range(10))})
        splits = built(path, missing=policy, split="time", standardize="none")
        encoding = Encoding.from_description(splits.found.description)
        assert encoding.feature_names == ["x"]
        new = write(tmp_path / "new.csv", {"x": [None, 7.0]})
        (block,) = encoded_blocks(str(new), encoding)
        assert block.inputs[:, 0].tolist() == pytest.approx([np.mean(x[:8]), 7])


def test_marks_of_missing_values_are_those_of_training_rows(tmp_path):
    x = [1.0, 2, 3, 4, 6, 8, 9, 7, None, 5]
    path = write(tmp_path / "a.csv", {"x": x, "y": list(range(10))})
    splits = built(path, missing="indicator", split="time", standardize="none")
    assert splits.train.inputs.shape[1] == 1
    assert splits.validation.inputs[:, 0].tolist() == [5, 5]
    x[0], x[8] = None, 5
    splits = built(write(tmp_path / "b.csv", {"x": x, "y": list(range(10))}),
                   missing="indicator", split="time", standardize="none")  # fmt: skip
    assert splits.train.inputs.shape[1] == 2


def test_categories_are_those_of_training_rows(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cities = ["Ulm", "Bonn"] * 4 + ["Kiel", "Bonn"]
    with pytest.raises(DataError) as caught:
        in_time(tmp_path / "a.csv", cities, unseen="error")
    assert str(caught.value) == (
        "a.csv:10: column 'city': expected one of the 2 categories that training had ('Bonn', "
        "'Ulm'), got 'Kiel', which occurs only in validation rows; unseen: zeros encodes it as "
        "zeros, exclude leaves the column out"
    )
    splits = in_time(tmp_path / "a.csv", cities)
    (note,) = splits.notes
    assert note == (
        "a.csv: 1 cell has a category that training did not have ('city': 1), encoded as zeros in validation rows; "
        "unseen: error refuses them"
    )
    encoding = Encoding.from_description(splits.found.description)
    assert encoding.feature_names == ["x", "city=Bonn", "city=Ulm"]
    assert splits.validation.inputs[:, 1:].tolist() == [[0, 0], [1, 0]]
    assert splits.high.tolist() == [7, 1, 1]
    in_time(tmp_path / "a.csv", cities, exclude=["city"])
    # Rows that are left out, of a missing value or by `samples`, teach none either.
    splits = in_time(tmp_path / "a.csv", ["Rome", *cities[:7], "Bonn", "Ulm"],
                     [None, *range(9)], missing="drop")  # fmt: skip
    assert "city=Rome" not in Encoding.from_description(splits.found.description).feature_names
    splits = in_time(tmp_path / "a.csv", ["Rome", *cities[:7], "Bonn", "Ulm"], samples=9)
    assert "city=Rome" not in Encoding.from_description(splits.found.description).feature_names


@pytest.mark.parametrize("policy", ["mean", "indicator"])
def test_a_category_that_training_rows_never_lacked(tmp_path, monkeypatch, policy):
    monkeypatch.chdir(tmp_path)
    cities = ["Ulm", "Bonn"] * 5
    new = write(tmp_path / "new.csv", {"x": [1, 2], "city": ["Ulm", None]})
    splits = in_time(tmp_path / "a.csv", cities, missing=policy, unseen="error")
    encoding = Encoding.from_description(splits.found.description)
    (block,) = encoded_blocks(str(new), encoding)
    assert block.inputs.tolist() == [[1, 0, 1], [2, 0, 0]]
    cities[8] = None
    splits = in_time(tmp_path / "a.csv", cities, missing=policy, unseen="error")
    assert splits.validation.inputs[:, 1:].tolist() == [[0, 0], [1, 0]]
    splits = in_time(tmp_path / "a.csv", [None] * 8 + ["Ulm", "Bonn"], missing=policy, unseen="zeros")
    (note,) = splits.notes
    assert note.endswith("nothing can be learned: 'city' has no value in the training part")
    assert splits.train.inputs.shape[1] == 1


@pytest.mark.parametrize(
    ("trained", "asked", "found"),
    [
        (["0.0", "1.0", "2.0"], ["1", "2.00", "0", "1e0"], [1, 2, 0, 1]),
        (["0", "1", "2"], ["1.0", "2", "00", "+1"], [1, 2, 0, 1]),
        (["01067", "1067", "9"], ["1067", "01067", "1067.0", "9.0"], [2, 1, 2, 0]),
        (["01067", "001067", "9"], ["01067", "9.0"], [2, 0]),
    ],
)
def test_spellings_of_numbers_that_are_names(tmp_path, trained, asked, found):
    path = write(tmp_path / "a.csv", {"g": trained * 10, "y": list(range(30))})
    encoding = Encoding.from_description(built(path, categorical=["g"]).found.description)
    new = write(tmp_path / "new.csv", {"g": asked})
    (block,) = encoded_blocks(str(new), encoding)
    assert block.inputs.argmax(1).tolist() == found
    assert (block.inputs.sum(1) == 1).all()


def test_spellings_in_validation_rows_are_those_of_other_files(tmp_path):
    path = write(tmp_path / "a.csv", {"g": ["1", "2"] * 4 + ["2.0", "01"], "y": list(range(10))})
    splits = built(path, categorical=["g"], split="time", standardize="none")
    encoding = Encoding.from_description(splits.found.description)
    assert encoding.feature_names == ["g=1", "g=2"]
    assert splits.validation.inputs.tolist() == [[0, 1], [1, 0]]
    assert np.array_equal(encoded_samples(str(path), encoding)[0], raw(splits))


def test_spellings_that_training_told_apart(tmp_path):
    path = write(tmp_path / "a.csv", {"g": ["01067", "001067"] * 10, "y": list(range(20))})
    encoding = Encoding.from_description(built(path, categorical=["g"], unseen="error").found.description)
    new = write(tmp_path / "new.csv", {"g": ["1067"]})
    with pytest.raises(DataError, match="got '1067'"):
        list(encoded_blocks(str(new), encoding))


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_iso_dates_in_text_are_times(tmp_path, suffix):
    days = [f"2024-0{k % 3 + 1}-1{k % 9}" for k in range(30)]
    path = write(tmp_path / f"a{suffix}", {"day": days, "y": [str(k) for k in range(30)]})
    column = built(path, task="regression").found.description["columns"][0]
    assert (column["kind"], column["reading"]) == ("number", "time")


@pytest.mark.parametrize(
    ("cells", "formats"),
    [
        (["09.07.2020"], ["%d.%m.%Y", "%m.%d.%Y"]),
        (["09.07.2020", "31.12.2020"], ["%d.%m.%Y"]),
        (["2024/01/02"], ["%Y/%m/%d"]),
        (["1/2/2024", "1/31/2024"], ["%m/%d/%Y"]),
        (["16/12/2006 17:24:00"], ["%d/%m/%Y %H:%M:%S"]),
        (["31/12/99"], ["%d/%m/%y"]),
        (["31.12.2024", "12.31.2024"], []),
    ],
)
def test_other_dates_are_not_taken_for_categories(tmp_path, cells, formats):
    days = [cells[k % len(cells)] for k in range(30)]
    path = write(tmp_path / "a.csv", {"day": days, "y": list(map(str, range(30)))})
    with pytest.raises(DataError, match=r"such as 2024-12-31, got ") as caught:
        built(path)
    lines = " or ".join(f'dates: {{day: "{form}"}}' for form in formats)
    wanted = f"; put {lines} under dataset" if formats else "; write dates that way, give their format in dates, or"
    assert wanted in str(caught.value)


def test_what_only_looks_like_dates(tmp_path):
    bands = ["18-25", "26-35", "36-45"] * 10
    path = write(tmp_path / "a.csv", {"age": bands, "y": list(map(str, range(30)))})
    assert built(path).found.description["columns"][0]["kind"] == "category"


def test_groups_without_a_name_are_dropped_with_the_rest(tmp_path):
    groups = [None if k == 3 else f"g{k % 4}" for k in range(30)]
    columns = {"g": groups, "x": [str(k % 7) for k in range(30)], "y": list(map(str, range(30)))}
    path = write(tmp_path / "a.csv", columns)
    splits = built(path, split="group", split_by="g", missing="drop")
    assert len(splits.train) + len(splits.validation) == 29


def test_two_rows_of_one_time_are_no_series(tmp_path):
    days = [f"2024-01-{k // 2 + 1:02}" for k in range(30)]
    path = write(tmp_path / "a.csv", {"day": days, "y": list(map(str, range(30)))})
    with pytest.raises(DataError, match=r"a.csv:3: column 'day': the same time as another row \(.*:2\)"):
        built(path, window=3, split_by="day")
