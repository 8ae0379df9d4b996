"""Damaged files end in one error of ours or in samples; large ones need little more than their
numbers' memory."""

from __future__ import annotations

import contextlib
import gzip
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nnintro.datasets.tables import Encoding, encoded_blocks
from nnintro.datasets.tables.files import open_table
from nnintro.errors import ConfigError, DataError, OutOfMemoryError
from tests.datasets.tables import built, write

COLUMNS = {
    "area": [k / 4 for k in range(30)],
    "city": [("Ulm", "Bonn", 'a "b", c')[k % 3] for k in range(30)],
    "y": [k % 5 for k in range(30)],
}
MARKS = [b'"', b"\n", b",", b"\0", b"\xff", b"\r", b";", b"inf", b"NA", b" ", b"1e999", b"9" * 400]


def damaged(content, changes):
    data = bytearray(content)
    for place, mark, cut in changes:
        at = int(place * len(data))
        data[at : at + cut] = mark
    return bytes(data)


changes = st.lists(st.tuples(st.floats(0, 1), st.sampled_from(MARKS), st.integers(0, 30)), min_size=1, max_size=4)


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".npz"])
@pytest.mark.parametrize("missing", ["error", "drop", "indicator"])
def test_damaged_files(tmp_path, suffix, missing):
    good = write(tmp_path / f"good{suffix}", COLUMNS)
    content = good.read_bytes()
    encoding = Encoding.from_description(built(good).found.description)
    path = tmp_path / f"bad{suffix}"
    counts = {"read": 0, "refused": 0}

    @settings(max_examples=60, suppress_health_check=list(HealthCheck), database=None)
    @given(changes)
    def check(changed):
        path.write_bytes(damaged(content, changed))
        told = ""
        try:
            splits = built(path, missing=missing)
            assert bool(splits.train.inputs.isfinite().all())
        except (ConfigError, DataError) as error:
            told = str(error)
        assert "\n" not in told
        counts["refused" if told else "read"] += 1
        with contextlib.suppress(DataError):
            for block in encoded_blocks(str(path), encoding, block_rows=11):
                assert np.isfinite(block.inputs).all()

    check()
    assert counts["refused"] > 20


SCRIPT = """
import resource, sys, time
import pyarrow.compute, pyarrow.csv, pyarrow.parquet, torch
from tests.datasets.tables import built

peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
built(sys.argv[2], dtype=torch.float64)
before = peak()
splits = built(sys.argv[1], dtype=torch.float64)
print(peak() - before, splits.train.inputs.numel() + splits.validation.inputs.numel())
"""


