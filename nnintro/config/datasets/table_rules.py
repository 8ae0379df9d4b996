"""The rules of dataset kind ``table``: what its keys may be beside each other."""

from __future__ import annotations

import re
from collections import Counter

from nnintro.config.datasets.table import TableDataset
from nnintro.config.section import Complaint, Complaints, Rule
from nnintro.formula import FormulaError, parse


def inputs_or_exclude(dataset: TableDataset) -> Complaints:
    """Where the inputs are named, nothing else is one."""
    if dataset.inputs is not None and dataset.exclude:
        yield Complaint("dataset.exclude", "give inputs or exclude, not both")


def columns_have_one_role(dataset: TableDataset) -> Complaints:
    """A column is an input or a target, text or categorical, and named once."""
    lists = {
        "target": dataset.targets,
        "inputs": dataset.inputs or [],
        "exclude": dataset.exclude,
        "categorical": dataset.categorical,
        "text": dataset.text,
        "series": dataset.series_names,
        "dates": list(dataset.dates),
        "names": dataset.names or [],
    }
    for key, names in lists.items():
        for name in (name for name, count in Counter(names).items() if count > 1):
            yield Complaint(f"dataset.{key}", f"column '{name}' is named twice")
    past = " (with a window its past is an input by itself)" if dataset.window else ""
    for key, other, why in (
        ("inputs", "target", f"the target{past}"),
        ("exclude", "target", "the target"),
        ("text", "target", "the target, which is a number or a class"),
        ("text", "categorical", "categorical already"),
        ("text", "exclude", "excluded"),
        ("categorical", "exclude", "excluded"),
        ("series", "target", f"the target{past}"),
        ("series", "text", "text, and tells no series apart"),
        ("dates", "target", "the target, which is a number or a class"),
        ("dates", "categorical", "categorical already"),
        ("dates", "text", "text already"),
        ("dates", "series", "in series, and the name of a series is not a date"),
    ):
        others = set(lists[other])
        for name in dict.fromkeys(lists[key]):
            if name in others:
                yield Complaint(f"dataset.{key}", f"column '{name}' is {why}")


def marks_differ(dataset: TableDataset) -> Complaints:
    """A mark that ends the whole part of a number does not divide it."""
    decimal, thousands = dataset.decimal, dataset.thousands
    for name in {*(decimal if isinstance(decimal, dict) else ()), *(thousands if isinstance(thousands, dict) else ())}:
        points, groups = (key.get(name) if isinstance(key, dict) else key for key in (decimal, thousands))
        if isinstance(thousands, dict) and (points or ".") == groups:
            yield Complaint("dataset.thousands", f"{groups!r} is the decimal mark of column '{name}'")
    if isinstance(thousands, str) and not isinstance(decimal, dict) and thousands == (decimal or "."):
        yield Complaint("dataset.thousands", f"{thousands!r} is the decimal mark")


def split_by_fits_the_split(dataset: TableDataset) -> Complaints:
    """Groups need a column that names them; only groups and time are read from one."""
    kind = dataset.split
    if dataset.validation_file is not None and dataset.window is None:
        return  # which ``a_file_of_its_own_needs_no_split`` says
    if kind == "auto" and dataset.window is not None:
        kind = "time"
    if kind == "group" and dataset.split_by is None:
        yield Complaint("dataset.split", "group needs split_by, the column that names the groups")
    if dataset.split_by is not None and kind not in ("group", "time"):
        yield Complaint("dataset.split_by", f"needs split: group or time, got split: {kind}")


def a_file_of_its_own_needs_no_split(dataset: TableDataset) -> Complaints:
    """Where the validation rows have a file, no rows are chosen for it; a window's column of time stays."""
    if dataset.validation_file is None:
        return
    if dataset.validation_file == dataset.path:
        yield Complaint("dataset.validation.path", "the file that is trained on; expected another one, or a fraction")
    why = "the validation rows have a file of their own (validation.path), so no rows are split off"
    if dataset.split != "auto" and (dataset.window is None or dataset.split != "time"):
        yield Complaint("dataset.split", f"{why}; expected auto, got {dataset.split}")
    elif dataset.split_by is not None and dataset.window is None:
        yield Complaint("dataset.split_by", f"{why}; leave it out, or exclude the column if it is not to be an input")
    elif dataset.series is not None and dataset.window is None:
        yield Complaint("dataset.series", f"{why}; it needs a window")


