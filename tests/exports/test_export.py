"""Exported files compute what the network computes, in programs that know nothing of nnintro."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import zipfile

import numpy as np
import onnx
import pytest
import safetensors
import torch
from torch import nn

import nnintro
from nnintro.errors import CheckpointError, DataError, NnintroError, UsageError
from nnintro.exports import FORMATS, agreement
from nnintro.exports import onnx as onnx_file
from nnintro.exports.export import export, write_export
from nnintro.exports.onnx_modules import TRANSLATIONS
from nnintro.models import ACTIVATIONS, MODELS
from tests.exports.conftest import PROGRAMS, assert_same, fresh, region_of
from tests.support import config

every_format = pytest.mark.parametrize("format", FORMATS)
DESCRIBED = {
    "producer": "nnintro",
    "version": nnintro.__version__,
    "run": "lesson",
    "task": "multiclass",
    "input": "x",
    "output": "y",
    "output_kind": "logits",
    "classes": '["0", "1", "2"]',
    "precision": "float32",
    "input_precision": "float64",
    "output_precision": "float32",
    "trained_in": "bfloat16",
}
ARCHITECTURE = {
    "kind": "mlp",
    "inputs": 2,
    "hidden": [5],
    "outputs": 3,
    "activations": ["tanh"],
    "output_activation": "identity",
    "standardize": "inputs",
}
BLOBS = {"kind": "classification", "generator": "blobs", "samples": 60, "standardize": "inputs"}


def module_of(format):
    return importlib.import_module(FORMATS[format].module)


def test_the_tables_belong_together():
    assert set(FORMATS) == set(PROGRAMS)
    assert set(MODELS.values()) <= set(TRANSLATIONS)
    assert {type(make()) for make in ACTIVATIONS.values()} <= set(TRANSLATIONS)
    assert len(ACTIVATIONS) == 11


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("standardize", ["none", "inputs"])
def test_every_activation(make, name, precision, standardize):
    model = {"hidden": [9, 7], "activation": name, "output_activation": name}
    data = {"kind": "regression", "generator": "friedman1", "samples": 50}
    run = make(config(model=model, dataset={**data, "standardize": standardize}, precision=precision))
    for format in ("onnx", "safetensors"):
        assert_same(run, format, export(run, format=format), fresh(run))


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_every_activation_by_torch(make, precision):
    """In one network: torch.export takes longest, and what it writes are torch's own operators."""
    model = {"hidden": [6] * len(ACTIVATIONS), "activation": list(ACTIVATIONS)}
    run = make(config(model=model, dataset=BLOBS, precision=precision))
    assert_same(run, "torch", export(run, format="torch"), fresh(run))


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_what_is_no_number_stays_none(make, precision):
    for name in ACTIVATIONS:
        run = make(config(name=name, model={"activation": name}, precision=precision))
        x = np.full((1, 1), np.nan, dtype=precision)
        assert run.predict(x).isnan().all()
        assert np.isnan(PROGRAMS["onnx"](export(run, format="onnx"), x)).all()


@every_format
@pytest.mark.parametrize("classes", [2, 3])
def test_a_single_layer_and_none_hidden(make, format, classes):
    run = make(config(model={"hidden": []}, dataset={**BLOBS, "classes": classes}))
    assert_same(run, format, export(run, format=format), fresh(run))


@every_format
def test_dropout_is_off_even_for_a_network_that_is_training(tmp_path, format):
    run = nnintro.train(config(model={"dropout": 0.5}), runs_dir=tmp_path)
    run.model.train()
    path = export(run, format=format)
    assert run.model.training
    assert_same(run, format, path, fresh(run))


@every_format
def test_no_rows_give_no_rows(make, format):
    run = make(config(dataset={**BLOBS, "classes": 3}))
    assert PROGRAMS[format](export(run, format=format), np.zeros((0, 2))).shape == (0, 3)


@every_format
def test_the_same_run_gives_the_same_bytes(make, format):
    run = make(config(dataset=BLOBS))
    first = export(run, format=format).read_bytes()
    assert export(run, format=format).read_bytes() == first


