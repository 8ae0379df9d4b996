"""Whole numbers of which float64 does not hold every digit: ids, classes and times are compared by each of them."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnintro.datasets.tables import Encoding, encoded_blocks
from nnintro.datasets.tables.columns.coded import coded
from nnintro.errors import DataError
from tests.datasets.tables import built, raw, section, write

FIRST = 2**53
LAST = 2**64 - 1


def ids(first, step=1, rows=20):
    return [first + step * (k % 4) for k in range(rows)]


def written(folder, suffix, numbers, **others):
    typed = pa.array(numbers, pa.uint64()) if suffix == ".parquet" else numbers
    return write(folder / f"a{suffix}", {"id": typed, "y": [k % 7 / 2 for k in range(len(numbers))], **others})


def learned(path, **keys):
    return Encoding.from_description(built(path, **keys).found.description)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("numbers", [ids(FIRST), ids(LAST, -1), ids(1_800_000_000_000_000_001, 1000)])
def test_an_id_near_one_of_the_training_is_another_one(tmp_path, suffix, numbers):
    encoding = learned(written(tmp_path, suffix, numbers), categorical=["id"], unseen="error")
    assert encoding.feature_names == [f"id={value}" for value in sorted(set(numbers))]
    (tmp_path / "new").mkdir()
    written(tmp_path / "new", suffix, numbers)
    assert next(encoded_blocks(str(tmp_path / f"new/a{suffix}"), encoding)).inputs.sum() == len(numbers)
    near = min(numbers) - 7
    written(tmp_path / "new", suffix, [near, *numbers[1:]])
    with pytest.raises(DataError, match=rf"column 'id': expected one of the 4 categories .*, got '{near}'"):
        list(encoded_blocks(str(tmp_path / f"new/a{suffix}"), encoding))


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("numbers", [ids(FIRST), ids(LAST, -1)])
def test_classes(tmp_path, suffix, numbers):
    path = written(tmp_path, suffix, numbers, x=[float(k) for k in range(len(numbers))])
    task = built(path, target="id", task="classification", exclude=["y"]).found.task
    assert list(task.classes) == [str(value) for value in sorted(set(numbers))]


@given(st.lists(st.integers(-(10**40), 10**40), min_size=1, unique=True), st.data())
def test_spellings_are_of_the_same_whole_number(values, data):
    texts = [str(value) for value in values]
    number = data.draw(st.sampled_from(values))
    sign = "-" if number < 0 else data.draw(st.sampled_from(["", "+"]))
    ending = data.draw(st.sampled_from([".0", ".", "", "e0", ".000"]))
    other = f"{sign}{'0' * data.draw(st.integers(0, 3))}{abs(number)}{ending}"
    assert coded(pa.chunked_array([[other]])).positions(texts).tolist() == [values.index(number)]
    if number + 1 not in values:
        assert coded(pa.chunked_array([[str(number + 1)]])).positions(texts).tolist() == [-2]


@pytest.mark.parametrize("numeral", ["1e999999", "1e99999999999999999999999", "1e-99999999999999999999999", "9" * 500])
def test_exponents_beyond_all_bounds_are_answered(numeral):
    assert coded(pa.chunked_array([[numeral]])).positions(["0", "1", "3"]).tolist() in ([-2], [0])


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_inputs_that_float64_does_not_tell_apart_say_so(tmp_path, monkeypatch, suffix):
    monkeypatch.chdir(tmp_path)
    written(tmp_path, suffix, [LAST - k for k in range(20)], x=[float(k) for k in range(20)])
    why = "has values that differ by less than float64 can show (all are 1.84467e+19 there)"
    with pytest.raises(DataError) as caught:
        built(f"a{suffix}")
    assert str(caught.value) == f"a{suffix}: column 'id' {why}; name it in exclude or categorical"
    with pytest.raises(DataError) as caught:
        built(f"a{suffix}", target="id")
    assert str(caught.value) == f"a{suffix}: target 'id' {why}: nothing is left to learn"


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_times_in_nanoseconds(tmp_path, monkeypatch, suffix):
    """Twenty rows within what float64 takes for one time, from the latest to the first."""
    monkeypatch.chdir(tmp_path)
    start, values = 1_700_000_000_000_000_001, [float(k) for k in range(20)]
    write(tmp_path / f"a{suffix}", {"t": [start + 19 - k for k in range(20)], "y": values})
    splits = built(f"a{suffix}", window=1, split_by="t")
    assert raw(splits)[:, 0].round(9).tolist() == values[:0:-1]
    encoding = Encoding.from_description(splits.found.description)
    new = section(f"b{suffix}").path
    write(tmp_path / new, {"t": [start + k for k in range(20)], "y": values})
    assert sum(len(block.inputs) for block in encoded_blocks(new, encoding, block_rows=3)) == 20
    write(tmp_path / new, {"t": [start + min(k, 18) for k in range(20)], "y": values})
    with pytest.raises(DataError, match="expected a time later than the row before has, got '17"):
        list(encoded_blocks(new, encoding, block_rows=3))


def test_measured_numbers_of_any_size_stay_numbers(tmp_path):
    values = [1.5e300 * (k + 1) for k in range(20)]
    assert (
        raw(built(write(tmp_path / "a.csv", {"x": values, "y": list(range(20))}), standardize="none"))[0, 0] in values
    )
