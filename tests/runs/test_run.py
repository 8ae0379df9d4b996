"""A run from disk: the same network, or a CheckpointError that says why not."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

import nnintro
from nnintro import CheckpointError, DataError
from tests.support import config

PLANE = config(
    dataset={"kind": "classification", "generator": "blobs", "classes": 3, "samples": 60,
             "standardize": "inputs"},
    model={"hidden": [6, 4], "activation": ["tanh", "relu"], "dropout": 0.5},
    precision="float32",
)  # fmt: skip


@pytest.fixture(scope="module")
def curve(tmp_path_factory):
    return nnintro.train(config(), runs_dir=tmp_path_factory.mktemp("curve"))


@pytest.fixture(scope="module")
def plane(tmp_path_factory):
    return nnintro.train(PLANE, runs_dir=tmp_path_factory.mktemp("plane"))


@pytest.fixture
def copy(curve, tmp_path):
    """A copy of a run, to be spoiled."""
    return Path(shutil.copytree(curve.directory, tmp_path / "copy"))


class TestPredict:
    def test_is_the_network_written_out(self, curve):
        weights = [p.detach().numpy() for p in curve.model.parameters()]
        x = np.linspace(-1, 2, 9)[:, None]
        expected = np.tanh(x @ weights[0].T + weights[1]) @ weights[2].T + weights[3]
        assert np.allclose(curve.predict(x).numpy(), expected, rtol=1e-12, atol=1e-14)

    @pytest.mark.parametrize(
        "inputs",
        [
            [0.25, 0.5],
            [[0.25], [0.5]],
            ((0.25,), (0.5,)),
            np.array([0.25, 0.5]),
            np.array([[0.25], [0.5]], dtype=np.float16),
            np.array([0.5, 0.25])[::-1],
            torch.tensor([0.25, 0.5]),
            torch.tensor([[0.25], [0.5]], dtype=torch.float64, requires_grad=True),
        ],
    )
    def test_takes_one_feature_in_any_form(self, curve, inputs):
        outputs = curve.predict(inputs)
        assert outputs.shape == (2, 1)
        assert outputs.dtype == torch.float64
        assert not outputs.requires_grad
        assert torch.equal(outputs, curve.predict([[0.25], [0.5]]))

    def test_takes_arrays_that_may_not_be_written(self, curve):
        inputs = np.array([0.25, 0.5])
        inputs.flags.writeable = False
        assert curve.predict(inputs).shape == (2, 1)

    def test_gives_a_row_per_row(self, plane):
        assert plane.predict([[0, 1], [2, 3]]).shape == (2, 3)
        assert plane.predict(np.zeros((0, 2))).shape == (0, 3)
        assert plane.predict(np.zeros((5000, 2), dtype=np.int64)).shape == (5000, 3)

    def test_standardises_by_itself(self, plane):
        text = (plane.directory / "config.yaml").read_text()
        assert "standardize: inputs" in text
        network = plane.model
        x = torch.tensor([[3.0, -4.0]])
        mean, scale = network.mean, network.scale
        assert float(scale.min()) > 0
        inner = network.network(((x - mean) / scale).float())
        assert torch.allclose(plane.predict(x), inner)

    @pytest.mark.parametrize(
        ("inputs", "shape"),
        [
            ([0.5, 0.5], r"\(2,\)"),
            ([[0.5]], r"\(1, 1\)"),
            (np.zeros((4, 3)), r"\(4, 3\)"),
            (torch.zeros(1, 2, 2), r"\(1, 2, 2\)"),
            (1.0, r"\(\)"),
            ([], r"\(0,\)"),
        ],
    )
    def test_another_shape(self, plane, inputs, shape):
        with pytest.raises(DataError, match=rf"inputs: expected shape \(n, 2\), got {shape}"):
            plane.predict(inputs)

    @pytest.mark.parametrize(
        "inputs", [[["a", "b"]], [["1", "2"]], [[1], [2, 3]], None, [[None, 1]], [[1j, 2]], object()]
    )
    def test_no_numbers(self, plane, inputs):
        with pytest.raises(DataError, match="inputs must be numbers in rows of equal length"):
            plane.predict(inputs)

    def test_is_without_dropout_and_without_a_trace(self, plane):
        first = plane.predict([[0.1, 0.2]])
        assert torch.equal(first, plane.predict([[0.1, 0.2]]))
        assert all(p.grad is None for p in nnintro.load(plane.directory).model.parameters())


class TestLoad:
    @pytest.mark.parametrize("name", ["curve", "plane"])
    def test_is_the_run_that_was_trained(self, request, name):
        trained = request.getfixturevalue(name)
        loaded = nnintro.load(str(trained.directory))
        inputs = torch.randn(50, 1 if name == "curve" else 2, generator=torch.Generator())
        assert torch.equal(loaded.predict(inputs), trained.predict(inputs))
        assert loaded.summary == trained.summary
        assert loaded.history == trained.history
        assert not loaded.model.training

    def test_needs_no_device_of_the_training(self, copy):
        text = (copy / "config.yaml").read_text()
        (copy / "config.yaml").write_text(text.replace("device: auto", "device: cuda:7"))
        assert nnintro.load(copy).predict([0.5]).shape == (1, 1)

    def test_no_such_folder(self, tmp_path):
        with pytest.raises(CheckpointError, match="nowhere: no such run"):
            nnintro.load(tmp_path / "nowhere")

    def test_a_file(self, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(CheckpointError, match="file: no such run"):
            nnintro.load(tmp_path / "file")

    def test_a_folder_that_is_no_run(self, tmp_path):
        with pytest.raises(CheckpointError, match=r"is not a run: it has no config\.yaml"):
            nnintro.load(tmp_path)

    @pytest.mark.parametrize(
        ("file", "message"),
        [
            ("config.yaml", "config.yaml"),
            ("checkpoints/latest.json", "no checkpoint here"),
            ("checkpoints/step-18.pt", "No such file"),
        ],
    )
    def test_a_file_is_missing(self, copy, file, message):
        (copy / file).unlink()
        with pytest.raises(CheckpointError, match=message):
            nnintro.load(copy)

    @pytest.mark.parametrize("text", ["", "{", "[" * 100_000])
    def test_a_summary_that_makes_no_sense(self, copy, text):
        (copy / "summary.json").write_text(text)
        with pytest.raises(CheckpointError, match=r"no readable summary\.json"):
            nnintro.load(copy)

    def test_a_flipped_bit(self, copy):
        path = copy / "checkpoints/step-18.pt"
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
        with pytest.raises(CheckpointError, match="is damaged: its SHA-256 is not"):
            nnintro.load(copy)

    def test_a_truncated_checkpoint(self, copy):
        path = copy / "checkpoints/step-18.pt"
        path.write_bytes(path.read_bytes()[:-100])
        with pytest.raises(CheckpointError, match="is damaged"):
            nnintro.load(copy)

    def test_a_foreign_pickle_is_not_executed(self, copy):
        class Trap:
            def __reduce__(self):
                return Path.touch, (copy / "executed",)

        torch.save(Trap(), copy / "checkpoints/step-18.pt")
        data = (copy / "checkpoints/step-18.pt").read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        latest = {"file": "step-18.pt", "step": 18, "sha256": digest}
        (copy / "checkpoints/latest.json").write_text(json.dumps(latest))
        with pytest.raises(CheckpointError, match="is not a checkpoint: it holds more than tensors") as caught:
            nnintro.load(copy)
        assert "weights_only" not in str(caught.value)
        assert not (copy / "executed").exists()

    def test_a_manifest_that_points_elsewhere(self, copy):
        path = copy / "checkpoints/latest.json"
        shutil.move(copy / "checkpoints/step-18.pt", copy / "step-18.pt")
        path.write_text(path.read_text().replace("step-18.pt", "../step-18.pt"))
        with pytest.raises(CheckpointError, match="is not the name of a file beside it"):
            nnintro.load(copy)

    @pytest.mark.parametrize(
        ("before", "after", "told"),
        [
            ("hidden: [5]", "hidden: [6]", "hidden [5] became [6]"),
            ("activation: tanh", "activation: relu", "activations ['tanh'] became ['relu']"),
            ("output_activation: identity", "output_activation: tanh", "output_activation"),
            ("domain: [[0.0, 1.0]]", "domain: [[0.0, 1.0], [0.0, 1.0]]", "inputs 1 became 2"),
            ("standardize: none", "standardize: inputs", "standardize none became inputs"),
        ],
    )
    def test_a_config_of_another_model(self, copy, before, after, told):
        text = (copy / "config.yaml").read_text()
        if "domain" in before:
            text = text.replace("formula: sin(3*x)", "formula: sin(3*x1)*x2").replace("samples: 23", "samples: 25")
        assert before in text
        (copy / "config.yaml").write_text(text.replace(f" {before}", f" {after}"))
        with pytest.raises(CheckpointError, match=r"is of another model than config\.yaml") as caught:
            nnintro.load(copy)
        assert told in str(caught.value)

    def test_a_config_that_is_none(self, copy):
        (copy / "config.yaml").write_text("model: 5")
        with pytest.raises(CheckpointError, match="cannot be used"):
            nnintro.load(copy)