def test_arguments_far_from_zero(make):
    """Where exp overflows, erf is flat and softplus a straight line."""
    for name in ("sigmoid", "elu", "gelu", "silu", "softplus"):
        run = make(config(name=name, model={"activation": name}))
        with torch.no_grad():
            run.model.layers[0].weight.mul_(2000)
        assert_same(run, "onnx", export(run, format="onnx"), fresh(run))


class TestDescription:
    @pytest.fixture
    def run(self, make):
        data = {**BLOBS, "classes": 3}
        return make(config(name="lesson", dataset=data, precision="bfloat16"))

    def assert_described(self, found):
        architecture = json.loads(found.pop("architecture"))
        assert {key: architecture[key] for key in ARCHITECTURE} == ARCHITECTURE
        assert found == DESCRIBED

    def test_onnx(self, run):
        model = onnx.load(export(run, format="onnx"))
        self.assert_described({entry.key: entry.value for entry in model.metadata_props})
        assert (model.producer_name, model.producer_version) == ("nnintro", nnintro.__version__)
        (x,), (y,) = model.graph.input, model.graph.output
        assert (x.name, y.name) == ("x", "y")
        assert [d.dim_param or d.dim_value for d in x.type.tensor_type.shape.dim] == ["batch", 2]
        assert [d.dim_param or d.dim_value for d in y.type.tensor_type.shape.dim] == ["batch", 3]

    def test_torch(self, run):
        extra = {"nnintro.json": ""}
        torch.export.load(export(run, format="torch"), extra_files=extra)
        self.assert_described(json.loads(extra["nnintro.json"]))

    def test_safetensors(self, run):
        with safetensors.safe_open(export(run, format="safetensors"), "np") as file:
            self.assert_described(file.metadata())
            assert set(file.keys()) == set(run.model.state_dict())

    def test_regression_has_values_and_no_classes(self, make):
        with safetensors.safe_open(export(make(config()), format="safetensors"), "np") as file:
            found = file.metadata()
        assert (found["output_kind"], found["classes"]) == ("values", "[]")

    def test_classes_under_another_loss_are_no_logits(self, make):
        run = make(config(dataset=BLOBS, loss="mse"))
        with safetensors.safe_open(export(run, format="safetensors"), "np") as file:
            assert file.metadata()["output_kind"] == "values"


