"""Arrays and Parquet of all kinds, and columns with the names of predictions."""

from __future__ import annotations

import decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

N = 40
A, Y = [k * 37 % 101 / 10 for k in range(N)], [3 * k - 0.5 for k in range(N)]


def test_images_as_keras_stores_them(desk):
    """The test part is of another length, and stays aside."""
    images = (np.arange(N * 4 * 3) * 37 % 251).reshape(N, 4, 3).astype(np.uint8)
    labels = (np.arange(N) % 3).astype(np.uint8)
    np.savez(desk.folder / "d.npz", x_train=images, y_train=labels, x_test=images[:9], y_test=labels[:9])
    desk.path, desk.target, desk.keys = "d.npz", "y_train", ["inputs: [x_train]", "task: classification"]
    desk.trains()
    names = [f"x_train[{row},{column}]" for row in range(4) for column in range(3)]
    values = images.reshape(N, 12).T.astype(float)
    desk.has_read(dict(zip(names, values, strict=True)), [str(label) for label in labels])


def test_lists_in_cells_of_parquet(desk):
    lists = [[k * 0.5, k % 7, -k] for k in range(N)]
    pq.write_table(pa.table({"emb": lists, "y": Y}), desk.folder / "d.parquet")
    desk.path = "d.parquet"
    desk.trains()
    desk.has_read({f"emb[{i}]": [row[i] for row in lists] for i in range(3)}, Y)


@pytest.mark.parametrize("name", ["prediction", "probability_b"])
def test_an_input_is_called_like_an_output(desk, name):
    """Stacking: the first model's answers are inputs of the second."""
    desk.write([f"a,{name},y", *(f"{a},{k % 5},{'ab'[k % 2]}" for k, a in enumerate(A))])
    desk.refused(f"c.yaml:3:9: dataset.path: column '{name}' is called like what predict writes; rename it in the file")
    desk.write(["a,first,y", *(f"{a},{k % 5},{'ab'[k % 2]}" for k, a in enumerate(A))])
    desk.trains()
    desk.has_read({"a": A, "first": [k % 5 for k in range(N)]}, ["ab"[k % 2] for k in range(N)])


@pytest.mark.parametrize("key", ["exclude: [note]", "inputs: [a]"])
def test_an_array_of_python_objects_that_is_not_needed(desk, key):
    """pandas' ``to_numpy`` of texts; it is never unpickled."""
    notes = np.array([f"note {k}" for k in range(N)], object)
    np.savez(desk.folder / "d.npz", a=np.array(A), note=notes, y=np.array(Y))
    desk.path = "d.npz"
    desk.refused("d.npz: array 'note': expected numbers or text, got pickled objects; save it as .astype(float) or")
    desk.keys = [key]
    desk.trains()
    desk.has_read({"a": A}, Y)


def test_classes_as_python_objects(desk):
    """Labels as scikit-learn's loaders give them: the error's ``.astype(str)`` is enough."""
    labels = np.array(["low", "high"] * (N // 2), object)
    np.savez(desk.folder / "d.npz", a=np.array(A), y=labels)
    desk.path = "d.npz"
    desk.refused(
        "d.npz: array 'y': expected numbers or text, got pickled objects; save it as .astype(float) or .astype"
    )
    np.savez(desk.folder / "d.npz", a=np.array(A), y=labels.astype(str))
    desk.trains()
    desk.has_read({"a": A}, labels.tolist())


ODD_ARRAYS = {
    "big-endian": np.arange(N).astype(">f8"),
    "half precision": np.arange(N).astype(np.float16),
    "Fortran's order": np.asfortranarray(np.arange(N, dtype=float)[:, None]),
    "every second number": np.arange(2 * N, dtype=float)[::2] / 2,
    "long double": np.arange(N).astype(np.longdouble),
}


@pytest.mark.parametrize("name", ODD_ARRAYS)
def test_numbers_in_odd_memory(desk, name):
    np.savez(desk.folder / "d.npz", a=ODD_ARRAYS[name], y=np.array(Y))
    desk.path = "d.npz"
    desk.trains()
    desk.has_read({"a": range(N)}, Y)


CENTS = [decimal.Decimal(k) / 100 for k in range(N)]
KINDS = {
    "decimal numbers": (pa.array(CENTS, pa.decimal128(10, 2)), [k / 100 for k in range(N)]),
    "truth values": (pa.array([k % 2 == 0 for k in range(N)]), [float(k % 2 == 0) for k in range(N)]),
    "times with a zone": (pa.array([k * 10**6 for k in range(N)], pa.timestamp("us", "Europe/Berlin")), range(N)),
    "categories of numbers": (pa.array([5, 7] * (N // 2)).dictionary_encode(), [5, 7] * (N // 2)),
    "durations": (pa.array([k * 10**6 for k in range(N)], pa.duration("us")), range(N)),
    "texts that are numbers": (pa.array([f" {k}.5 " for k in range(N)]), [k + 0.5 for k in range(N)]),
}


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_of_parquet(desk, name):
    cells, values = KINDS[name]
    pq.write_table(pa.table({"x": cells, "a": A, "y": Y}), desk.folder / "d.parquet")
    desk.path = "d.parquet"
    desk.trains()
    desk.has_read({"x": values, "a": A}, Y)


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()])
def test_texts_of_parquet(desk, kind):
    texts = ["low", "high"] * (N // 2)
    pq.write_table(pa.table({"x": pa.array(texts, kind), "y": Y}), desk.folder / "d.parquet")
    desk.path = "d.parquet"
    desk.trains()
    desk.has_read({f"x={text}": [float(one == text) for one in texts] for text in ("high", "low")}, Y)


def test_structures_in_cells_of_parquet(desk):
    cells = [{"p": k, "q": k % 3} for k in range(N)]
    pq.write_table(pa.table({"x": cells, "a": A, "y": Y}), desk.folder / "d.parquet")
    desk.path = "d.parquet"
    desk.refused("d.parquet: column 'x': expected numbers, truth values, dates or text", "name it in exclude")
    desk.keys = ["exclude: [x]"]
    desk.trains()
    desk.has_read({"a": A}, Y)


@pytest.mark.parametrize("word", ["inf", "-inf", "1e400"])
def test_infinite_numbers(desk, word):
    desk.write(["a,y", *(f"{a},{y}" for a, y in zip(A, Y, strict=True)), f"{word},1"])
    sign = "-" if word.startswith("-") else ""
    desk.refused(f"d.csv:{N + 2}: column 'a': expected a finite number, got {sign}inf")
    desk.follow(f"missing_values: ['{sign}inf']")
    desk.keys.append("missing: drop")
    desk.trains()
    desk.write(["a,y", *(f"{a},{y}" for a, y in zip(A, Y, strict=True))], "whole.csv")
    desk.has_read({"a": A}, Y, new="whole.csv")
