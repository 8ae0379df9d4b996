"""Paths that are not UTF-8: a disk from another system has them, and every command takes them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import nnintro
from tests.cli.conftest import environment
from tests.comparing import assert_same_run
from tests.support import config

ODD = os.fsdecode(b"caf\xe9")


@pytest.fixture
def odd(tmp_path):
    folder = tmp_path / ODD
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("this file system has only names in UTF-8")
    return folder


def write_config(path, **sections):
    path.write_text(json.dumps(config(training={"epochs": 2}, logging={"figures": "auto"}, **sections)))


def write_table(folder):
    path = folder / f"{ODD}.csv"
    path.write_text("a,y\n" + "".join(f"{i},{i * i}\n" for i in range(30)))
    return path


def nnintro_of(arguments, folder, **variables):
    done = subprocess.run(
        [sys.executable, "-m", "nnintro", *map(str, arguments)],
        cwd=folder, env={**environment(), **variables}, capture_output=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout.decode()


def test_a_run_in_such_a_folder_is_the_same_run(odd, tmp_path):
    values = config(name="run", training={"epochs": 2})
    nnintro.train(values, runs_dir=tmp_path)
    nnintro.train(values, runs_dir=odd)
    shutil.copytree(odd / "run", tmp_path / "copy")  # TensorBoard, which is asked, reads nothing there
    assert_same_run(tmp_path / "copy", tmp_path / "run")
    assert json.loads((odd / "run/summary.json").read_text())["directory"] == str(odd / "run")
    nnintro.train(resume=odd / "run", overrides=["training.epochs=4"])
    (odd / "run").rename(odd / ODD)
    assert nnintro.evaluate(odd / ODD).run == str(odd / ODD)


@pytest.mark.parametrize("format", ["onnx", "torch", "safetensors"])
def test_exports(format, odd):
    nnintro.train(config(name="run", training={"epochs": 1}), runs_dir=odd)
    (odd / "run").rename(odd / ODD)
    nnintro.export(odd / ODD, format=format)
    assert (odd / ODD / f"{ODD}.{ {'torch': 'pt2'}.get(format, format) }").is_file()


@pytest.mark.parametrize("locale", ["C.UTF-8", "C"])
def test_every_command(odd, locale):
    write_table(odd)
    write_config(odd / f"{ODD}.yaml", dataset={"kind": "table", "path": "table.csv", "target": "y"}, name="run")
    (odd / f"{ODD}.csv").rename(odd / "table.csv")
    table = write_table(odd)
    commands = (
        ["validate", f"{ODD}.yaml"],
        ["train", f"{ODD}.yaml", "--runs-dir", ODD],
        ["runs", "--runs-dir", ODD],
        ["runs", "--runs-dir", ODD, "--json"],
        ["predict", f"{ODD}/run", table, "--output", f"{ODD}{ODD}.csv"],
        ["evaluate", f"{ODD}/run", "--dataset", table, "--json"],
        ["train", "--resume", f"{ODD}/run", "--set", "training.epochs=3", "--json"],
        ["evaluate", f"{ODD}/run"],
        ["explain", f"{ODD}/run"],
    )
    found = {command[0]: nnintro_of(command, odd, LC_ALL=locale) for command in commands}
    assert json.loads(nnintro_of(["train", "--resume", f"{ODD}/run", "--json"], odd))["directory"] == f"{ODD}/run"
    assert found["explain"]
    assert len((odd / f"{ODD}{ODD}.csv").read_text().splitlines()) == 31


def test_images(odd, tmp_path):
    for part in ("images", "masks"):
        (odd / "data" / part).mkdir(parents=True)
    for number in range(4):
        pixels = np.random.default_rng(number).integers(0, 255, (16, 16), dtype=np.uint8)
        Image.fromarray(pixels).save(odd / "data/images" / f"{ODD}{number}.png")
        Image.fromarray((pixels > 127).astype(np.uint8) * 255).save(odd / "data/masks" / f"{ODD}{number}.png")
    values = config(
        dataset={"kind": "images", "path": str(odd / "data")},
        model={"kind": "unet", "channels": [2, 4]},
        descent={"batch_size": 2},
        precision="float32",
        name="run",
    )
    nnintro.train(values, runs_dir=odd)
    nnintro_of(["predict", odd / "run", odd / "data/images", "--output", odd / "out"], tmp_path)
    assert len(list((odd / "out/masks").iterdir())) == 4
