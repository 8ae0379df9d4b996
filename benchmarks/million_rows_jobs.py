"""What ``benchmarks.million_rows`` times, each in a process of its own.

A job imports what it works with, then reads its file and prints seconds and peak memory; without a
file it ends after the imports.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

COLUMNS = 50
"""49 inputs and the target, the last one."""
BATCH, HIDDEN, RATE = 200, 64, 0.001
"""The same for everybody, with Adam and the squared error: scikit-learn's batch and rate."""
VALIDATION = 0.2

Work = Callable[[str], object]


def write(folder: str, rows: str, sample: str, *csv: str) -> None:
    """The table as Parquet (and as CSV), and its first rows as CSV; six decimals."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    random = np.random.default_rng(0)
    x = random.normal(size=(COLUMNS - 1, int(rows))).round(6)
    y = (np.sin(2 * x[0]) + x[1] * x[2] + 0.1 * random.normal(size=int(rows))).round(6)
    names = [*(f"x{index + 1}" for index in range(COLUMNS - 1)), "y"]
    table = pa.table(dict(zip(names, [*x, y], strict=True)))
    pyarrow.parquet.write_table(table, f"{folder}/table.parquet")
    pyarrow.csv.write_csv(table.slice(0, int(sample)), f"{folder}/sample.csv")
    if csv:
        pyarrow.csv.write_csv(table, f"{folder}/table.csv")


def ours_load() -> Work:
    """A training of no updates: data that is ready, in front of a network without hidden layers.

    Of what follows the loading, measuring that network once takes longest, and that is little.
    """
    nnintro = _nnintro()
    model, training = {"kind": "mlp", "hidden": []}, {"epochs": 0}
    return lambda file: nnintro.fit({**_config(file), "model": model, "training": training})


def ours_epoch() -> Work:
    """``nnintro train`` as it is: evaluation, folder, TensorBoard and all, but no figures."""
    nnintro = _nnintro()

    def work(file: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            nnintro.train(_config(file), runs_dir=folder)

    return work


def _nnintro() -> Any:
    """nnintro, and the libraries that it loads only when it needs them."""
    import pyarrow.csv
    import pyarrow.parquet  # noqa: F401
    import torch  # noqa: F401

    import nnintro

    return nnintro


def warm(work: Work) -> None:
    """Do the work on a few rows, so that whatever is loaded at a first training is there."""
    with tempfile.TemporaryDirectory() as folder:
        write(folder, "300", "300")
        for name in ("table.parquet", "sample.csv"):
            work(f"{folder}/{name}")


def _config(file: str) -> dict[str, Any]:
    return {
        "device": "cpu",
        "dataset": {"kind": "table", "path": file, "target": "y", "validation": VALIDATION},
        "model": {"kind": "mlp", "hidden": [HIDDEN], "activation": "relu"},
        "descent": {"optimizer": "adam", "learning_rate": RATE, "batch_size": BATCH},
        "training": {"epochs": 1},
        "logging": {"figures": "off"},
    }


def torch_load() -> Work:
    return _torch(epochs=0)


def torch_epoch() -> Work:
    return _torch(epochs=1)


def _torch(epochs: int) -> Work:
    import pandas as pd
    import torch
    from sklearn.model_selection import train_test_split
    from torch import nn
    from torch.utils.data import DataLoader, TensorDataset

    torch.set_num_threads(1)  # twice as fast as two where products are this small

    def work(file: str) -> None:
        frame = pd.read_csv(file) if file.endswith(".csv") else pd.read_parquet(file)
        x, y = frame.drop(columns="y").to_numpy(), frame["y"].to_numpy()
        x, x_validation, y, y_validation = train_test_split(x, y, test_size=VALIDATION)
        mean, scale = x.mean(0), x.std(0)
        train, _ = (
            TensorDataset(
                torch.tensor((a - mean) / scale, dtype=torch.float32), torch.tensor(b[:, None], dtype=torch.float32)
            )
            for a, b in ((x, y), (x_validation, y_validation))
        )
        network = nn.Sequential(nn.Linear(COLUMNS - 1, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 1))
        optimizer = torch.optim.Adam(network.parameters(), lr=RATE)
        for _ in range(epochs):
            for inputs, targets in DataLoader(train, BATCH, shuffle=True):
                optimizer.zero_grad()
                nn.functional.mse_loss(network(inputs), targets).backward()
                optimizer.step()

    return work


def sklearn_load() -> Work:
    return _sklearn(epochs=0)


def sklearn_epoch() -> Work:
    return _sklearn(epochs=1)


def _sklearn(epochs: int) -> Work:
    import warnings

    import pandas as pd
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.model_selection import train_test_split
    from sklearn.neural_network import MLPRegressor
    from sklearn.preprocessing import StandardScaler

    def work(file: str) -> None:
        frame = pd.read_csv(file) if file.endswith(".csv") else pd.read_parquet(file)
        x, x_validation, y, _ = train_test_split(frame.drop(columns="y"), frame["y"], test_size=VALIDATION)
        scaler = StandardScaler().fit(x)
        x, x_validation = scaler.transform(x), scaler.transform(x_validation)
        if epochs:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # one epoch is asked for
                MLPRegressor(hidden_layer_sizes=(HIDDEN,), batch_size=BATCH, max_iter=epochs).fit(x, y)

    return work


def rows_load() -> Work:
    """Python's csv module, a float for each cell, a list for each row; to the same end as ours."""
    import csv

    import torch

    def work(file: str) -> list[Any]:
        with Path(file).open(newline="") as lines:
            reader = csv.reader(lines)
            next(reader)
            rows = [[float(cell) for cell in row] for row in reader]
        table = torch.tensor(rows, dtype=torch.float64)
        order = torch.randperm(len(table))
        held_out = round(VALIDATION * len(table))
        train, validation = table[order[held_out:]], table[order[:held_out]]
        mean, scale = train.mean(0), train.std(0, correction=0)
        return [((part - mean) / scale).float() for part in (train, validation)]

    return work


JOBS: dict[str, Callable[[], Work]] = {
    "ours-load": ours_load,
    "ours-epoch": ours_epoch,
    "torch-load": torch_load,
    "torch-epoch": torch_epoch,
    "sklearn-load": sklearn_load,
    "sklearn-epoch": sklearn_epoch,
    "rows-load": rows_load,
}


def main(job: str, *arguments: str) -> None:
    if job == "write":
        write(*arguments)
        print("{}")
        return
    work, (file,) = JOBS[job](), arguments
    if file and job.startswith("ours"):
        warm(work)
    begun = time.perf_counter()
    kept = work(file) if file else None
    seconds = time.perf_counter() - begun
    kilobyte = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * kilobyte
    print(json.dumps({"seconds": seconds, "peak": peak, "kept": kept is not None}))


if __name__ == "__main__":
    main(*sys.argv[1:])
