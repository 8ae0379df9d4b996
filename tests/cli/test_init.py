"""nnintro init: a first config that works."""

from __future__ import annotations

import json


def test_the_starter_validates_and_trains(command, tmp_path):
    done = command("init")
    assert (done.code, done.out) == (0, "experiment.yaml\n")
    assert "nnintro train experiment.yaml" in done.err
    assert command("validate", "experiment.yaml").code == 0
    trained = command("train", "experiment.yaml", "--smoke", "--json", "--quiet")
    assert trained.code == 0
    assert json.loads(trained.out)["steps"] == 20
    assert (tmp_path / "runs/experiment/figures/fit.png").exists()


def test_every_value_marked_as_default_is_the_default(command, tmp_path):
    from nnintro.config.experiment import as_values
    from nnintro.config.load import load_config

    command("init")
    lines = (tmp_path / "experiment.yaml").read_text().splitlines(keepends=True)
    marked = [line for line in lines if line.rstrip().endswith(("(default)", "auto (default), cpu"))]
    marked += [line for line in lines if "# auto (default), cpu, cuda" in line]
    assert len(marked) == 4
    (tmp_path / "shorter.yaml").write_text("".join(line for line in lines if line not in marked))
    whole = as_values(load_config(tmp_path / "experiment.yaml", name="same").experiment)
    shorter = as_values(load_config(tmp_path / "shorter.yaml", name="same").experiment)
    assert shorter == whole


def test_an_existing_file_is_kept(command, tmp_path):
    (tmp_path / "mine.yaml").write_text("precious")
    done = command("init", "mine.yaml")
    assert (done.code, done.out) == (2, "")
    assert done.err == "mine.yaml exists already; choose another name, or --force to replace it\n"
    assert (tmp_path / "mine.yaml").read_text() == "precious"
    assert command("init", "mine.yaml", "--force").code == 0
    assert "dataset:" in (tmp_path / "mine.yaml").read_text()


def test_a_folder_gets_experiment_yaml_and_a_new_one_is_made(command, tmp_path):
    (tmp_path / "here").mkdir()
    assert command("init", "here").out == "here/experiment.yaml\n"
    assert command("init", "new/deep/first.yaml").code == 0
    assert (tmp_path / "new/deep/first.yaml").exists()


def test_a_place_that_cannot_be_written(command, tmp_path):
    (tmp_path / "file").write_text("")
    done = command("init", "file/first.yaml")
    assert done.code == 2
    assert done.err == "cannot write file/first.yaml: Not a directory\n"


def test_the_schema_line_leads_to_the_schema(command, tmp_path):
    """As in a clone, whose root has it; else the starter names the file that ``nnintro schema`` is to make."""
    done = command("init", "lessons/deep/mine.yaml")
    assert (tmp_path / "lessons/deep/mine.yaml").read_text().splitlines()[0] == (
        "# yaml-language-server: $schema=nnintro.schema.json"
    )
    line = "for an editor that completes and checks it: nnintro schema > lessons/deep/nnintro.schema.json"
    assert done.err.splitlines()[-1] == line
    (tmp_path / "nnintro.schema.json").write_text(command("schema").out)
    again = command("init", "lessons/deep/other.yaml")
    assert "nnintro schema" not in again.err
    first = (tmp_path / "lessons/deep/other.yaml").read_text().splitlines()[0]
    path = tmp_path / "lessons/deep" / first.partition("$schema=")[2]
    assert json.loads(path.read_text())["properties"]["dataset"]
