"""What the documentation says is so: its examples run, its generated parts are fresh."""

from __future__ import annotations

import ast
import re
import runpy
from pathlib import Path

import pytest
import yaml

import nnintro
from nnintro.config.load import load_config
from nnintro.config.schema import schema_text
from nnintro.errors import ConfigError

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs/guide.md").read_text(encoding="utf-8")


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def test_the_schema_file_is_fresh():
    assert (ROOT / "nnintro.schema.json").read_text(encoding="utf-8") == schema_text() + "\n"


def test_the_yaml_page_is_fresh():
    page = runpy.run_path(str(ROOT / "docs/make_yaml_page.py"))["page"]
    assert (ROOT / "docs/yaml.md").read_text(encoding="utf-8") == page()


def test_the_map_names_every_file_and_is_fresh():
    made = runpy.run_path(str(ROOT / "docs/make_map.py"))
    page = (ROOT / "docs/map.md").read_text(encoding="utf-8")
    assert page == made["page"]()
    files = [path.relative_to(ROOT / "nnintro") for path in (ROOT / "nnintro").rglob("*.py")]
    assert len(files) > 150
    assert [path for path in files if page.count(f"- [{path}](../nnintro/{path}): ") != 1] == []


@pytest.mark.parametrize(
    ("question", "file", "holds"),
    [
        ("Where is the learning-rate schedule applied?", "descent/schedules.py", "class LearningRate"),
        ("Who writes summary.json?", "runs/summary.py", "def write_summary"),
        ("Where would a Huber loss for tables go?", "objectives/losses.py", "def huber"),
    ],
)
def test_a_reader_finds_the_file_in_one_hop(question, file, holds):
    page = (ROOT / "docs/map.md").read_text(encoding="utf-8")
    (line,) = [line for line in page.splitlines() if line.startswith(f"| {question} ")]
    assert f"[{file}](../nnintro/{file})" in line
    assert holds in (ROOT / "nnintro" / file).read_text(encoding="utf-8")


CALQUES = (
    r"\btold of\b", r"\b(?:is|are) told\b", r"the mark at the beginning", r"\bends of lines\b", r"what hangs together",
    r"\bis no number\b", r"\bloss is no finite\b", r"\bare no (?:numbers|probabilities|categories)\b",
    r"do not add up to its checksum", r"--format is of\b", r"masks are files: say", r"is good for\.",
    r"\bstands in a run\b", r"stranger's table in blocks", r"Held while the folder",
    r"\bthere (?:is|are) no (?:rows|columns|arrays|inverse)\b", r"\bnone of (?:those|the categories)\b", r"\bof ours\b",
    r"\bthere are no true ones\b", r"\bare no longer written\b",
)  # fmt: skip
"""English that reads as translated; what to write instead is plain: reports, BOM, newlines, is not a number, ..."""


def test_no_phrase_reads_as_translated():
    pages = [*(ROOT / "nnintro").rglob("*.py"), *(ROOT / "docs").glob("*.md"), ROOT / "README.md"]
    pages = [path for path in pages if path.name != "LOG.md"]
    phrases = re.compile("|".join(CALQUES), re.IGNORECASE)
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in pages
        for match in phrases.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []
    assert phrases.search("the loss is no finite number")


