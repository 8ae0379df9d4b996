"""An experiment as YAML text that reads back to the same experiment."""

from __future__ import annotations

import math
from typing import Any

import yaml

from nnintro.config.experiment import Experiment, as_values
from nnintro.config.parse.nodes import scalar


class _Dumper(yaml.SafeDumper):
    """Lists of scalars in one line; texts in quotes wherever YAML 1.2 would read something else."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = None if scalar(value) == value else "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


def _list(dumper: yaml.SafeDumper, value: list[Any]) -> yaml.SequenceNode:
    flat = all(not isinstance(item, dict) for item in value)
    node = dumper.represent_sequence("tag:yaml.org,2002:seq", value, flow_style=flat)
    for item in node.value:
        if isinstance(item, yaml.MappingNode):
            item.flow_style = True  # a line each
    return node


def _float(dumper: yaml.SafeDumper, value: float) -> yaml.ScalarNode:
    # PyYAML takes 1e-05 for a text and would mark it with a tag; 1.0e-05 is a number to all.
    digits, exponent, power = repr(value).partition("e")
    text = f"{digits}.0{exponent}{power}" if exponent and "." not in digits else repr(value)
    return dumper.represent_scalar("tag:yaml.org,2002:float", text)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(list, _list)
_Dumper.add_representer(float, _float)


def as_yaml(experiment: Experiment) -> str:
    """The whole config, defaults and overrides in it."""
    text: str = yaml.dump(
        as_values(experiment),
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=math.inf,
        default_flow_style=False,
    )
    return text
