"""What the documentation says is so: its examples run, its generated parts are fresh."""

from __future__ import annotations

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
)  # fmt: skip
"""English that reads as translated; what to write instead is plain: reports, BOM, newlines, is not a number, ..."""


def test_no_phrase_reads_as_translated():
    pages = [*(ROOT / "nnintro").rglob("*.py"), *(ROOT / "docs").glob("*.md"), ROOT / "README.md"]
    pages = [path for path in pages if "backpropagation" not in path.parts and path.name not in ("LOG.md", "map.md")]
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
    training, exporting = blocks(GUIDE, "python")
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(training, names)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["layer", "shape", "activation", "parameters"]
    exec(exporting, names)
    numbers = re.findall(r"-?\d\.\d+", capsys.readouterr().out)
    wanted = names["run"].predict([[-0.5], [0.5]])[:, 0].tolist()
    assert [float(number) for number in numbers] == pytest.approx(3 * wanted, abs=1e-4)


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
