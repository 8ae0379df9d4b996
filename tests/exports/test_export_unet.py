"""Exported U-Nets compute what the network computes, in programs that know nothing of nnintro."""

from __future__ import annotations

import json

import numpy as np
import onnx
import onnxruntime
import pytest
import safetensors
import torch

from nnintro.config.models.unet import UnetModel
from nnintro.config.task import Task
from nnintro.exports import agreement, safetensors_file, torch_file
from nnintro.exports import onnx as onnx_file
from nnintro.models.build import build_network

CODECS = {"onnx": onnx_file, "torch": torch_file, "safetensors": safetensors_file}
LIMITS = {torch.float32: 2e-6, torch.float64: 1e-12}
every_case = pytest.mark.parametrize(
    ("normalization", "image", "dtype"),
    [
        ("batch", (8, 12), torch.float32),
        ("batch", (7, 9), torch.float32),
        ("group", (9, 6), torch.float32),
        ("none", (8, 8), torch.float32),
        ("batch", (7, 9), torch.float64),
        ("group", (8, 8), torch.float64),
        ("none", (5, 11), torch.float64),
    ],
)


def trained(normalization="batch", image=(7, 9), dtype=torch.float32, outputs=2):
    """A network whose parameters, statistics and standardisation are not those of the start."""
    section = UnetModel(kind="unet", channels=[4, 6, 10], normalization=normalization)
    task = Task("segmentation", 3, outputs, ("a", "b"), image=image)
    generator = torch.Generator().manual_seed(0)
    network = build_network(section, task, (-torch.ones(3), torch.ones(3)), dtype, generator)
    with torch.no_grad():
        for parameter in network.parameters():
            noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            parameter.add_(0.1 * noise)
        network(torch.randn(4, 3, *image, generator=generator).to(dtype))
    network.standardize_(torch.tensor([0.3, -1.0, 10.0]), torch.tensor([0.5, 2.0, 4.0]))
    return network.eval().requires_grad_(False)


def described(network, normalization, image, dtype):
    architecture = {
        "kind": "unet",
        "inputs": 3,
        "channels": [4, 6, 10],
        "normalization": normalization,
        "outputs": network.outputs,
        "image": list(image),
    }
    return {
        "run": "cells",
        "input": "x",
        "output": "y",
        "precision": str(dtype).removeprefix("torch."),
        "architecture": json.dumps(architecture),
    }


def written(tmp_path, format, network, *case):
    path = tmp_path / f"a.{format}"
    path.write_bytes(CODECS[format].encode(network, described(network, *case)))
    return path


def onnxruntime_runs(path, x):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(["y"], {"x": x.numpy()})[0]


RUN = {
    "onnx": onnxruntime_runs,
    "torch": lambda path, x: torch.export.load(path).module()(x).numpy(),
    "safetensors": lambda path, x: safetensors_file.load(path)(x).detach().numpy(),
}


@every_case
@pytest.mark.parametrize("format", CODECS)
def test_another_program_computes_the_same(tmp_path, format, normalization, image, dtype):
    case = normalization, image, dtype
    network = trained(*case)
    path = written(tmp_path, format, network, *case)
    x = 5 * torch.randn(5, 3, *image, dtype=dtype, generator=torch.Generator().manual_seed(9))
    for images in (1, 2, 5):
        wanted = network(x[:images]).numpy()
        found = RUN[format](path, x[:images])
        assert (found.shape, found.dtype) == (wanted.shape, wanted.dtype)
        apart = np.abs(found - wanted) / np.maximum(1, np.abs(wanted))
        assert apart.max() <= LIMITS[dtype]
    assert float(np.abs(wanted).max()) > 0.1


@every_case
def test_the_check_before_a_file_takes_its_name(tmp_path, normalization, image, dtype):
    case = normalization, image, dtype
    network = trained(*case)
    corner = network.mean.double(), network.scale.double()
    low, high = corner[0] - 3 * corner[1], corner[0] + 3 * corner[1]
    for format, codec in CODECS.items():
        program = codec.load(written(tmp_path, format, network, *case))
        with torch.no_grad():
            found = agreement.compare(network, program, low, high, image)
        assert found.difference <= found.allowed
        assert found.rows == 3
        assert "run on 3 inputs, 1 and 2 at a time" in str(found)


@pytest.mark.parametrize("format", CODECS)
def test_a_file_with_another_weight_is_refused(tmp_path, format):
    case = "batch", (7, 9), torch.float64
    network, other = trained(*case), trained(*case)
    with torch.no_grad():
        other.down[2][0].weight[0, 0, 1, 1] += 1e-7
    program = CODECS[format].load(written(tmp_path, format, other, *case))
    refused = pytest.raises(agreement.NnintroError, match=r"largest difference is \d\.\de-\d\d")
    with refused, torch.no_grad():
        agreement.compare(network, program, -torch.ones(3), torch.ones(3), (7, 9))


def test_probes_fill_each_channels_box():
    low, high = torch.tensor([0.0, 10.0, -5.0]), torch.tensor([1.0, 20.0, -4.0])
    x = agreement.probes(trained(), low, high, (7, 9))
    assert x.shape == (3, 3, 7, 9)
    inside = (x - low[:, None, None]) / (high - low)[:, None, None]
    assert bool(((inside[::2] >= 0) & (inside[::2] <= 1)).all())
    assert float(inside[1].min()) < -0.5
    assert float(inside[1].max()) > 1.5


@pytest.mark.parametrize("format", CODECS)
def test_the_same_network_gives_the_same_bytes(tmp_path, format):
    case = "group", (8, 8), torch.float32
    one, other = (written(tmp_path, format, trained(*case), *case).read_bytes() for _ in range(2))
    assert one == other


def test_the_onnx_file_says_its_shapes_and_keeps_the_parameters_names(tmp_path):
    case = "batch", (7, 9), torch.float32
    network = trained(*case)
    model = onnx.load(written(tmp_path, "onnx", network, *case))
    (x,), (y,) = model.graph.input, model.graph.output
    shapes = [[d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim] for value in (x, y)]
    assert shapes == [["batch", 3, 7, 9], ["batch", 2, 7, 9]]
    names = {constant.name for constant in model.graph.initializer}
    assert {name for name, _ in network.named_parameters()} <= names
    operators = {node.op_type for node in model.graph.node}
    assert {"Conv", "ConvTranspose", "BatchNormalization", "MaxPool", "Concat"} <= operators


def test_the_safetensors_file_holds_the_state(tmp_path):
    case = "batch", (7, 9), torch.float32
    network = trained(*case)
    with safetensors.safe_open(written(tmp_path, "safetensors", network, *case), "pt") as file:
        assert set(file.keys()) == set(network.state_dict())
        assert torch.equal(file.get_tensor("middle.0.weight"), network.middle[0].weight)


def test_a_layer_without_translation_is_refused(tmp_path):
    case = "none", (8, 8), torch.float32
    network = trained(*case)
    network.down[0][1] = torch.nn.Hardswish()
    with pytest.raises(agreement.NnintroError, match=r"^Hardswish has no translation to ONNX"):
        written(tmp_path, "onnx", network, *case)
