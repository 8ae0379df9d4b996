"""Make or join the study of a sweep: in its own folder, or in a storage that several machines share."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnintro.errors import UsageError
from nnintro.runs.folder import explained
from nnintro.sweeps.password import Place
from nnintro.sweeps.patience import Call
from nnintro.sweeps.shared import SharedSource
from nnintro.sweeps.space import Space
from nnintro.sweeps.storage import Opened, journal
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
class Joined:
    """The study of a sweep, to take trials from (see ``SharedSource``)."""

    opened: Opened
    study: Study
    call: Call
    exclusive: bool

    def source(
        self,
        space: Space,
        seed: int,
        known: Mapping[int, Result],
        record: Callable[[Result], object],
        interrupted: threading.Event,
        *,
        ordered: bool,
    ) -> SharedSource:
        """Where the trials come from.

        Raises:
            CheckpointError: the database went away, and did not come back.
        """
        return SharedSource(
            self.opened.storage,
            self.study,
            space,
            seed,
            known=known,
            record=record,
            interrupted=interrupted,
            call=self.call,
            ordered=ordered,
            exclusive=self.exclusive,
        )


def study_in_folder(folder: Path, name: str, *, maximize: bool) -> Joined:
    """The study of a sweep of this process alone, in the journal of its folder.

    Raises:
        CheckpointError: it cannot be written.
        UsageError: Optuna is not installed.
    """
    path = folder / JOURNAL
    with explained(f"cannot write {path}"):
        opened = Opened(journal(path), Place(str(path)))
        return Joined(opened, _made(opened, name, maximize), lambda operation: operation(), exclusive=True)


def join(opened: Opened, name: str, values: Mapping[str, Any], *, maximize: bool, call: Call) -> Joined:
    """The study of a sweep that any number of machines share: the first makes it.

    Args:
        values: the whole config, its sweep section included, as ``flat_values`` has it.
        call: carries out what is asked of the storage (see ``Patience``).

    Raises:
        UsageError: the storage has another sweep of this name.
        CheckpointError: its database went away, and did not come back.
    """
    study = call(lambda: _made(opened, name, maximize))
    _agree(study, name, values, call)
    return Joined(opened, study, call, exclusive=False)


def _made(opened: Opened, name: str, maximize: bool) -> Study:
    import optuna
    from optuna.study import StudyDirection

    direction = StudyDirection.MAXIMIZE if maximize else StudyDirection.MINIMIZE
    return optuna.create_study(study_name=name, storage=opened.storage, direction=direction, load_if_exists=True)


def _agree(study: Study, name: str, values: Mapping[str, Any], call: Call) -> None:
    """Raise UsageError where the study has another sweep; the first machine says what it has."""
    ours = {"nnintro": __version__, **_compared(values)}
    key = f"{SWEEP}{uuid.uuid4().hex}"
    first = not _said(study, call)
    if first:
        call(lambda: study.set_user_attr(key, json.dumps(ours)))
    # Of two that come first at once, each sees what the other said: both are refused where it is not the same.
    for theirs in _said(study, call):
        if theirs != ours:
            if first:
                call(lambda: study.set_user_attr(key, None))
            raise UsageError(f"--storage: {_difference(name, theirs, ours)}")


def _said(study: Study, call: Call) -> list[dict[str, Any]]:
    attributes = call(lambda: study.user_attrs)
    return [json.loads(text) for name, text in attributes.items() if name.startswith(SWEEP) and text is not None]


def _difference(name: str, theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> str:
    """The first key in which two sweeps differ, in words."""
    key = next(key for key in {**ours, **theirs} if theirs.get(key) != ours.get(key))
    has, here = (shown(values[key]) if key in values else "no such key" for values in (theirs, ours))
    return f"the sweep {name!r} there has {key} {has}, here it is {here}: give this one another --name"


def _compared(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as plain JSON; of a path only the name, as machines may have files in other places."""
    return {key: _portable(value) for key, value in json.loads(json.dumps(values)).items() if not _own(key)}


def _own(key: str) -> bool:
    return any(key == own or key.startswith(f"{own}.") for own in OWN_AFFAIR)


def _portable(value: Any) -> Any:
    return Path(value).name if isinstance(value, str) and Path(value).is_absolute() else value
