"""Who may import whom, and when; every module says what it is."""

from __future__ import annotations

import ast
import re
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


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path, modules):
    """The modules of ours that a file imports, anywhere in it, for type checkers alone too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in modules else node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_no_module_imports_itself_by_way_of_others():
    """No cycle, imports inside functions and for type checkers included."""
    modules = {module_name(path): path for path in MODULES}
    left = {name: set(imported(path, modules)) & modules.keys() for name, path in modules.items()}
    assert sum(map(len, left.values())) > 500
    while left:
        free = {name for name, needs in left.items() if not needs & left.keys() - {name}}
        if not free:  # what remains imports what remains, however often one walks along
            break
        left = {name: needs for name, needs in left.items() if name not in free}
    cycles = {name: sorted(needs & left.keys()) for name, needs in left.items()}
    # Those that only lead to a cycle are not part of it.
    used = {need for needs in cycles.values() for need in needs}
    assert {name: needs for name, needs in cycles.items() if name in used} == {}


SECTION = r"\b(?:[A-Z]\w*(?:Dataset|Model)|DatasetSection|ModelSection)\b"


def test_only_the_config_asks_a_section_for_its_kind():
    """The rest asks the samples, the module, or what every section answers."""
    ladder = re.compile(rf"isinstance\([^()]*{SECTION}")
    guess = re.compile(r"getattr\((?:\w+\.)*(?:dataset|model|section|descent|optimizer),[^()]*,")
    found = []
    for path in MODULES:
        name = module_name(path)
        if name.startswith("nnintro.config."):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if ladder.search(line) or guess.search(line):
                found.append(f"{name}:{number}: {line.strip()}")
    assert found == []
    assert ladder.search("if isinstance(setup.dataset, TableDataset):")
    assert guess.search('getattr(setup.dataset, "noise", 0)')


def test_no_file_is_a_fragment():
    """A module of a few lines belongs with the one that needs it."""
    family = ("cli", "config.datasets", "config.models", "datasets", "models", "exports")
    small = []
    for path in MODULES:
        lines = len(path.read_text(encoding="utf-8").splitlines())
        package = module_name(path).removeprefix("nnintro.").rpartition(".")[0]
        if lines < 40 and path.name not in ("__init__.py", "__main__.py", "version.py"):
            small.append(f"{path.relative_to(ROOT)}: {lines}") if package not in family else None
    assert small == []


def test_csv_has_one_reader_and_one_writer():
    """Two readers once had different rules; history.csv and trials.csv are our own, written as they come."""
    found = {module_name(path) for path in MODULES if {"csv", "pyarrow.csv"} & set(imported(path, {"pyarrow.csv"}))}
    files = "nnintro.datasets.tables.files"
    assert found == {
        f"{files}.csv", f"{files}.csv_layout", f"{files}.csv_rows",
        "nnintro.files", "nnintro.runs.history", "nnintro.sweeps.record",
    }  # fmt: skip


def test_every_module_with_code_has_a_docstring():
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in MODULES}
    written = {path: tree for path, tree in trees.items() if tree.body}
    assert len(written) > 50
    silent = [str(path.relative_to(ROOT)) for path, tree in written.items() if not ast.get_docstring(tree)]
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
        "nnintro.sweeps.sweep",
        "nnintro.training.train",
    ],
)
def test_import_without_torch(module):
    script = (
        f"import sys, {module}\n"
        "heavy = {'torch', 'sklearn', 'matplotlib', 'tensorboard', 'numba'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_public_names_are_those_that_are_promised():
    promised = {"train", "fit", "load", "Run", "Fitted", "__version__", "NnintroError"}
    promised |= {"evaluate", "predict_file", "export", "construct", "certify", "sweep", "Swept", "find_rate"}
    promised |= {"ConfigError", "DataError", "DivergedError", "OutOfMemoryError", "CheckpointError"}
    assert set(nnintro.__all__) == promised
    for name in promised:
        assert getattr(nnintro, name)
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        nnintro.nonsense  # noqa: B018
