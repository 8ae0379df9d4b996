"""RUN is a path or a name in --runs-dir, for every command that takes one."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

import nnintro
from nnintro.constructions.certify import certify
from nnintro.errors import CheckpointError
from nnintro.predict.evaluate import evaluate
from nnintro.runs.folder import find_run
from tests.cli.conftest import environment
from tests.support import config

COMMANDS = {
    "evaluate": ["evaluate", "RUN"],
    "predict": ["predict", "RUN", "rows.csv"],
    "explain": ["explain", "RUN"],
    "export": ["export", "RUN", "--format", "safetensors"],
    "certify": ["certify", "RUN", "--seconds", "1"],
    "resume": ["train", "--resume", "RUN"],
}
every_command = pytest.mark.parametrize("name", COMMANDS)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    return nnintro.train(config(name="small"), runs_dir=folder).directory


@pytest.fixture
def calling(command, trained, tmp_path):
    """``calling(name, run, ...)`` beside a run ``elsewhere/small``."""
    shutil.copytree(trained, tmp_path / "elsewhere/small")
    (tmp_path / "rows.csv").write_text("x\n0.5\n")

    def call(name, run, *more):
        words = [run if word == "RUN" else word for word in COMMANDS[name]]
        return command(*words, *more)

    return call


@every_command
def test_a_path(calling, name):
    assert calling(name, "elsewhere/small").code == 0


@every_command
def test_a_name(calling, name):
    assert calling(name, "small", "--runs-dir", "elsewhere").code == 0


@every_command
def test_a_name_in_the_default_folder(calling, name, tmp_path):
    (tmp_path / "elsewhere").rename(tmp_path / "runs")
    assert calling(name, "small").code == 0


@every_command
def test_nothing_of_that_name(calling, name, tmp_path):
    done = calling(name, "other")
    assert (done.code, done.out, done.err) == (6, "", f"other: no such run; the current folder is {tmp_path}\n")


@every_command
def test_nearly_the_name(calling, name):
    for run in ("smal", "somewhere/smal"):
        done = calling(name, run, "--runs-dir", "elsewhere")
        assert (done.code, done.out) == (6, "")
        assert done.err == f"{run}: no such run; did you mean 'small'?\n"


@every_command
def test_a_path_comes_before_a_name(calling, name, tmp_path):
    shutil.copytree(tmp_path / "elsewhere/small", tmp_path / "small")
    (tmp_path / "elsewhere/small/config.yaml").unlink()
    assert calling(name, "small", "--runs-dir", "elsewhere").code == 0


@every_command
def test_a_folder_that_is_not_a_run(calling, name, tmp_path):
    (tmp_path / "small").mkdir()
    done = calling(name, "small", "--runs-dir", "elsewhere")
    assert (done.code, done.out) == (6, "")
    assert done.err == "small is not a run: it has no config.yaml\n"


@pytest.mark.parametrize("find", [find_run, nnintro.load, evaluate, certify])
def test_python_functions(calling, find, tmp_path):
    find("elsewhere/small")
    find(tmp_path / "elsewhere/small")
    find("small", runs_dir="elsewhere")
    with pytest.raises(CheckpointError, match=r"^small: no such run; the current folder is /"):
        find("small")
    with pytest.raises(CheckpointError, match=r"^smal: no such run; did you mean 'small'\?$"):
        find("smal", runs_dir=tmp_path / "elsewhere")


def test_a_hidden_folder_is_not_proposed(calling, tmp_path):
    (tmp_path / "elsewhere/small").rename(tmp_path / "elsewhere/.small.123")
    with pytest.raises(CheckpointError, match=r"^smal: no such run; the current folder is /"):
        find_run("smal", "elsewhere")


@every_command
def test_a_run_that_is_missing_needs_no_torch(name, tmp_path):
    words = [word.replace("RUN", "nowhere") for word in COMMANDS[name]]
    script = (
        "import sys; sys.modules['torch'] = None; import nnintro.__main__ as main; "
        f"sys.argv = ['nnintro', *{words!r}]; main.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment(), text=True,
        capture_output=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (6, f"nowhere: no such run; the current folder is {tmp_path}\n")


def test_predictions_do_not_take_the_place_of_their_inputs(calling, tmp_path):
    (tmp_path / "again.csv").symlink_to(tmp_path / "rows.csv")
    for output in ("rows.csv", "./rows.csv", "again.csv"):
        done = calling("predict", "elsewhere/small", "--output", output)
        assert (done.code, done.out) == (2, "")
        assert done.err.endswith("is what is to be predicted; write to another place\n")
    assert (tmp_path / "rows.csv").read_text() == "x\n0.5\n"
