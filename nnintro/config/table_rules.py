"""Rules between the keys of a ``table`` dataset (see ``rules``)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from nnintro.config.datasets.table import TableDataset
from nnintro.config.experiment import Experiment
from nnintro.config.section import Complaint

Complaints = Iterator[Complaint]


def _table(experiment: Experiment) -> TableDataset | None:
    dataset: object = experiment.dataset
    return dataset if isinstance(dataset, TableDataset) else None


def inputs_or_exclude(experiment: Experiment) -> Complaints:
    """Where the inputs are named, nothing else is one."""
    dataset = _table(experiment)
    if dataset is not None and dataset.inputs is not None and dataset.exclude:
        yield Complaint("dataset.exclude", "inputs names the columns already; expected one of both")


def columns_have_one_role(experiment: Experiment) -> Complaints:
    """A column is an input or a target, text or categorical, and named once."""
    dataset = _table(experiment)
    if dataset is None:
        return
    lists = {
        "target": dataset.targets,
        "inputs": dataset.inputs or [],
        "exclude": dataset.exclude,
        "categorical": dataset.categorical,
        "text": dataset.text,
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
    ):
        for name in dict.fromkeys(lists[key]):
            if name in lists[other]:
                yield Complaint(f"dataset.{key}", f"column '{name}' is {why}")


def split_by_fits_the_split(experiment: Experiment) -> Complaints:
    """Groups need a column that names them; only groups and time are read from one."""
    dataset = _table(experiment)
    if dataset is None:
        return
    kind = dataset.split
    if kind == "auto" and dataset.window is not None:
        kind = "time"
    if kind == "group" and dataset.split_by is None:
        yield Complaint("dataset.split", "group needs split_by, the column that names the groups")
    if dataset.split_by is not None and kind not in ("group", "time"):
        yield Complaint("dataset.split_by", f"needs split: group or time, got split: {kind}")


def windows_are_of_a_series(experiment: Experiment) -> Complaints:
    """A window looks back in time, over rows of numbers without holes."""
    dataset = _table(experiment)
    if dataset is None:
        return
    if dataset.window is None:
        if "horizon" in dataset.model_fields_set and dataset.horizon != 1:
            yield Complaint("dataset.horizon", "needs a window, the rows that the past is made of")
        return
    if dataset.split not in ("auto", "time"):
        yield Complaint(
            "dataset.split", f"a series with a window is split by time, got split: {dataset.split}"
        )
    if dataset.text:
        yield Complaint("dataset.text", "a window holds numbers and categories, no text")
    if dataset.missing == "drop":
        yield Complaint(
            "dataset.missing",
            "with a window, a row left out would be a hole in the series; "
            "expected error, mean or indicator",
        )


def classes_are_asked_for(experiment: Experiment) -> Complaints:
    """Weights and strata of classes need classes; several targets are numbers."""
    dataset = _table(experiment)
    if dataset is None:
        return
    several = len(dataset.targets) > 1
    if several and dataset.task_kind == "classification":
        yield Complaint("dataset.task", "classes are of one target column; several are numbers")
    if not several and dataset.task_kind != "regression":
        return
    if dataset.class_weights == "balanced":
        yield Complaint("dataset.class_weights", "a regression has no classes; expected none")
    if dataset.split == "stratified":
        yield Complaint("dataset.split", "stratified needs classes, and this is a regression")


TABLE_RULES = (
    (inputs_or_exclude, ("dataset.inputs", "dataset.exclude")),
    (
        columns_have_one_role,
        ("dataset.target", "dataset.inputs", "dataset.exclude", "dataset.categorical",
         "dataset.text", "dataset.window"),
    ),
    (split_by_fits_the_split, ("dataset.split", "dataset.split_by", "dataset.window")),
    (
        windows_are_of_a_series,
        ("dataset.window", "dataset.horizon", "dataset.split", "dataset.text", "dataset.missing"),
    ),
    (
        classes_are_asked_for,
        ("dataset.target", "dataset.task", "dataset.class_weights", "dataset.split"),
    ),
)  # fmt: skip
"""Each rule, with the keys that it reads."""