def series_are_split_by_time(dataset: TableDataset) -> Complaints:
    """Several series are those of a window, or of a split by time."""
    is_split = dataset.validation_file is None
    if dataset.series is not None and dataset.window is None and dataset.split != "time" and is_split:
        yield Complaint("dataset.series", "needs a window, or split: time")
    if dataset.split_by is not None and dataset.split_by in dataset.series_names:
        yield Complaint("dataset.series", f"column '{dataset.split_by}' is the time already (split_by)")
    if dataset.gaps != "note" and (dataset.window is None or dataset.split_by is None):
        yield Complaint("dataset.gaps", "needs a window and split_by, the column of the time")


def windows_are_of_a_series(dataset: TableDataset) -> Complaints:
    """A window looks back in time, over rows of numbers without holes."""
    if dataset.window is None:
        if "horizon" in dataset.model_fields_set and dataset.horizon != 1:
            yield Complaint("dataset.horizon", "needs a window (the number of past rows in a sample)")
        return
    if dataset.split not in ("auto", "time"):
        yield Complaint("dataset.split", f"a series with a window is split by time, got split: {dataset.split}")
    if dataset.text:
        yield Complaint("dataset.text", "a window holds numbers and categories, no text")
    if dataset.missing == "drop":
        yield Complaint(
            "dataset.missing",
            "with a window, a row left out would be a hole in the series; expected error, mean or indicator",
        )


def classes_are_asked_for(dataset: TableDataset) -> Complaints:
    """Weights and strata of classes need classes; several targets are numbers."""
    several = len(dataset.targets) > 1
    if several and dataset.task_kind == "classification":
        remedy = "train one after the other, each with the others in exclude, or set task: regression for 0 and 1"
        yield Complaint("dataset.task", f"classes are of one target column; several are numbers: {remedy}")
    if not several and dataset.task_kind != "regression":
        return
    if dataset.class_weights == "balanced":
        yield Complaint("dataset.class_weights", "a regression has no classes; expected none")
    if dataset.split == "stratified":
        yield Complaint("dataset.split", "stratified needs classes, and this is a regression")


def basis_is_of_formulas(dataset: TableDataset) -> Complaints:
    """The basis functions can be read, whatever the columns are called (see ``rules.basis_can_be_read``)."""
    for index, text in enumerate(dataset.formulas):
        words = [word for word in re.findall(r"[A-Za-z_]\w*", text, re.ASCII) if not re.search(rf"\b{word} *\(", text)]
        try:
            parse(text, [*dict.fromkeys(words)] or ["x"])
        except FormulaError as error:
            yield Complaint(f"dataset.basis.{index}", str(error))


RULES = (
    Rule(basis_is_of_formulas, ("dataset.basis",)),
    Rule(inputs_or_exclude, ("dataset.inputs", "dataset.exclude")),
    Rule(
        columns_have_one_role,
        (
            "dataset.target",
            "dataset.inputs",
            "dataset.exclude",
            "dataset.categorical",
            "dataset.text",
            "dataset.series",
            "dataset.dates",
            "dataset.names",
            "dataset.window",
        ),
    ),
    Rule(
        a_file_of_its_own_needs_no_split,
        ("dataset.validation", "dataset.split", "dataset.split_by", "dataset.series", "dataset.window"),
    ),
    Rule(marks_differ, ("dataset.thousands", "dataset.decimal")),
    Rule(
        series_are_split_by_time,
        ("dataset.series", "dataset.window", "dataset.split", "dataset.split_by", "dataset.gaps", "dataset.validation"),
    ),
    Rule(split_by_fits_the_split, ("dataset.split", "dataset.split_by", "dataset.window", "dataset.validation")),
    Rule(
        windows_are_of_a_series,
        ("dataset.window", "dataset.horizon", "dataset.split", "dataset.text", "dataset.missing"),
    ),
    Rule(classes_are_asked_for, ("dataset.target", "dataset.task", "dataset.class_weights", "dataset.split")),
)
