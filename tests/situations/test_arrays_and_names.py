"""Arrays of Keras, lists of Parquet, and columns with the names of predictions."""

from __future__ import annotations

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
