"""The matrix product that machine code calls: the right numbers, by each library there is."""

from __future__ import annotations

import ctypes
import sys

import numpy as np
import pytest
import torch

from nnintro.engines import machine as blas
from nnintro.engines.machine import find_blas

FINDERS = {"MKL": blas._mkl, "OpenBLAS": blas._openblas, "scipy's": lambda letter: blas._of_scipy(f"{letter}gemm")}

INSTALLED = {
    "MKL": torch.backends.mkl.is_available() and sys.platform == "linux",
    "OpenBLAS": "openblas" in str(np.show_config(mode="dicts")["Build Dependencies"]["blas"]),
    "scipy's": True,
}
"""What torch and numpy say themselves, so that a finder that finds nothing is no reason to skip."""


def product(found, a, b):
    """a b of two matrices in columns, as Fortran has them, told in sizes of 64 bits."""
    kind = {"float32": ctypes.c_float, "float64": ctypes.c_double}[a.dtype.name]
    (m, k), n = a.shape, b.shape[1]
    c = np.full((m, n), np.nan, a.dtype, order="F")
    sizes = {name: ctypes.c_int64(value) for name, value in {"m": m, "n": n, "k": k}.items()}
    call = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 13)(found.address)
    one, zero, no = kind(1.0), kind(0.0), ctypes.c_char(b"N")
    words = [no, no, sizes["m"], sizes["n"], sizes["k"], one, a, sizes["m"], b, sizes["k"], zero,
             c, sizes["m"]]  # fmt: skip
    with found.alone():
        call(*(w.ctypes.data if isinstance(w, np.ndarray) else ctypes.addressof(w) for w in words))
    return c


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", FINDERS)
def test_products(name, dtype):
    found = FINDERS[name]({"float32": "s", "float64": "d"}[dtype])
    if not INSTALLED[name]:
        pytest.skip(f"neither torch nor numpy says that it was built with {name}")
    assert found is not None
    assert found.name == name
    source = np.random.default_rng(1)
    a, b = (np.asfortranarray(source.normal(size=s).astype(dtype)) for s in ((37, 65), (65, 130)))
    # Whatever the order of a sum, its rounding is below this (Higham, 2002, section 3.1); a number
    # near 0 is what is left of large ones, so that a bound on its own size would not hold.
    bound = 65 * np.finfo(dtype).eps * (abs(a).astype(float) @ abs(b).astype(float))
    assert (abs(product(found, a, b) - a.astype(float) @ b.astype(float)) <= bound).all()


def test_which_one(monkeypatch):
    """By the processor, so that a machine has the same bits every time."""
    float32 = np.dtype("float32")
    assert find_blas(float32, "znver3").name == "OpenBLAS"
    monkeypatch.setattr(blas, "_mkl", lambda _: None)
    assert find_blas(float32, "rocketlake").name == "OpenBLAS"
    monkeypatch.setattr(blas, "_openblas", lambda _: None)
    assert find_blas(float32, "rocketlake").name == "scipy's"


def test_of_several_at_a_time_the_last_to_leave_sets_the_threads_back():
    """Whichever was the first: the number is the whole process's."""
    found = blas._openblas("d")
    if not INSTALLED["OpenBLAS"]:
        pytest.skip("neither torch nor numpy says that it was built with OpenBLAS")
    assert found is not None
    with blas._pools().limit(limits=2):
        before = [pool["num_threads"] for pool in blas._pools().info()]
        one, other = found.alone(), found.alone()
        one.__enter__()
        other.__enter__()
        one.__exit__(None, None, None)
        assert {pool["num_threads"] for pool in blas._pools().info()} == {1}
        other.__exit__(None, None, None)
        assert [pool["num_threads"] for pool in blas._pools().info()] == before
        assert before[0] == 2
