"""The dashboard as a person meets it: TensorBoard's page in a real browser, driven by Selenium.

TensorBoard asks its server again and again while it starts, so a page is ready when what belongs
on it is there, not after a number of seconds.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request

import pytest
from PIL import Image
from selenium import webdriver
from selenium.common.exceptions import TimeoutException
from selenium.webdriver.support.ui import WebDriverWait

import nnintro
from tests.support import PATIENCE, config

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")
NEEDED = os.environ.get("NNINTRO_NEEDS_BROWSER") == "1"
FLAGS = (
    "--headless --no-sandbox --disable-gpu --enable-unsafe-swiftshader --disable-quic "
    "--no-first-run --disable-background-networking --disable-component-update --disable-sync "
    "--disable-dev-shm-usage --window-size=1500,950"
)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not (CHROMIUM and DRIVER) and not NEEDED, reason="Chromium or its driver is not installed"),
]


def wait_for_the_run(address):
    """TensorBoard answers before it has read the first event."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with urllib.request.urlopen(f"{address}data/plugin/timeseries/tags") as answer:
            if b"validation/loss" in answer.read():
                return
        time.sleep(0.2)
    raise AssertionError(f"the run did not appear within {PATIENCE:.0f} s")


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dashboard")
    values = config(logging={"figures": "auto", "histograms": "auto"}, name="wiggle")
    nnintro.train(values, runs_dir=folder / "runs")
    command = [sys.executable, "-m", "nnintro", "dashboard", "--port", "0"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        address = process.stdout.readline().strip()
        wait_for_the_run(address)
        yield address
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0


@pytest.fixture
def browser(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")  # the driver is on this machine
    assert CHROMIUM, "Chromium is needed here and not installed"
    assert DRIVER, "Chromium's driver is needed here and not installed"
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS.split(), f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


def text_of(driver):
    """The text a person can read, on one line."""
    return " ".join(driver.execute_script("return document.body.innerText").split())


def test_the_time_series_view_lists_the_run_and_its_tags(address, browser):
    """The one view whose text stands in the document; the others keep theirs in shadow trees."""
    assert address.startswith("http://127.0.0.1:")
    browser.get(f"{address}#timeseries")
    expected = {"wiggle", "gradient_norm", "learning_rate", "figures"}

    def missing(driver):
        return {word for word in expected if word not in text_of(driver)}

    with contextlib.suppress(TimeoutException):  # the assertion says what never came
        WebDriverWait(browser, PATIENCE, 0.5).until(lambda driver: not missing(driver))
    assert missing(browser) == set()


def orange(png):
    """Pixels of TensorBoard's first colour, in which it draws the first run and nothing else."""
    with Image.open(io.BytesIO(png)) as image:
        assert min(image.size) > 700
        colours = image.convert("RGB").getcolors(maxcolors=1 << 24)
    return sum(n for n, (r, g, b) in colours if abs(r - 255) + abs(g - 112) + abs(b - 67) < 12)


def test_a_screenshot_has_curves_in_it(address, browser):
    browser.get(f"{address}#custom_scalars")
    WebDriverWait(browser, PATIENCE, 0.5).until(
        lambda driver: orange(driver.get_screenshot_as_png()) > 50, "no curve was drawn"
    )
