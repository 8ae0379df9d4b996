"""An exported network of a table and the guide's function, without nnintro, predict what ``nnintro predict`` does."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

import nnintro
from tests.support import config
from tests.test_docs import GUIDE, blocks

TRAINED = "day,city,area,open,price\n" + "".join(
    f"2024-{k % 12 + 1:02}-{k % 28 + 1:02},{('Ulm', 'Bonn', '', 'München')[k % 4]},"
    f"{'' if k % 7 == 0 else 30 + k},{('true', 'False')[k % 2]},{k * k % 89}\n"
    for k in range(80)
)
NEW = """city,area,open,day,price,note
Bonn,77.5,true,2025-02-28,50,a
NA,?,FALSE,2023-12-31T12:30:00,,"b, quoted"
 München ,1e2,True,2024-07-01,7.25,c
Aalen,,false,2024-02-29,80,a city that training did not have
"""


def encode():
    """The function as it stands in the guide."""
    names = {}
    (code,) = [code for code in blocks(GUIDE, "python") if "def encode(" in code]
    exec(code, names)
    return names["encode"]


@pytest.mark.parametrize("missing", ["mean", "indicator"])
@pytest.mark.parametrize("target", ["price", "open"])
def test_the_guides_function_and_onnxruntime_predict_alike(tmp_path, monkeypatch, missing, target):
    monkeypatch.chdir(tmp_path)
    Path("prices.csv").write_text(TRAINED, encoding="utf-8")
    Path("new.csv").write_text(NEW, encoding="utf-8")
    dataset = {"kind": "table", "path": "prices.csv", "target": target, "missing": missing}
    run = nnintro.train(config(dataset=dataset, precision="float32"), runs_dir="runs")
    nnintro.export(run, "net.onnx")
    nnintro.predict_file(run, "new.csv", "predicted.csv")

    session = onnxruntime.InferenceSession("net.onnx")
    columns = json.loads(session.get_modelmeta().custom_metadata_map["columns"])["columns"]
    with open("new.csv", encoding="utf-8", newline="") as file:  # noqa: PTH123
        rows = list(csv.DictReader(file))
    x = encode()(rows, columns)
    (y,) = session.run(["y"], {"x": x})
    # By hand: days since 1970 in seconds, a missing area, a city that is missing or not known.
    place = {name: k for k, name in enumerate(run.features)}
    assert x[0, place["day"]] == 20147 * 86400  # date -d 2025-02-28 +%s
    assert x[1, place["day"]] == 1704025800  # date -ud '2023-12-31 12:30' +%s
    assert [x[k, place["city=(missing)"]] for k in range(4)] == [0, 1, 0, 0]
    assert not x[3, [place[f"city={name}"] for name in ("Ulm", "Bonn", "München")]].any()
    assert x[1, place["area"]] == x[3, place["area"]]
    assert ("area missing" in place) == (missing == "indicator")
    with open("predicted.csv", encoding="utf-8", newline="") as file:  # noqa: PTH123
        found = list(csv.DictReader(file))
    if target == "price":
        assert np.allclose(y[:, 0], [float(row["prediction"]) for row in found], rtol=1e-5)
    else:
        assert np.allclose(1 / (1 + np.exp(-y[:, 0])), [float(row["probability_true"]) for row in found], atol=1e-5)