def test_the_torch_file_runs_without_nnintro_and_names_no_folder(make, tmp_path):
    path = export(make(config(dataset=BLOBS)), format="torch")
    script = (
        "import sys; sys.modules['nnintro'] = None; import torch; "
        f"print(torch.export.load({str(path)!r}).module()(torch.ones(3, 2).double()).shape)"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("torch.Size([3, 1])\n", "")
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            assert str(tmp_path).encode() not in archive.read(name)
            assert b"site-packages" not in archive.read(name)


class TestRefused:
    """What goes wrong leaves what was there before, and nothing else."""

    @pytest.fixture
    def run(self, make):
        run = make(config(dataset={**BLOBS, "classes": 3}))
        for row in FORMATS.values():
            (run.directory / f"run{row.suffix}").write_text("before")
        return run

    @pytest.fixture(autouse=True)
    def nothing_changed(self, run):
        def files():
            return {path.name: path.read_bytes() for path in run.directory.iterdir()}

        before = files()
        assert len(before) == 1 + len(FORMATS)
        yield
        assert files() == before

    @every_format
    @pytest.mark.parametrize("size", [1e-9, 1e-2])
    def test_a_file_with_another_weight(self, run, format, size, monkeypatch):
        codec = module_of(format)
        encode = codec.encode

        def sabotaged(model, description):
            weight = next(model.parameters())
            before = weight.detach().clone()
            with torch.no_grad():
                weight[0, 0] += size
                data = encode(model, description)
                weight.copy_(before)
            return data

        monkeypatch.setattr(codec, "encode", sabotaged)
        with pytest.raises(NnintroError, match=r"largest difference is \d\.\de-\d\d, and") as error:
            export(run, format=format)
        assert error.value.exit_code == 1

    @every_format
    def test_ctrl_c_while_it_is_checked(self, run, format, monkeypatch):
        def interrupted(path):
            assert path.stat().st_size > 100
            raise KeyboardInterrupt

        monkeypatch.setattr(module_of(format), "load", interrupted)
        with pytest.raises(KeyboardInterrupt):
            export(run, format=format)

    def test_more_than_a_file_holds(self, run, monkeypatch):
        monkeypatch.setattr(onnx_file, "LARGEST", 100)
        with pytest.raises(NnintroError, match=r"an ONNX file holds 2 GiB at most; export torch"):
            export(run, format="onnx")

    def test_a_module_without_translation(self, run):
        run.model.network.activations[0] = nn.Hardswish()
        with pytest.raises(NnintroError, match=r"^Hardswish has no translation to ONNX; export"):
            export(run, format="onnx")

    @pytest.mark.parametrize("format", ["onnx", "safetensors"])
    def test_a_missing_package(self, run, format, monkeypatch):
        monkeypatch.setitem(sys.modules, format, None)
        with pytest.raises(UsageError) as error:
            export(run, format=format)
        wanted = f"nnintro export --format {format} needs {format}: pip install 'nnintro[export]'"
        assert str(error.value) == wanted

    def test_a_package_that_does_not_load(self, run, tmp_path, monkeypatch):
        (tmp_path / "onnx.py").write_text("import protobuf_that_is_not_there")
        monkeypatch.delitem(sys.modules, "onnx")
        monkeypatch.syspath_prepend(tmp_path)
        with pytest.raises(UsageError, match=r"\(No module named 'protobuf_that_is_not_there'\)$"):
            export(run, format="onnx")


class TestRegion:
    def test_is_the_data(self, make):
        run = make(config(dataset={"domain": [[-3, 5]]}))
        assert [corner.tolist() for corner in region_of(run)] == [[-3.0], [5.0]]

    def test_is_where_the_standardisation_was_measured(self, make):
        run = make(config(dataset=BLOBS))
        low, high = region_of(run)
        assert torch.allclose((low + high) / 2, run.model.mean)

    def test_needs_no_data_that_has_gone(self, make, monkeypatch):
        def gone(experiment):
            raise DataError("prices.csv: no such file")

        monkeypatch.setattr("nnintro.exports.export.build_data", gone)
        run = make(config())
        assert [corner.tolist() for corner in region_of(run)] == [[-1.0], [1.0]]
        assert write_export(run, "onnx", run.directory / "a.onnx").rows == sum(agreement.SIZES)


def test_a_run_that_is_open_needs_its_folder_no_more(make, tmp_path):
    run = make(config(dataset=BLOBS))
    (run.directory / "config.yaml").unlink()
    assert export(run, tmp_path / "a.onnx").exists()


def test_a_run_is_found_by_its_name_or_its_folder(tmp_path):
    run = nnintro.train(config(name="small"), runs_dir=tmp_path)
    assert export("small", runs_dir=tmp_path) == tmp_path / "small/small.onnx"
    assert export(str(run.directory), tmp_path / "a.pt2") == tmp_path / "a.pt2"
    with pytest.raises(CheckpointError, match=r"^elsewhere: no such run; the current folder is /"):
        export("elsewhere", runs_dir=tmp_path)


def test_the_format_follows_from_the_suffix(make, tmp_path):
    run = make(config())
    assert export(run, tmp_path / "a.onnx") == tmp_path / "a.onnx"
    assert export(run, str(tmp_path / "A.PT2")) == tmp_path / "A.PT2"
    assert export(run, tmp_path / "b.bin", "onnx").exists()
    assert export(run, format="safetensors") == run.directory / "run.safetensors"
    onnx.checker.check_model(str(tmp_path / "a.onnx"))
    assert torch.export.load(tmp_path / "A.PT2")
