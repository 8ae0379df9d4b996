"""Help, version and everything else that must answer before torch could even load."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import nnintro
from tests.cli.conftest import ROOT, environment

COMMANDS = (
    "train", "validate", "evaluate", "predict", "explain", "export", "runs", "dashboard", "schema", "init"
)  # fmt: skip

WITHOUT = """
import sys, os
for name in {absent!r}:
    sys.modules[name] = None   # importing it raises ImportError
from nnintro.cli import app
def leave(code):
    raise SystemExit(code)
app._leave = leave
for words in {lines!r}:
    sys.argv = ["nnintro", *words]
    try:
        app.run(0.0)
    except SystemExit as left:
        assert left.code == 0, (words, left.code)
"""


def run_without(absent, lines, folder):
    script = WITHOUT.format(absent=absent, lines=lines)
    return subprocess.run(
        [sys.executable, "-c", script], cwd=folder, env=environment(), capture_output=True, text=True, check=False
    )


def test_every_help_answers_without_torch_or_yaml(tmp_path):
    lines = [["--help"], *([name, "--help"] for name in COMMANDS)]
    done = run_without(["torch", "yaml", "numpy", "tensorboard"], lines, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for name in COMMANDS:
        assert f"nnintro {name} [OPTIONS]" in done.stdout
    for option in ("--set", "--name", "--runs-dir", "--smoke", "--json", "--quiet", "--port"):
        assert option in done.stdout


def test_checking_and_listing_need_no_torch(tmp_path):
    configs = sorted(str(path) for path in (ROOT / "configs").rglob("*.yaml"))
    (tmp_path / "runs").mkdir()
    lines = [["validate", *configs], ["schema"], ["init"], ["runs"], ["runs", "--json"]]
    done = run_without(["torch", "sklearn", "matplotlib", "tensorboard"], lines, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(": ok\n") == len(configs) > 0
    assert (tmp_path / "experiment.yaml").exists()


HEAVY = ("torch._dynamo", "sympy", "sklearn", "matplotlib", "numba", "pyarrow", "nnintro.datasets.images")


def test_a_training_loads_nothing_that_it_does_not_use(tmp_path):
    """Each of these takes a tenth of a second, or a whole one."""
    script = (
        "import sys, nnintro\n"
        "nnintro.train({'dataset': {'kind': 'function', 'formula': 'x', 'samples': 9}, 'model': {'kind': 'mlp'}})\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")


def test_module_and_version(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "nnintro", "--version"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, f"nnintro {nnintro.__version__}\n", "")


@pytest.mark.parametrize("words", [["--bogus"], ["train", "a.yaml", "--bogus"], ["nonsense"]])
def test_what_does_not_exist_is_a_usage_error_that_names_it(command, words):
    done = command(*words)
    assert done.code == 2
    assert done.out == ""
    assert words[-1] in done.err


def test_no_command_shows_the_help(command):
    done = command()
    assert done.code == 2
    for name in COMMANDS:
        assert name in done.out + done.err


def test_schema_is_one_json_document(command):
    done = command("schema")
    assert (done.code, done.err) == (0, "")
    assert set(json.loads(done.out)["properties"]) >= {"dataset", "model", "descent", "training"}
