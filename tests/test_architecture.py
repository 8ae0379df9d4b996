"""Who may import whom, and when; every module says what it is."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

import nnintro

PACKAGE = Path(nnintro.__file__).parent
ROOT = PACKAGE.parent
MODULES = sorted(PACKAGE.rglob("*.py"))


def test_imports_go_one_way(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    status = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    report = capsys.readouterr().out
    assert status == EXIT_STATUS_SUCCESS, report
    assert "1 kept, 0 broken" in report


def test_every_module_with_code_has_a_docstring():
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in MODULES}
    written = {path: tree for path, tree in trees.items() if tree.body}
    assert len(written) > 50
    silent = [
        str(path.relative_to(ROOT)) for path, tree in written.items() if not ast.get_docstring(tree)
    ]
    assert silent == []


@pytest.mark.parametrize(
    "module",
    [
        "nnintro",
        "nnintro.cli.app",
        "nnintro.config.load",
        "nnintro.config.schema",
        "nnintro.formula",
        "nnintro.runs.listing",
        "nnintro.training.train",
    ],
)
def test_import_without_torch(module):
    script = (
        f"import sys, {module}\n"
        "heavy = {'torch', 'sklearn', 'matplotlib', 'tensorboard', 'numba'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_public_names_are_those_that_are_promised():
    promised = {"train", "load", "Run", "__version__", "NnintroError"}
    promised |= {"ConfigError", "DataError", "DivergedError", "CheckpointError"}
    assert set(nnintro.__all__) == promised
    for name in promised:
        assert getattr(nnintro, name)
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        nnintro.nonsense  # noqa: B018
