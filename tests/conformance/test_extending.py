"""docs/extending.md, done: a member of every family, added to a copy of the package and used."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "extending.md"
FAMILIES = 11


@dataclass(frozen=True)
class Family:
    """A section of the page: its claim, the files that it writes and the changes that it makes."""

    title: str
    files: dict[str, str]
    changes: list[tuple[str, str]]


def families():
    found = []
    for text in PAGE.read_text(encoding="utf-8").split("\n## ")[1:]:
        title = text.partition("\n")[0]
        blocks = re.findall(r"```(python|diff)\n(?:# |--- )(\S+)\n(.*?)```", text, re.S)
        files = {path: body for kind, path, body in blocks if kind == "python"}
        changes = [(path, body) for kind, path, body in blocks if kind == "diff"]
        found.append(Family(title, files, changes))
    return found


def applied(text, change, path):
    """A change: runs of lines that are there (and stay, or go), with what comes in their place.

    A line that stays and is followed by one that stays or goes further on ends a run.
    """
    lines = change.splitlines()
    while lines:
        run = [lines.pop(0)]
        # Lines that come in belong to the run; so does one line that stays, at its edge.
        while lines and not (run[-1].startswith("+") and not lines[0].startswith("+")):
            run.append(lines.pop(0))
        if run[0].startswith("+"):
            run.append(lines.pop(0))
            while lines and lines[0].startswith("+"):
                run.append(lines.pop(0))
        old = "".join(line[1:] + "\n" for line in run if not line.startswith("+"))
        new = "".join(line[1:] + "\n" for line in run if not line.startswith("-"))
        assert text.count(old) == 1, f"{path}: {old!r} is there {text.count(old)} times"
        text = text.replace(old, new)
    return text


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """The folder of a copy of the package with all of the page's members in it."""
    folder = tmp_path_factory.mktemp("extended")
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "nnintro", folder / "nnintro", ignore=ignored)
    for family in families():
        for path, body in family.files.items():
            assert not (folder / path).exists()
            (folder / path).write_text(body, encoding="utf-8")
        for path, change in family.changes:
            place = folder / path
            place.write_text(applied(place.read_text("utf-8"), change, path), encoding="utf-8")
    return folder


DRIVER = """
import io, json, os, sys, time, traceback
from nnintro.cli import app

class Left(BaseException):
    pass

def leave(code):
    raise Left(code)

app._leave = leave
answers = sys.stdout
for line in sys.stdin:
    folder, words = json.loads(line)
    os.chdir(folder)
    sys.argv = ["nnintro", *words]
    sys.stdout, sys.stderr = (io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2))
    try:
        app.run(time.perf_counter())
    except Left as left:
        code = left.args[0]
    except BaseException:
        code = traceback.print_exc()
    texts = []
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
        texts.append(stream.buffer.getvalue().decode())
    print(json.dumps([code, *texts]), file=answers, flush=True)
"""
"""The command line again and again in one process: importing torch each time takes minutes."""