def test_the_readmes_config_is_the_lesson():
    block, _ = blocks(README, "yaml")
    lesson = (ROOT / "configs/classification/xor.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(block) == yaml.safe_load(lesson)


def test_the_readmes_mistakes_are_told_as_shown(tmp_path, monkeypatch):
    (shown,) = blocks(README, "console")
    command, *messages = shown.strip().splitlines()
    assert command == "$ nnintro validate spiral.yaml"
    monkeypatch.chdir(tmp_path)
    Path("spiral.yaml").write_text(
        "dataset:\n  kind: classification\n  generator: spirales\n"
        "model: {kind: mlp, hidden: [64]}\n"
        "descent:\n  optimizer: adam\n  learning_rat: 0.01\n"
    )
    with pytest.raises(ConfigError) as caught:
        load_config("spiral.yaml")
    assert str(caught.value).splitlines() == messages


def test_the_readmes_python_runs(tmp_path, monkeypatch):
    (code,) = blocks(README, "python")
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(code, names)
    assert names["run"].summary["status"] == "completed"
    assert nnintro.load("runs/linear_regression").summary["epochs"] == 50


def test_the_guides_python_runs(tmp_path, monkeypatch, capsys):
    training, exporting, _ = blocks(GUIDE, "python")
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(training, names)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["layer", "shape", "activation", "parameters"]
    exec(exporting, names)
    numbers = re.findall(r"-?\d\.\d+", capsys.readouterr().out)
    wanted = names["run"].predict([[-0.5], [0.5]])[:, 0].tolist()
    assert [float(number) for number in numbers] == pytest.approx(3 * wanted, abs=1e-4)


def test_the_worked_update_is_what_explain_prints(tmp_path, monkeypatch, capsys):
    from nnintro.cli.explain import explain

    page = (ROOT / "docs/backpropagation.md").read_text(encoding="utf-8")
    (config,), (shown,) = blocks(page, "yaml"), blocks(page, "console")
    command, text = shown.split("\n", 1)
    assert command == "$ nnintro explain worked.yaml --sample 2"
    monkeypatch.chdir(tmp_path)
    Path("worked.yaml").write_text(config, encoding="utf-8")
    explain(Path("worked.yaml"), sample=2)
    printed = capsys.readouterr().out
    # Where the rounding of numpy and torch differs most is the processor's and the library's business.
    rounding = re.compile(r"largest\s+difference\s+is\s+(?:0|\S+,\s+in\s+[^;]+);")
    assert len(rounding.findall(printed)) == 1
    assert rounding.sub("", " ".join(printed.split())) == rounding.sub("", " ".join(text.split()))
    assert text.splitlines()[:-4] == printed.splitlines()[:-4]
    assert len(text.splitlines()) > 50


def code_from_outside():
    """Place -> Python that somebody who installed nnintro could have written.

    The blocks of docs/extending.md are files of nnintro itself.
    """
    scripts = [*(ROOT / "benchmarks").rglob("*.py"), *(ROOT / "docs").glob("*.py")]
    found = {str(path): path.read_text(encoding="utf-8") for path in scripts}
    for page in [*(ROOT / "docs").glob("*.md"), *(ROOT / "benchmarks").glob("*.md"),
                 ROOT / "README.md"]:  # fmt: skip
        if page.name != "extending.md":
            text = page.read_text(encoding="utf-8")
            found |= {f"{page}, {n}": code for n, code in enumerate(blocks(text, "python"))}
    return found


def names_of_nnintro(code):
    """What a piece of Python takes from nnintro: ``fit`` of ``nnintro.fit``, whole module paths."""
    for node in ast.walk(ast.parse(code)):
        match node:
            case ast.Import():
                names = node.names
                yield from (n.name for n in names if n.name.startswith("nnintro.") or is_hidden(n))
            case ast.ImportFrom(module=str(module)) if module.split(".")[0] == "nnintro":
                yield from (f"{module}.{name.name}" for name in node.names)
            case ast.Attribute(value=ast.Name(id="nnintro")):
                yield node.attr


def is_hidden(name):
    """``nnintro as n``, whose attributes would not be noticed."""
    return name.name == "nnintro" and name.asname is not None


def test_benchmarks_and_documentation_use_public_names_only():
    used = {(place, name) for place, code in code_from_outside().items() for name in names_of_nnintro(code)}
    assert sorted(use for use in used if use[1] not in nnintro.__all__) == []
    assert {name for _, name in used} >= {"train", "fit", "load", "export", "Fitted"}
    assert len({place for place, _ in used}) >= 7


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("import nnintro\nnnintro.fit({}).model.train()", ["fit"]),
        ("import nnintro.config.load", ["nnintro.config.load"]),
        ("import nnintro as n", ["nnintro"]),
        ("def f():\n    from nnintro.config import load, rules", ["nnintro.config.load",
                                                               "nnintro.config.rules"]),
        ("from nnintro import fit", ["nnintro.fit"]),
        ("from benchmarks import nnintro_like", []),
    ],
)  # fmt: skip
def test_the_search_finds_what_is_not_public(code, names):
    assert list(names_of_nnintro(code)) == names


def test_links_lead_somewhere():
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    links = [
        (page, target)
        for page in pages
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))
        if "://" not in target
    ]
    assert len(links) >= 10
    assert [link for link in links if not (link[0].parent / link[1]).exists()] == []
