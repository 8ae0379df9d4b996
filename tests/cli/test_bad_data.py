"""Data that cannot be used, as a user meets it: one line, exit code 4 (of the config: 3)."""

from __future__ import annotations

import pytest
import yaml

from tests.datasets.bad_images import BAD as BAD_IMAGES
from tests.datasets.bad_images import good_folder
from tests.datasets.bad_tables import BAD as BAD_TABLES


def test_there_are_many():
    assert sum(row[4] is None for row in BAD_TABLES) >= 60
    assert len(BAD_IMAGES) >= 45


def write_config(tmp_path, kind, **dataset):
    model = {"table": {"kind": "mlp"}, "images": {"kind": "unet", "channels": [2, 2]}}[kind]
    sections = {"dataset": {"kind": kind, **dataset}, "model": model, "training": {"epochs": 1}}
    text = yaml.safe_dump(sections, sort_keys=False, allow_unicode=True, width=10_000)
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")


def refused(done, code):
    assert (done.code, done.out) == (code, "")
    assert done.err.count("\n") == 1, done.err
    assert "Traceback" not in done.err
    return done.err


@pytest.mark.parametrize("row", BAD_TABLES, ids=[row[0] for row in BAD_TABLES])
def test_tables(command, tmp_path, row):
    _, name, content, keys, key, message = row
    if content == "folder":
        (tmp_path / name).mkdir()
    elif content is not None:
        (tmp_path / name).write_bytes(content)
    write_config(tmp_path, "table", **{"path": name, "target": "y", **keys})
    told = refused(command("train", "a.yaml", "--quiet"), 4 if key is None else 3)
    if key is None:
        assert message.removesuffix("...").removeprefix("...") in told
    else:
        assert told.startswith("a.yaml:")
        assert f" {key}: {message}" in told
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("name", BAD_IMAGES)
def test_images(command, tmp_path, name):
    bad = BAD_IMAGES[name]
    bad.make(good_folder(tmp_path / "cells"))
    write_config(tmp_path, "images", path="cells", **bad.section)
    told = refused(command("train", "a.yaml", "--quiet"), 4)
    assert bad.says in told
    assert not (tmp_path / "runs").exists()
