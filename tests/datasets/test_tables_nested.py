"""Arrays of three dimensions and more in .npz, and lists in Parquet: a column for each number."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from nnintro.datasets.tables import encoded_blocks
from nnintro.errors import ConfigError, DataError
from tests.datasets.tables import built, encoded_samples, encoding_of, raw

RANDOM = np.random.default_rng(3)
IMAGES = RANDOM.integers(0, 256, (20, 4, 3)).astype(np.uint8)
LABELS = np.arange(20) % 3
NAMES = [f"x_train[{row},{column}]" for row in range(4) for column in range(3)]
DIGITS = {"target": "y_train", "task": "classification"}


def in_order(rows):
    return rows[np.lexsort(rows.T)].round(9)


@pytest.mark.parametrize("inputs", [None, ["x_train"], NAMES])
@pytest.mark.parametrize("order", ["C", "F"])
def test_keras_mnist(tmp_path, inputs, order):
    """Four arrays, of which two are of other rows."""
    path = tmp_path / "mnist.npz"
    images = np.asarray(IMAGES, order=order)
    np.savez(path, x_test=IMAGES[:5], x_train=images, y_train=LABELS, y_test=LABELS[:5])
    splits = built(path, **DIGITS, **({} if inputs is None else {"inputs": inputs}))
    assert np.array_equal(in_order(raw(splits)), in_order(IMAGES.reshape(20, 12).astype(float)))
    encoding = encoding_of(splits)
    assert encoding.feature_names == NAMES
    again, targets = encoded_samples(str(path), encoding, block_rows=7)
    assert np.array_equal(again, IMAGES.reshape(20, 12))
    assert targets.tolist() == LABELS.tolist()


def test_an_array_of_another_length_is_named(tmp_path):
    path = tmp_path / "mnist.npz"
    np.savez(path, x_train=IMAGES, y_train=LABELS, x_test=IMAGES[:5])
    with pytest.raises(ConfigError, match=r"array 'x_test' has 5 rows, and the target has 20"):
        built(path, **DIGITS, inputs=["x_test"])
    assert raw(built(path, **DIGITS, exclude=["x_test", "x_train[0,0]"])).shape == (20, 11)


def test_a_whole_array_of_targets(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, x=IMAGES, y=RANDOM.normal(size=(20, 2)))
    assert encoding_of(built(path)).target_names == ["y1", "y2"]


LISTS = {
    "list": pa.list_(pa.float64()), "large": pa.large_list(pa.float32()), "fixed": pa.list_(pa.float64(), 3),
    "whole": pa.list_(pa.int64()),
}  # fmt: skip


@pytest.mark.parametrize("kind", LISTS)
def test_lists_of_one_length(tmp_path, kind):
    values = RANDOM.integers(-9, 9, (20, 3)).tolist()
    path = tmp_path / "a.parquet"
    table = pa.table({"emb": pa.array(values, LISTS[kind]), "y": np.arange(20.0)})
    pa.parquet.write_table(table, path, row_group_size=6)
    splits = built(path)
    encoding = encoding_of(splits)
    assert encoding.feature_names == ["emb[0]", "emb[1]", "emb[2]"]
    assert np.array_equal(in_order(raw(splits)), in_order(np.array(values, float)))
    assert np.array_equal(encoded_samples(str(path), encoding, block_rows=7)[0], values)
    assert raw(built(path, inputs=["emb"])).shape == (20, 3)
    assert raw(built(path, exclude=["emb[1]"])).shape == (20, 2)


def test_lists_of_lists_and_lists_that_are_missing(tmp_path):
    values = IMAGES.astype(float).tolist()
    values[3] = None
    path = tmp_path / "a.parquet"
    pa.parquet.write_table(pa.table({"x": values, "y": np.arange(20.0)}), path)
    with pytest.raises(DataError, match=r"row 4: column 'x\[0,0\]': expected a number, got no value"):
        built(path)
    encoding = encoding_of(built(path, missing="indicator"))
    inputs, _ = encoded_samples(str(path), encoding)
    assert inputs[2, encoding.feature_names.index("x[1,2]")] == IMAGES[2, 1, 2]


def test_lists_of_other_lengths(tmp_path):
    path = tmp_path / "a.parquet"
    values = [[1.0, 2.0]] * 10 + [[1.0]] + [[1.0, 3.0]] * 9
    pa.parquet.write_table(pa.table({"x": values, "z": np.arange(20.0), "y": np.arange(20.0)}), path)
    message = r"row 11: column 'x': expected lists of 2 as the first, got 1; name it in exclude"
    with pytest.raises(DataError, match=message):
        built(path)
    splits = built(path, exclude=["x"])
    assert raw(splits).shape == (20, 1)
    (block,) = encoded_blocks(str(path), encoding_of(splits))
    assert block.texts()[0][9:11] == ["[1.0, 2.0]", "[1.0]"]  # go through as they are


def test_lists_of_texts_are_no_numbers(tmp_path):
    path = tmp_path / "a.parquet"
    pa.parquet.write_table(pa.table({"x": [["a"]] * 20, "z": np.arange(20.0), "y": np.arange(20.0)}), path)
    with pytest.raises(DataError, match="column 'x': expected numbers, truth values, dates or text"):
        built(path)
    (block,) = encoded_blocks(str(path), encoding_of(built(path, exclude=["x"])))
    assert block.texts()[0][0] == "['a']"
