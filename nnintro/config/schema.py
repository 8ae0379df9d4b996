"""The YAML contract as JSON Schema, for editors' completion and checks."""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from typing import Any

from nnintro.config.experiment import Experiment
from nnintro.config.parse.vocabulary import slots
from nnintro.config.section import Section


def schema_text() -> str:
    """JSON Schema (draft 2020-12) of a config."""
    return json.dumps(schema(), indent=2)


def schema() -> dict[str, Any]:
    """The same as a dict; every section and every key is described."""
    whole = Experiment.model_json_schema()
    definitions = whole["$defs"]
    for section in {section for _, slot in slots() for section in slot.sections}:
        _describe(definitions.get(section.__name__, whole), section)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **whole, "title": "nnintro experiment"}


def _describe(described: dict[str, Any], section: type[Section]) -> None:
    texts = attribute_docstrings(section)
    for key, value in described["properties"].items():
        if key == "kind":
            value["description"] = inspect.cleandoc(section.__doc__ or "")
        elif key in texts:
            value["description"] = texts[key]


def attribute_docstrings(section: type[Section]) -> dict[str, str]:
    """Key -> the text below it in the source, those of the classes above included.

    pydantic could collect them too, but does so at import, which every command would pay for.
    """
    texts: dict[str, str] = {}
    for parent in reversed(section.__mro__[: section.__mro__.index(Section)]):
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(parent))).body
        assert isinstance(tree, ast.ClassDef)
        for field, text in zip(tree.body, tree.body[1:], strict=False):
            match field, text:
                case (ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(words)))) if (
                    name in section.model_fields
                ):
                    texts[section.model_fields[name].alias or name] = inspect.cleandoc(words)
    return texts
