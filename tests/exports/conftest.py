"""Runs that need no training, and programs that run exported files without nnintro."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from scipy.special import erf, expit

from nnintro.config.load import load_config
from nnintro.config.write import as_yaml
from nnintro.exports.agreement import clear_of_jumps, own_rounding
from nnintro.exports.export import region
from nnintro.models import input_precision, precision_of
from nnintro.models.build import build_model
from nnintro.runs.data import data_text
from nnintro.runs.run import Run
from nnintro.training.setup import build_data
from nnintro.training.setup import region_of as region_of_splits

ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "identity": lambda z: z,
    "step": lambda z: (z > 0).astype(z.dtype),
    "sigmoid": expit,
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "elu": lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
    "gelu": lambda z: z * (1 + erf(z / math.sqrt(2))) / 2,
    "silu": lambda z: z * expit(z),
    "softplus": lambda z: np.where(z > 20, z, np.logaddexp(z, 0)),  # as torch has it
    "sine": np.sin,
}


def with_onnxruntime(path: Path, x: np.ndarray) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    (y,) = session.run(["y"], {"x": x})
    return y


def with_torch(path: Path, x: np.ndarray) -> np.ndarray:
    return torch.export.load(path).module()(torch.from_numpy(x)).detach().numpy()


def with_numpy(path: Path, x: np.ndarray) -> np.ndarray:
    """A safetensors file read by its specification, its network written out in numpy."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header, body = json.loads(data[8 : 8 + length]), data[8 + length :]
    architecture = json.loads(header.pop("__metadata__")["architecture"])
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        dtype = {"F32": np.float32, "F64": np.float64}[entry["dtype"]]
        tensors[name] = np.frombuffer(body[begin:end], dtype).reshape(entry["shape"])
    prefix = ""
    if "basis" in architecture:
        columns = dict(zip(architecture["variables"], x.astype(np.float64).T, strict=True))
        words = {name: getattr(np, name) for name in ("sin", "cos", "exp", "log", "sqrt", "abs", "tanh")}
        x = np.stack([eval(text, words, columns) for text in architecture["basis"]], axis=1)
    if "mean" in tensors:
        x, prefix = (x - tensors["mean"]) / tensors["scale"], "network."
        x = x.astype(tensors["network.layers.0.weight"].dtype)
    names = [*architecture["activations"], architecture["output_activation"]]
    for layer, name in enumerate(names):
        weight, bias = (tensors[f"{prefix}layers.{layer}.{kind}"] for kind in ("weight", "bias"))
        x = ACTIVATIONS[name](x @ weight.T + bias)
    if "target_mean" in tensors:
        x = x.astype(np.float64) * tensors["target_scale"] + tensors["target_mean"]
    return x


PROGRAMS = {"onnx": with_onnxruntime, "torch": with_torch, "safetensors": with_numpy}
"""Format -> (file, x) -> y, by a program that is not the one the export checks with."""
LIMITS = {torch.float32: 1e-6, torch.float64: 1e-12}
"""Largest difference, relative to max(1, |output|)."""


def untrained(source: Path | dict[str, Any], folder: Path) -> Run:
    """A run's folder with the config alone; its network with random parameters of usual size."""
    config = load_config(source)
    splits = build_data(config.experiment)
    setup = config.setup(splits.found)
    experiment = setup.experiment
    _, model = build_model(setup, region_of_splits(setup, splits))
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for values in model.parameters():
            # Larger ones let float32 rounding alone grow to 1e-6.
            spread = 0.7 / math.sqrt(max(values.shape[-1], 1))
            values.copy_(spread * torch.randn(values.shape, generator=generator))
    directory = folder / experiment.name
    directory.mkdir()
    (directory / "config.yaml").write_text(as_yaml(experiment), encoding="utf-8")
    if (found := data_text(setup, splits)) is not None:
        (directory / "data.json").write_text(found, encoding="utf-8")
    return Run(directory, model.eval(), {}, config, setup)


def fresh(run, rows=301, seed=9):
    """Inputs inside the data's region and around it."""
    low, high = (corner.double().numpy() for corner in region_of(run))
    unit = np.random.default_rng(seed).uniform(-0.5, 1.5, size=(rows, len(low)))
    x = torch.from_numpy(low + unit * (high - low))
    return x.to(input_precision(run.model)).numpy()


def region_of(run):
    return region(run)


def assert_same(run, format, path, x):
    """The file's outputs are the network's, away from the jumps of steps."""
    x = x[clear_of_jumps(run.model, torch.from_numpy(x)).numpy()]
    assert len(x) > 0
    # Many inputs, or large ones, are rounded by more.
    limit = max(LIMITS[precision_of(run.model)], 8 * own_rounding(run.model, torch.from_numpy(x)))
    for rows in (1, 2, 17, len(x)):
        wanted = run.predict(x[:rows]).numpy()
        found = PROGRAMS[format](path, x[:rows])
        assert found.shape == wanted.shape
        assert found.dtype == wanted.dtype
        apart = np.abs(found - wanted) / np.maximum(1, np.abs(wanted))
        assert apart.max() <= limit


@pytest.fixture
def make(tmp_path):
    """``make(config)``: see ``untrained``."""
    return lambda source: untrained(source, tmp_path)
