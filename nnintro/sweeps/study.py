"""Make or join the study of a sweep: in its own folder, or in a storage that several machines share."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnintro.errors import UsageError
from nnintro.sweeps.patience import Call, Patience
from nnintro.sweeps.shared import SharedSource
from nnintro.sweeps.space import Space
from nnintro.sweeps.storage import Opened, Place, journal, open_storage
from nnintro.sweeps.trial import Result
from nnintro.version import __version__
from nnintro.wording import shown

if TYPE_CHECKING:
    from optuna.study import Study

JOURNAL = "optuna.journal"
"""In the sweep's folder: its trials for Optuna's own tools; trials.csv is the record."""
SWEEP = "sweep:"
"""Begins the attribute of a study that says what is trained; behind it a name of its own for each writer."""
OWN_AFFAIR = ("name", "device", "logging", "sweep.keep")
"""Keys in which machines may differ."""


@dataclass(frozen=True)
class Task:
    """What the trials of a sweep are, and whom their results go to (see ``SharedSource``)."""

    name: str
    """The study's."""
    values: Mapping[str, Any]
    """The whole config, its sweep section included: equal on all machines."""
    space: Space
    seed: int
    maximize: bool
    ordered: bool
    known: Mapping[int, Result]
    record: Callable[[Result], object]
    interrupted: threading.Event


def source_in_folder(folder: Path, task: Task) -> SharedSource:
    """The trials of a sweep of this process alone, in the journal of its folder.

    Raises:
        OSError: it cannot be written.
        UsageError: Optuna is not installed.
    """
    path = folder / JOURNAL
    storage = journal(path)
    return _source(Opened(storage, Place(str(path))), task, lambda operation: operation(), exclusive=True)


def source_in_storage(address: str, task: Task, report: Callable[[str], object]) -> tuple[SharedSource, Opened]:
    """The trials of a sweep that any number of machines share, which begin it or join it.

    Args:
        report: is given a line when the database is away, and one when it is back.

    Raises:
        UsageError: the storage cannot be used, or has another sweep of this name.
        CheckpointError: its database went away, and did not come back.
    """
    opened = open_storage(address)
    try:
        source = _source(opened, task, Patience(opened.place, task.interrupted, report), exclusive=False)
    except BaseException:
        opened.close()
        raise
    return source, opened


def _source(opened: Opened, task: Task, call: Call, *, exclusive: bool) -> SharedSource:
    import optuna
    from optuna.study import StudyDirection

    direction = StudyDirection.MAXIMIZE if task.maximize else StudyDirection.MINIMIZE
    study = call(
        lambda: optuna.create_study(
            study_name=task.name, storage=opened.storage, direction=direction, load_if_exists=True
        )
    )
    if not exclusive:
        _agree(study, task, call)
    return SharedSource(
        opened.storage,
        study._study_id,
        task.space,
        task.seed,
        maximize=task.maximize,
        ordered=task.ordered,
        known=task.known,
        record=task.record,
        interrupted=task.interrupted,
        call=call,
        exclusive=exclusive,
    )


def _agree(study: Study, task: Task, call: Call) -> None:
    """Raise UsageError where the study has another sweep; the first machine says what it has."""
    ours = {"nnintro": __version__, **_compared(task.values)}
    key = f"{SWEEP}{uuid.uuid4().hex}"
    first = not _said(study, call)
    if first:
        call(lambda: study.set_user_attr(key, json.dumps(ours)))
    # Of two that come first at once, each sees what the other said: both are refused where it is not the same.
    for theirs in _said(study, call):
        if theirs != ours:
            if first:
                call(lambda: study.set_user_attr(key, None))
            raise UsageError(f"--storage: {_difference(task.name, theirs, ours)}")


def _said(study: Study, call: Call) -> list[dict[str, Any]]:
    attributes = call(lambda: study.user_attrs)
    return [json.loads(text) for name, text in attributes.items() if name.startswith(SWEEP) and text is not None]


def _difference(name: str, theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> str:
    """The first key in which two sweeps differ, in words."""
    key = next(key for key in {**ours, **theirs} if theirs.get(key) != ours.get(key))
    has, here = (shown(values[key]) if key in values else "no such key" for values in (theirs, ours))
    return f"the sweep {name!r} there has {key} {has}, here it is {here}: give this one another --name"


def _compared(values: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted key -> value, as plain JSON; of a path only the name, as machines may have files in other places."""
    flat = dict(_flat("", json.loads(json.dumps(values))))
    return {key: value for key, value in flat.items() if not _own(key)}


def _own(key: str) -> bool:
    return any(key == own or key.startswith(f"{own}.") for own in OWN_AFFAIR)


def _flat(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for name, item in value.items():
            yield from _flat(f"{key}.{name}" if key else name, item)
    else:
        yield key, Path(value).name if isinstance(value, str) and Path(value).is_absolute() else value
