"""Every rule and trap: the located lines that a bad config is answered with, to the letter."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nnintro.config import rules
from nnintro.config.load import load_config
from nnintro.config.parse.vocabulary import slots
from nnintro.errors import ConfigError
from tests.config.bad_configs import CASES
from tests.config.config_files import complaints, load_text


@pytest.fixture(autouse=True)
def in_folder(tmp_path, monkeypatch):
    """Messages name the file as it was given."""
    monkeypatch.chdir(tmp_path)


def every_rule():
    sections = {section for _, slot in slots() for section in slot.sections}
    of_sections = {rule for section in sections for rule in section.rules}
    return of_sections | {*rules.RULES, *rules.DATA_RULES}


@pytest.mark.parametrize("title", CASES)
def test_messages_are_exact(title, tmp_path):
    text, expected = CASES[title]
    Path("bad.yaml").write_bytes(text.encode())
    assert complaints(Path("bad.yaml")) == expected


def test_the_table_is_complete():
    assert len(CASES) >= 190
    assert all(expected for _, expected in CASES.values())


def test_every_rule_is_broken_by_a_case(monkeypatch, tmp_path):
    """Each row of the table of rules has been seen to complain."""
    complaining = set()
    broken = rules._broken

    def watched(table, *arguments):
        for rule in table:
            for finding in broken((rule,), *arguments):
                complaining.add(rule)
                yield finding

    monkeypatch.setattr(rules, "_broken", watched)
    for text, _ in CASES.values():
        with pytest.raises(ConfigError):
            load_text(text, tmp_path)
    # Of a table's own columns, which are in no config: tests/training/test_runs_on_files.py.
    of_files = {rule for rule in every_rule() if rule.check is rules.columns_have_no_output_name}
    assert len(of_files) == 1
    assert complaining == every_rule() - of_files
    assert len(complaining) == 63


def test_rules_read_keys_that_exist():
    known = {".".join([*map(str, at), key]) for at, slot in slots() for key in slot.keys}
    named = {key for rule in every_rule() for key in rule.reads}
    assert named <= known
    assert len(named) > 25


def test_exit_code_and_problems():
    Path("bad.yaml").write_text("dataset: {kind: function, formula: x}\nmodel: {kind: mlpp}\n")
    with pytest.raises(ConfigError) as caught:
        load_config("bad.yaml")
    (problem,) = caught.value.problems
    assert caught.value.exit_code == 3
    assert (problem.file, problem.line, problem.column) == ("bad.yaml", 2, 15)
    assert problem.path == "model.kind"


# --- files that are no text ------------------------------------------------------------------

LATIN = "name: Übung\n".encode("latin-1")
TOO_LONG = b"# " + b"x" * (1 << 22)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"name: a\n" + LATIN, "bad.yaml:2:7: not UTF-8 text; save the file as UTF-8"),
        ("name: \u00fc".encode() + b"\xff", "bad.yaml:1:8: not UTF-8 text; save the file as UTF-8"),
        (b"\x89PNG\r\n\x1a\n\x00", "bad.yaml:1:1: not UTF-8 text; save the file as UTF-8"),
        ("name: a".encode("utf-16"), "bad.yaml:1:1: not UTF-8 text; save the file as UTF-8"),
        (bytes(100), "bad.yaml:1:1: not valid YAML: the character U+0000 is not allowed"),
        (TOO_LONG, "bad.yaml: larger than 4 MiB, too large for a config"),
    ],
    ids=["latin-1", "a stray byte", "a picture", "utf-16", "zeros", "too long"],
)
def test_no_text(data, expected):
    Path("bad.yaml").write_bytes(data)
    assert complaints(Path("bad.yaml")) == [expected]


def test_no_file(monkeypatch):
    assert complaints(Path("none.yaml")) == [
        f"none.yaml: cannot be read: No such file or directory; the current folder is {Path.cwd()}"
    ]
    Path("folder.yaml").mkdir()
    assert complaints(Path("folder.yaml")) == ["folder.yaml: cannot be read: Is a directory"]
    assert complaints(Path("a\x00b")) == ["a\x00b: cannot be read: embedded null byte"]

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    Path("a.yaml").touch()
    monkeypatch.setattr(os, "open", refuse)
    assert complaints(Path("a.yaml")) == ["a.yaml: cannot be read: Permission denied"]


# --- what is odd but good --------------------------------------------------------------------

FINE = "dataset: {kind: function, formula: x}\nmodel: {kind: mlp}\n"


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + FINE,
        FINE.replace("\n", "\r\n"),
        "---\n" + FINE + "...\n",
        "%YAML 1.2\n---\n" + FINE,
        FINE + "seed: !  5\n".replace("!  ", ""),
        FINE + "name: no\n",
        FINE + "descent: {learning_rate: 1e-3, weight_decay: .5e-1, batch_size: 0x10}\n",
        "dataset: {kind: function, formula: x, domain: &d [[0, 1]]}\nmodel: {kind: mlp}\n",
        FINE.replace("formula: x", "formula: !  x").replace("!  ", "! "),
    ],
)
def test_odd_but_good(text, tmp_path):
    assert load_text(text, tmp_path).experiment.dataset.formula == "x"


def test_a_flood_of_problems_is_cut_short(tmp_path):
    text = FINE + "".join(f"key{i}: 1\n" for i in range(10_000))
    Path("bad.yaml").write_text(text)
    lines = complaints(Path("bad.yaml"))
    assert len(lines) == 101
    assert lines[0].startswith("bad.yaml:3:1: key0: unknown key")
    assert lines[-1] == "bad.yaml: and 9,900 more"


def test_problems_found_later_get_their_place(tmp_path):
    """As the device that is not there, which only torch can tell."""
    loaded = load_text(FINE + "device: cuda:7\n", tmp_path, "descent.batch_size=10")
    with pytest.raises(ConfigError) as caught, loaded.locating():
        raise ConfigError.at("device", "there is no such device")
    assert str(caught.value) == f"{tmp_path}/bad.yaml:3:9: device: there is no such device"
    with pytest.raises(ConfigError) as caught, loaded.locating():
        raise ConfigError.at("descent.batch_size", "too small")
    assert str(caught.value) == "--set:1: descent.batch_size: too small"
    with pytest.raises(ConfigError) as caught, loaded.locating():
        raise ConfigError.at("dataset.samples", "too many")
    assert str(caught.value) == f"{tmp_path}/bad.yaml:1:1: dataset.samples: too many"