@pytest.fixture(scope="module")
def process(package):
    environment = {**os.environ, "PYTHONPATH": str(package)}
    with subprocess.Popen(
        [sys.executable, "-c", DRIVER],
        env=environment,
        cwd=package,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as driver:
        yield driver
        driver.stdin.close()


@pytest.fixture
def command(process, tmp_path):
    """``command("train", "a.yaml")`` with the extended package: exit code, stdout and stderr."""

    def run(*words, code=0):
        print(json.dumps([str(tmp_path), list(map(str, words))]), file=process.stdin, flush=True)
        found, out, err = json.loads(process.stdout.readline())
        assert found == code, err
        assert "Traceback" not in err
        return SimpleNamespace(stdout=out, stderr=err)

    return run


BASE = {
    "dataset": {"kind": "function", "formula": "sin(3*x)", "samples": 40},
    "model": {"kind": "mlp", "hidden": [4], "activation": "tanh"},
    "descent": {"learning_rate": 0.01, "batch_size": 8},
    "training": {"epochs": 4},
    "logging": {"figures": "off"},
}
MEMBERS = {
    "dataset": {"dataset": {"kind": "ramp", "slope": 2.0, "noise": 0.01}},
    "model": {"model": {"kind": "bilinear"}},
    "loss": {"loss": "log_cosh"},
    "metric": {"training": {"stop_when": {"validation/median_error": 1e-9}}},
    "optimizer": {"descent": {"optimizer": "adadelta", "learning_rate": 1.0}},
    "activation": {"model": {"kind": "mlp", "hidden": [4], "activation": "mish"}},
}
SERVED = {"dataset", "metric"}
"""Members that the compiled kernel has no row for, and needs none."""


def written(folder, name, sections):
    config = {key: {**value} for key, value in BASE.items()}
    for key, value in sections.items():
        config[key] = (
            value
            if not isinstance(value, dict) or "kind" in value
            else {**config.get(key, {}), **value}
        )
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


def test_the_page_claims_what_it_does():
    """A file for each file that it promises, a changed table for each row."""
    counts = {"a": 1, "one": 1, "two": 2, "an": 1}
    pages = families()
    assert len(pages) == FAMILIES
    for family in pages:
        claimed = dict.fromkeys(("file", "row", "name"), 0)
        for number, thing in re.findall(r"\b(an?|one|two) (file|row|name)s?\b", family.title):
            claimed[thing] += counts[number]
        tables = {path for path, _ in family.changes}
        assert len(family.files) == claimed["file"], family.title
        assert len(tables) == len(family.changes) == claimed["row"] + claimed["name"], family.title


@pytest.mark.parametrize("member", MEMBERS)
def test_a_member_goes_the_whole_way(member, command, tmp_path):
    path = written(tmp_path, member, MEMBERS[member])
    command("validate", path)
    done = command("train", path, "--set", "training.engine=autograd", "--json")
    summary = json.loads(done.stdout)
    assert summary["status"] in ("completed", "stopped")
    assert "validation/median_error" in summary["metrics"]
    refused = command("train", path, "--set", "training.engine=fused", "--name", "fused",
                      code=0 if member in SERVED else 3)  # fmt: skip
    assert member in SERVED or "training.engine: fused does not serve" in refused.stderr
    steps = summary["steps"]
    command("train", "--resume", member, "--set", f"training.steps={steps + 7}", "--quiet")
    resumed = json.loads(command("train", "--resume", member, "--json").stdout)
    assert resumed["steps"] == steps + 7
    inputs = tmp_path / "inputs.csv"
    inputs.write_text("x\n0.25\n0.5\n", encoding="utf-8")
    assert len(command("predict", member, inputs).stdout.splitlines()) == 3
    measured = json.loads(command("evaluate", member, "--json").stdout)["metrics"]
    assert measured["median_error"] == resumed["metrics"]["validation/median_error"]
    command("export", member, "--format", "safetensors")
    onnx = command("export", member, "--format", "onnx", code=1 if member in UNKNOWN_TO_ONNX else 0)
    assert member not in UNKNOWN_TO_ONNX or "has no translation to ONNX" in onnx.stderr


UNKNOWN_TO_ONNX = {"model", "activation"}


def test_rules_of_a_new_section_are_reported_with_their_line(command, tmp_path):
    path = written(tmp_path, "flat", {"dataset": {"kind": "ramp", "slope": 0.0}})
    line = path.read_text().splitlines().index("  slope: 0.0") + 1
    done = command("validate", path, code=3)
    assert f"flat.yaml:{line}:10: dataset.slope: a flat ramp has nothing to learn" in done.stderr


def test_a_kind_of_column(command, tmp_path):
    rows = [f"{15 * k},{k % 7}" for k in range(24)]
    (tmp_path / "wind.csv").write_text("\n".join(["wind_degrees,y", *rows, ""]), encoding="utf-8")
    table = {"kind": "table", "path": "wind.csv", "target": "y"}
    command("train", written(tmp_path, "wind", {"dataset": table}), "--quiet")
    (tmp_path / "new.csv").write_text("wind_degrees\n90\n450\nnorth\n", encoding="utf-8")
    done = command("predict", "wind", "new.csv", code=4)
    assert "new.csv:4: column 'wind_degrees': expected a number, got 'north'" in done.stderr
    (tmp_path / "new.csv").write_text("wind_degrees\n90\n450\n", encoding="utf-8")
    first, second = command("predict", "wind", "new.csv").stdout.splitlines()[1:]
    values = [float(line.split(",")[1]) for line in (first, second)]
    assert values[0] == pytest.approx(values[1], rel=1e-12)
    described = json.loads((tmp_path / "runs/wind/data.json").read_text())["description"]
    assert described["columns"] == [{"name": "wind_degrees", "kind": "angle"}]


def test_an_engine(command, tmp_path):
    path = written(tmp_path, "engine", {"training": {"engine": "plain"}})
    summary = json.loads(command("train", path, "--json").stdout)
    assert summary["engine"] == "plain"
    done = command("train", path, "--set", "descent.optimizer=adam", code=3)
    assert "training.engine: plain does not serve the optimizer adam" in done.stderr


def test_a_figure(command, tmp_path):
    command("train", written(tmp_path, "figure", {"logging": {"figures": "auto"}}), "--quiet")
    assert (tmp_path / "runs/figure/figures/residuals.png").read_bytes()[:4] == b"\x89PNG"


def test_an_export_format(command, tmp_path):
    neuron = {"kind": "mlp", "hidden": []}
    command("train", written(tmp_path, "neuron", {"model": neuron}), "--quiet")
    command("export", "neuron", "--format", "json", "--output", "a.json")
    assert "layers.0.weight" in json.loads((tmp_path / "a.json").read_text())
    command("train", written(tmp_path, "layers", {}), "--quiet")
    done = command("export", "layers", "--format", "json", code=1)
    assert "json holds a single layer" in done.stderr


def test_a_command(command, tmp_path):
    command("train", written(tmp_path, "counted", {}), "--quiet")
    assert command("count", "counted").stdout == "13\n"
    assert "count" in command("--help").stdout
