"""The dashboard as a person meets it: TensorBoard's page in a real browser."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request

import pytest
from PIL import Image

import nnintro
from tests.support import config

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
NEEDED = os.environ.get("NNINTRO_NEEDS_BROWSER") == "1"
FLAGS = (
    "--headless --no-sandbox --disable-gpu --enable-unsafe-swiftshader --disable-quic "
    "--no-first-run --disable-background-networking --disable-component-update --disable-sync "
    "--window-size=1500,950 --virtual-time-budget=20000"
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None and not NEEDED, reason="Chromium is not installed"),
]


def wait_for_the_run(address):
    """TensorBoard answers before it has read the first event."""
    for _ in range(100):
        with urllib.request.urlopen(f"{address}data/plugin/timeseries/tags") as answer:
            if b"validation/loss" in answer.read():
                return
        time.sleep(0.2)
    raise AssertionError("the run did not appear within 20 s")


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dashboard")
    values = config(logging={"figures": "auto", "histograms": "auto"}, name="wiggle")
    nnintro.train(values, runs_dir=folder / "runs")
    command = [sys.executable, "-m", "nnintro", "dashboard", "--port", "0"]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        address = process.stdout.readline().strip()
        wait_for_the_run(address)
        yield address
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


def chromium(page, *options, profile):
    assert CHROMIUM is not None, "Chromium is needed here and not installed"
    command = [CHROMIUM, *FLAGS.split(), f"--user-data-dir={profile}", *options, page]
    return subprocess.run(command, capture_output=True, text=True, timeout=180, check=True).stdout


def text_of(page, profile):
    """The page's text once its scripts have run."""
    document = chromium(page, "--dump-dom", profile=profile)
    without_code = re.sub(r"<(script|style).*?</\1>", " ", document, flags=re.DOTALL)
    return re.sub(r"<[^>]+>", " ", without_code)


def test_the_time_series_view_lists_the_run_and_its_tags(address, tmp_path):
    """The one view whose text stands in the document; the others keep theirs in shadow trees."""
    assert address.startswith("http://127.0.0.1:")
    text = text_of(f"{address}#timeseries", tmp_path)
    words = " ".join(text.split()).replace(" /", "/")
    expected = ["wiggle", "descent/gradient_norm", "descent/learning_rate", "figures/fit"]
    assert [word for word in expected if word not in words] == []


def test_a_screenshot_has_curves_in_it(address, tmp_path):
    picture = tmp_path / "dashboard.png"
    chromium(f"{address}#custom_scalars", f"--screenshot={picture}", profile=tmp_path / "profile")
    with Image.open(picture) as image:
        colours = image.convert("RGB").getcolors(maxcolors=1 << 24)
        assert image.size == (1500, 950)
    # The first run's curve has TensorBoard's first colour, an orange that nothing else has.
    near = [n for n, (r, g, b) in colours if abs(r - 255) + abs(g - 112) + abs(b - 67) < 12]
    assert sum(near) > 50