def test_a_large_file_needs_at_most_twice_its_numbers(tmp_path):
    draw = np.random.default_rng(0)
    names = [*(f"c{k}" for k in range(49)), "y"]
    for path, rows in (("large", 400_000), ("small", 1000)):
        table = pa.table({name: draw.normal(size=rows) for name in names})
        pyarrow.parquet.write_table(table, tmp_path / f"{path}.parquet")
    command = [sys.executable, "-W", "error", "-c", SCRIPT]
    files = [str(tmp_path / "large.parquet"), str(tmp_path / "small.parquet")]
    done = subprocess.run([*command, *files], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    grown, numbers = map(int, done.stdout.split())
    assert numbers == 400_000 * 49
    assert grown < 2 * 8 * numbers


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_blocks_do_not_grow_with_the_file(tmp_path, suffix):
    path = write(tmp_path / f"a{suffix}", COLUMNS)
    encoding = Encoding.from_description(built(path).found.description)
    large = {name: values * 2000 for name, values in COLUMNS.items()}
    write(path, large)
    rows, most = 0, 0
    tracemalloc.start()
    for block in encoded_blocks(str(path), encoding, block_rows=1000):
        rows += block.columns.num_rows
        most = max(most, block.columns.num_rows)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (rows, most <= 1000) == (60_000, True)
    assert peak < 4_000_000
    assert pa.total_allocated_bytes() < 20_000_000


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("start", ["", "x,y\n1,2\n", 'x,y\n1,2\n"'])
def test_a_line_that_fills_memory(tmp_path, monkeypatch, encoding, start):
    monkeypatch.chdir(tmp_path)
    piece = ("7" * (1 << 20)).encode(encoding.replace("16", "16-le"))
    with gzip.open("a.csv.gz", "wb", compresslevel=1) as file:
        file.write(start.encode(encoding))
        for _ in range(60):
            file.write(piece)
    tracemalloc.start()
    with pytest.raises(DataError) as caught:
        built("a.csv.gz", encoding=encoding)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    line = start.count("\n") + 1
    told = f"a.csv.gz:{line}: a row of more than 4,194,304 bytes; is a quote not closed?"
    assert str(caught.value) == told
    assert peak < 20_000_000


def test_arrays_are_unpacked_as_far_as_they_are_needed(tmp_path):
    n = 300_000
    np.savez_compressed(tmp_path / "a.npz", x=np.arange(n), y=np.arange(n) % 7, other=np.zeros((n, 50)))
    tracemalloc.start()
    splits = built(tmp_path / "a.npz", dtype=torch.float32, inputs=["x"])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20 * 8 * n  # all of it would be 52 columns
    encoding = Encoding.from_description(splits.found.description)
    tracemalloc.start()
    count = 0
    for block in encoded_blocks(str(tmp_path / "a.npz"), encoding, block_rows=5000):
        assert block.columns.num_columns == 52
        assert block.inputs[0, 0] == count
        count += len(block.inputs)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == n
    assert peak < 20_000_000


# --- files of kilobytes that unpack to far more ----------------------------------------------

ROWS = 400_000


def csv_bomb(path):
    path.write_bytes(gzip.compress(b"area,y\n" + b"0.25,1\n0.5,2\n" * (ROWS // 2)))


def parquet_bomb(path):
    values = pa.table({"area": np.arange(ROWS) % 4 / 4, "y": np.arange(ROWS) % 2.0})
    pyarrow.parquet.write_table(values, path)


def npz_bomb(path):
    np.savez_compressed(path, area=np.arange(ROWS) % 4 / 4, y=np.arange(ROWS) % 2.0)


def long_texts(path):
    """Two texts that half of the rows share each: kilobytes in the file."""
    texts = pa.DictionaryArray.from_arrays(
        pa.array(np.arange(1000) % 2, pa.int32()), pa.array(["a" * 50_000, "b" * 50_000])
    )
    table = pa.table({"area": texts, "y": np.arange(1000) % 3.0})
    pyarrow.parquet.write_table(table, path, store_schema=False, write_statistics=False)


BOMBS = {".csv.gz": csv_bomb, ".parquet": parquet_bomb, ".npz": npz_bomb, "-texts.parquet": long_texts}


@pytest.mark.parametrize("suffix", BOMBS)
def test_what_unpacks_to_more_than_the_memory_is_refused(suffix, tmp_path):
    path = tmp_path / f"a{suffix}"
    BOMBS[suffix](path)
    assert path.stat().st_size < 100_000
    with pytest.raises(DataError, match=r"MiB or more once it is unpacked, and dataset\.memory is 2;"):
        built(path, memory=2.0)


@pytest.mark.parametrize("suffix", [".csv.gz", ".parquet", ".npz"])
def test_what_fits_into_the_memory_is_read(suffix, tmp_path):
    path = tmp_path / f"a{suffix}"
    BOMBS[suffix](path)
    assert len(built(path, memory=8.0).train) == 320_000


def test_blocks_of_long_texts_are_cut(tmp_path, monkeypatch):
    monkeypatch.setattr("nnintro.datasets.tables.files.parquet.LARGEST_PART", 1 << 20)
    long_texts(tmp_path / "a.parquet")
    sizes, rows = [], []
    for batch, places in open_table(str(tmp_path / "a.parquet")).blocks(1000):
        assert batch.schema.field("area").type == pa.string()
        sizes.append(batch.nbytes)
        rows += [places.at(row) for row in range(batch.num_rows)]
    assert max(sizes) < 1.1 * (1 << 20)
    assert sum(sizes) > 1000 * 50_000
    assert rows == [places.name + f": row {row:,}" for row in range(1, 1001)]


OTHERS = {
    "a device": (lambda path: path.symlink_to("/dev/zero"), "it is not a regular file"),
    "a pipe": (os.mkfifo, "it is not a regular file"),
    "a folder": (lambda path: path.mkdir(), "Is a directory"),
    "a loop of links": (lambda path: path.symlink_to(path), "Too many levels of symbolic links"),
}


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".tsv", ".parquet", ".npz"])
@pytest.mark.parametrize("kind", OTHERS)
def test_another_file_may_have_the_name_by_then(kind, suffix, tmp_path, monkeypatch):
    """The opening itself is safe: whatever was there when the name was looked at."""
    monkeypatch.chdir(tmp_path)
    make, why = OTHERS[kind]
    make(Path(f"a{suffix}"))
    monkeypatch.setattr("nnintro.datasets.tables.files.require_readable", lambda _: None)
    with pytest.raises(DataError) as caught:
        built(f"a{suffix}")
    assert str(caught.value) == f"a{suffix}: cannot be read: {why}"


def test_a_shortage_of_memory_is_said(tmp_path, monkeypatch):
    path = write(tmp_path / "a.csv", {"area": [0.5, 1.5, 2.5], "y": [1.0, 2.0, 3.0]})

    def refusing(*_, **__):
        raise pa.ArrowMemoryError("malloc of size 64 failed")

    monkeypatch.setattr(pa.csv, "read_csv", refusing)
    with pytest.raises(OutOfMemoryError, match=r"not enough memory for the table .*a\.csv"):
        built(path)
