"""Images that the machine has not the memory for."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import nnintro
from tests.datasets.bad_images import good_folder

SCRIPT = """
import resource, sys
import PIL.PngImagePlugin, torch
from nnintro.predict import images
from nnintro.__main__ import main
torch.conv2d(torch.zeros(1, 1, 64, 64), torch.zeros(8, 1, 3, 3))  # whatever it loads at its first convolution
with open("/proc/self/statm") as file:
    used = int(file.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (600 << 20), resource.RLIM_INFINITY))
sys.argv = ["nnintro", *sys.argv[1:]]
main()
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the limit counts from what /proc says")
def test_one_line_and_exit_code_8(tmp_path):
    config = {
        "device": "cpu",
        "dataset": {"kind": "images", "path": str(good_folder(tmp_path / "cells"))},
        "model": {"kind": "unet", "channels": [32, 32], "normalization": "group"},
        "training": {"epochs": 0},
        "logging": {"figures": "off"},
    }
    run = nnintro.train(config, runs_dir=tmp_path / "runs").directory
    Image.fromarray(np.zeros((3000, 3000), np.uint8)).save(tmp_path / "large.png")
    command = [sys.executable, "-c", SCRIPT, "predict", str(run), "large.png", "--output", "out"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout) == (8, ""), done.stderr
    said = done.stderr.strip()
    assert "\n" not in said
    assert "not enough memory for large.png: the network's layers on an image of its size" in said
    assert "normalization: group needs the whole; cut it into parts, or train with batch" in said
    assert not (tmp_path / "out").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cells", "large.png", "runs"]
