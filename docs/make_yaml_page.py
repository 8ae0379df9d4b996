"""Writes docs/yaml.md from the schema's descriptions: python docs/make_yaml_page.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

PAGE = Path(__file__).with_name("yaml.md")
SCHEMA = Path(__file__).parents[1] / "nnintro.schema.json"
"""What ``nnintro schema`` prints."""
OPENING = """\
# The YAML, key by key

A config is one mapping with the sections below. Keys without a default are required. Unknown
keys, repeated keys, wrong types, numbers that are not finite and values out of range are errors,
reported all at once with file, line and column. Numbers and words are read by YAML 1.2: `1e-3` is a
number, `no` a text.

Formulas know x (or x1, x2, ... when there are several inputs), + - * / ** and parentheses, sin,
cos, tan, exp, log, sqrt, abs, tanh, min, max, sign, step (1 above 0, else 0), floor, pi and e.

`optimizer`, `schedule` and `initialization` take a name, or a mapping with that name under `kind`
and the settings listed here: `optimizer: {kind: adam, betas: [0.9, 0.99]}`.
"""
SECTIONS = {
    "The top level": [None],
    "dataset": [
        "FunctionDataset", "RegressionDataset", "ClassificationDataset", "BundledDataset",
        "TableDataset", "ImagesDataset",
    ],
    "model": ["MlpModel", "StepsModel", "UnetModel"],
    "model.steps": ["StepOrBump"],
    "model.initialization": [
        "TorchInitialization", "XavierInitialization", "HeInitialization", "ZerosInitialization",
        "SpreadInitialization", "StepsInitialization", "GivenInitialization",
    ],
    "model.initialization.layers": [
        "GivenLayer",
    ],
    "descent": ["Descent"],
    "descent.optimizer": ["Sgd", "Adagrad", "Rmsprop", "Adam", "Adamw", "Lbfgs"],
    "descent.schedule": [
        "ConstantSchedule", "StepSchedule", "ExponentialSchedule", "CosineSchedule",
    ],
    "training": ["Training"],
    "training.early_stopping": ["EarlyStopping"],
    "training.checkpoint": ["Checkpoints"],
    "logging": ["Logging"],
    "sweep": ["Sweep"],
    "sweep.over.KEY": ["Range"],
}  # fmt: skip


def page() -> str:
    """The whole page, Markdown."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    parts = [OPENING]
    for heading, names in SECTIONS.items():
        parts.append(f"## {heading}\n")
        for name in names:
            section = schema if name is None else schema["$defs"][name]
            parts += list(_section(section, schema["$defs"]))
    return "\n".join(parts)


def _section(section: dict[str, Any], known: dict[str, Any]) -> list[str]:
    properties = dict(section["properties"])
    kind = properties.pop("kind", None)
    lines = []
    if kind is not None:
        lines.append(f"`kind: {kind['const']}` — {_escaped(section['description'])}\n")
    if properties:
        lines += ["| key | value | default | |", "| --- | --- | --- | --- |"]
        required = section.get("required", [])
        for key, value in properties.items():
            default = "required" if key in required else _shown(value.get("default"))
            text = _escaped(" ".join(value.get("description", "").split()))
            lines.append(f"| `{key}` | {_type(value, known)} | {default} | {text} |")
        lines.append("")
    return lines


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "\\<")


def _shown(default: Any) -> str:
    if default is None or isinstance(default, dict):
        return ""
    return f"`{json.dumps(default)}`" if not isinstance(default, str) else f"`{default}`"


def _type(value: dict[str, Any], known: dict[str, Any]) -> str:
    if "enum" in value:
        return ", ".join(map(str, value["enum"]))
    several = value.get("anyOf") or value.get("oneOf") or []
    if "$ref" in value or ("oneOf" in value and all("$ref" in option for option in several)):
        return "see below"
    if several:
        return _one_of(several, known)
    kind = value.get("type", "")
    if kind == "array":
        items = value.get("items", {})
        if "$ref" in items:
            return "list, see below"
        return f"list of {_type(items, known)}" if items else "list"
    words = {"integer": "whole number", "object": "mapping", "string": "text"}
    return words.get(kind, kind)


def _one_of(several: list[dict[str, Any]], known: dict[str, Any]) -> str:
    options = [option for option in several if option.get("type") != "null"]
    found = list(dict.fromkeys(_type(option, known) for option in options))
    if found[1:] == [f"list of {found[0]}"]:
        return f"{found[0]}; or a list of these"
    return " or ".join(found)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
