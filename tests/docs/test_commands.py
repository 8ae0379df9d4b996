"""Every command of the pages runs, in order, in a fresh copy; what the pages show is what comes out."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import nnintro
from tests.conformance.test_configs import CONFIGS, ROOT, header

COPIED = ("README.md", "configs", "docs", "nnintro.schema.json")
"""What the commands of the pages read; the rest of a clone is the package itself."""
SKIPPED = {
    "python3 -m venv": "installs: .ci/run runs it, in a copy of its own",
    ".venv": "for another system, or before the installation",
    "pip install": "installs",
    "nnintro dashboard": "a server, which runs until it is ended (tests/browser)",
}
"""Beginning of a command -> why it is not run here."""
SHORTENED = {"nnintro train configs/images/cells.yaml": "takes over 20 seconds; its result is not compared"}
"""Run with --smoke, to see that the command is accepted."""
TIME = re.compile(r"\d[\d.,]* s\b")
NUMBER = re.compile(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?(?:e-?\d+)?(?![\w])")


def steps(page):
    """(command, what the page shows below it, or None) in the order of the page."""
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    found = []
    for language, block in blocks:
        if language == "console":
            for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                command, _, shown = part.partition("\n")
                found.append((command, shown))
        elif language == "sh" or (not language and block.startswith("nnintro ")):
            found += [(line.partition("  #")[0].strip(), None) for line in block.splitlines()]
    return [(command, shown) for command, shown in found if command and not command.startswith("#")]


def brought(folder):
    """Files that a reader has, and the pages only name."""
    rng = np.random.default_rng(0)
    (folder / "spiral.yaml").write_text(
        "dataset:\n  kind: classification\n  generator: spirales\n"
        "model: {kind: mlp, hidden: [64]}\n"
        "descent:\n  optimizer: adam\n  learning_rat: 0.01\n"
    )
    (folder / "points.csv").write_text("name,x1,x2\nleft,-0.5,0.5\nright,0.5,0.5\n")
    (settings, *_) = re.findall(r"^```yaml\n(.*?)^```", (folder / "docs/data.md").read_text("utf-8"), re.M | re.S)
    (folder / "prices.yaml").write_text(f"{settings}training: {{epochs: 20}}\n")
    for name in ("prices", "new", "last_year"):
        rows = [f"{n},{area},{rooms},{1000 * area + 5000 * rooms}"
                for n, (area, rooms) in enumerate(rng.integers([30, 1], [150, 6], (60, 2)))]  # fmt: skip
        (folder / f"{name}.csv").write_text("\n".join(["id,area,rooms,price", *rows]) + "\n")
    for name in ("photographs", "others/images", "others/masks"):
        (folder / name).mkdir(parents=True)
        for n in range(2):
            pixels = rng.integers(0, 256, (64, 64))
            pixels = np.where(pixels > 127, 255, 0) if name.endswith("masks") else pixels
            Image.fromarray(pixels.astype(np.uint8)).save(folder / name / f"{n}.png")


def spoilt(folder, shown):
    """Before an output that complains of a file: that file with what it complains of."""
    if shown is None or ("got 'n/a'" not in shown and "got nan" not in shown):
        return
    (folder / "points.csv").write_text("name,x1,x2\nleft,-0.5,0.5\nright,n/a,0.5\n")
    points = np.zeros((5, 2))
    points[4, 1] = np.nan
    np.save(folder / "points.npy", points)


def compare(shown, printed, *, exact):
    """The same words; numbers within a hundredth where the page does not say that they depend on the machine."""
    shown, printed = (
        [line.split() for line in TIME.sub("TIME", text).splitlines() if line] for text in (shown, printed)
    )
    assert [NUMBER.sub("N", " ".join(line)) for line in printed] == [NUMBER.sub("N", " ".join(line)) for line in shown]
    if exact:
        numbers = [
            [float(number.replace(",", "")) for line in lines for number in NUMBER.findall(" ".join(line))]
            for lines in (printed, shown)
        ]
        assert numbers[0] == pytest.approx(numbers[1], rel=0.01, abs=1e-6)


@pytest.mark.parametrize(
    ("page", "least"), [("README.md", 10), ("docs/guide.md", 25), ("docs/data.md", 5), ("docs/faq.md", 5)]
)
def test_the_pages_commands_run_in_order(page, least, tmp_path):
    for name in COPIED:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    brought(tmp_path)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "COLUMNS": "120"}
    ran = 0
    for command, shown in steps(page):
        if any(beginning in command for beginning in SKIPPED):
            continue
        spoilt(tmp_path, shown)
        done = subprocess.run(
            ["bash", "-c", f"{command} --smoke" if command in SHORTENED else command],
            cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120,
            check=False,
        )  # fmt: skip
        complaint = shown is not None and ": expected " in shown
        assert (done.returncode != 0) == complaint, f"{command}\n{done.stdout}"
        assert "Traceback" not in done.stdout
        if shown:
            compare(shown, done.stdout, exact="certify" not in command)
        ran += 1
    assert ran >= least


LONG = {"images", "handover.yaml"}
"""Parts of paths: lessons that train for over 20 seconds."""
CLAIM = re.compile(r"((?:validation|train)/\w+) (-?\d[\d.]*(?:e-?\d+)?)")


def claims(path):
    """Metric -> the number in words that the header says was measured."""
    measured = re.search(r"Measured[^:]*: (.*?)\. ", " ".join(header(path)) + " ")
    return {tag: number.rstrip(".") for tag, number in CLAIM.findall(measured[1])} if measured else {}


CLAIMING = [path for path in CONFIGS if LONG.isdisjoint(path.relative_to(ROOT).parts) and claims(path)]


@pytest.mark.parametrize("path", CLAIMING, ids=[path.stem for path in CLAIMING])
def test_a_lessons_result_is_what_its_header_says(path):
    metrics = nnintro.fit(path).metrics
    for tag, said in claims(path).items():
        # Half of the last digit that is written, and 3 % for another processor's rounding.
        mantissa = said.partition("e")[0]
        digit = 10 ** -len(mantissa.partition(".")[2]) * float("1e" + (said.partition("e")[2] or "0"))
        assert metrics[tag] == pytest.approx(float(said), rel=0.03, abs=0.51 * digit), tag


def test_nearly_every_lesson_is_measured_again():
    assert len(CLAIMING) > 45
