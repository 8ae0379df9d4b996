"""The trials of a sweep in an Optuna study, from which any number of processes take them: each trial once."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from nnintro.errors import CheckpointError
from nnintro.sweeps.heartbeat import Heart
from nnintro.sweeps.patience import Call
from nnintro.sweeps.space import Space
from nnintro.sweeps.tpe import Parameters, Suggestions, frozen, state_and_value
from nnintro.sweeps.trial import LAG, Result, Trial

if TYPE_CHECKING:
    from optuna.storages import BaseStorage
    from optuna.study import Study
    from optuna.trial import FrozenTrial

POLL_SECONDS = 0.05, 1.0
"""How soon a worker that has to wait looks again, at first and at last."""
NUMBER, WORKER, BEAT, RESULT = "trial", "worker", "heartbeat", "result"
"""The attributes of a trial in the study; its number there is another where a trial was given back."""


@dataclass
class _Seen:
    """What is known of the study's trials."""

    settled: set[int] = field(default_factory=set)
    """The study's numbers of those that have ended."""
    held: dict[int, FrozenTrial] = field(default_factory=dict)
    """Our number -> the study's trial that somebody trains."""


class SharedSource:
    """Hands out trials and takes their results (see ``work.Source``), as a study has them.

    A trial is claimed by adding it to the study as running; of several such claims of one trial of the sweep, the
    one that the study got first counts, and the others are given up before anything is trained.  So a trial is trained
    once, whatever the database, without a lock; where a worker died, its claim fails and the number is free again.

    Args:
        study: the study, which also says whether large objectives are good.
        ordered: whether trial k may begin only when the results of all up to k - LAG are known.
        known: results that are on this machine's disk, from before.
        record: writes down a result that this machine has not had; called once for each, from several threads.
        exclusive: nobody else uses the storage: who holds a trial there is dead.
    """

    def __init__(
        self,
        storage: BaseStorage,
        study: Study,
        space: Space,
        seed: int,
        *,
        ordered: bool,
        known: Mapping[int, Result],
        record: Callable[[Result], object],
        interrupted: threading.Event,
        call: Call = lambda operation: operation(),
        exclusive: bool = False,
    ) -> None:
        self.results: dict[int, Result] = dict(known)
        self._storage, self._study, self._space, self._call = storage, study._study_id, space, call
        self._record, self._interrupted = record, interrupted
        self._parameters = Parameters(space)
        tpe = space.sampler == "tpe"
        self._suggestions = Suggestions(space, self._parameters, seed, study.direction) if tpe else None
        self._ordered = ordered or tpe
        self._lock = threading.Lock()
        self._seen, self._first = _Seen(), 0
        self._mine: dict[int, int] = {}
        self._me = f"{socket.gethostname()}:{os.getpid()}"
        self._synchronize()
        if exclusive:
            for trial in self._seen.held.values():
                self._fail(trial._trial_id)
        self._import(known)
        self._heart = None if exclusive else Heart(self._beat, self._others, self._fail)

    def next(self) -> Trial | None:
        """The next trial (see ``work.Source``)."""
        pause = POLL_SECONDS[0]
        while not self._interrupted.is_set():
            with self._lock:
                try:
                    self._synchronize()
                    if len(self.results) >= self._space.trials:
                        return None
                    free = self._choose()
                    if free is not None:
                        if self._claim(free):
                            return Trial(free, self._values(free))
                        pause = POLL_SECONDS[0]
                        continue
                except CheckpointError:
                    if self._interrupted.is_set():  # by a signal, while the database was waited for
                        return None
                    raise
            self._interrupted.wait(pause)
            pause = min(1.5 * pause, POLL_SECONDS[1])
        return None

    def report(self, result: Result) -> None:
        """The result of a trial (see ``work.Source``)."""
        try:
            written = self._finish(self._mine[result.number], result)
        except CheckpointError:
            if not self._interrupted.is_set():
                raise
            return  # a signal, while the database was waited for: the trial is given back
        if written:
            with self._lock:
                self._accept(result)
        self._mine.pop(result.number, None)

    def close(self) -> None:
        """Give back what was not trained to its end, and let the heart stop."""
        if self._heart is not None:
            self._heart.stop()
        with contextlib.suppress(CheckpointError):  # the database is away: others will miss the heartbeats
            for identity in list(self._mine.values()):
                self._fail(identity)
        self._mine.clear()

    def _values(self, number: int) -> Mapping[str, Any]:
        if self._suggestions is None:
            return self._space.values(number)
        return self._suggestions.values(number, self.results)

    def _choose(self) -> int | None:
        """A trial that nobody has; the more others there are, the less likely the same one that they choose."""
        others = sum(not self._is_mine(trial) for trial in self._seen.held.values())
        free = list(islice(self._free(), 1 + 2 * others))
        return free[uuid.uuid4().int % len(free)] if free else None

    def _free(self) -> Iterator[int]:
        while self._first in self.results:
            self._first += 1
        end = min(self._space.trials, self._first + LAG) if self._ordered else self._space.trials
        return (n for n in range(self._first, end) if n not in self.results and n not in self._seen.held)

    def _claim(self, number: int) -> bool:
        """Whether the trial is ours now."""
        from optuna.trial import TrialState

        token = f"{self._me}:{uuid.uuid4().hex}"
        attributes = {NUMBER: number, WORKER: token, BEAT: 0}
        claim = frozen(self._parameters, self._values(number), TrialState.RUNNING, None, attributes)
        self._call(lambda: self._storage.create_new_trial(self._study, claim))
        running = self._synchronize()
        # Several, where the connection broke between the writing and its confirmation, and it was written again.
        ours = [trial for trial in running if trial.user_attrs[WORKER] == token]
        held = self._seen.held.get(number)
        won = held is not None and held.user_attrs[WORKER] == token
        if won:
            self._mine[number] = ours[0]._trial_id
        for trial in ours[1:] if won else ours:
            self._fail(trial._trial_id)
        return won

    def _is_mine(self, trial: FrozenTrial) -> bool:
        return bool(self._mine.get(trial.user_attrs[NUMBER]) == trial._trial_id)

    def _synchronize(self) -> list[FrozenTrial]:
        """See what others did; returns the running trials, the study's first ones first."""
        trials = self._call(lambda: self._storage.get_all_trials(self._study, deepcopy=False))
        running: list[FrozenTrial] = []
        held: dict[int, FrozenTrial] = {}
        for trial in trials:
            if trial.number in self._seen.settled or NUMBER not in trial.user_attrs:
                continue
            if not trial.state.is_finished():
                running.append(trial)
                held.setdefault(trial.user_attrs[NUMBER], trial)
                continue
            self._seen.settled.add(trial.number)
            if RESULT in trial.user_attrs:
                self._accept(self._result(trial))
        self._seen.held = {number: trial for number, trial in held.items() if number not in self.results}
        return running

    def _accept(self, result: Result) -> None:
        if result.number not in self.results:
            self._record(result)
            self.results[result.number] = result

    def _result(self, trial: FrozenTrial) -> Result:
        kept = trial.user_attrs[RESULT]
        number = trial.user_attrs[NUMBER]
        looks = tuple(kept["looks"])  # a list, as JSON has no tuples
        return Result(number=number, values=self._parameters.values(trial.params), **{**kept, "looks": looks})

    def _finish(self, identity: int, result: Result) -> bool:
        """Write a result into the study; False where the trial was given back, and is somebody else's."""
        from optuna.exceptions import UpdateFinishedTrialError

        state, value = state_and_value(result)
        values = None if value is None else [value]
        try:
            self._call(lambda: self._storage.set_trial_user_attr(identity, RESULT, _kept(result)))
            self._call(lambda: self._storage.set_trial_state_values(identity, state, values))
        except UpdateFinishedTrialError:
            return False  # or it was written, and only the confirmation was lost: then the study has it
        return True

    def _fail(self, identity: int) -> None:
        """Give a trial back."""
        from optuna.exceptions import UpdateFinishedTrialError
        from optuna.trial import TrialState

        try:
            self._call(lambda: self._storage.set_trial_state_values(identity, TrialState.FAIL))
        except UpdateFinishedTrialError:
            return  # somebody else did

    def _import(self, known: Mapping[int, Result]) -> None:
        """Add results of this machine that the study lacks: it is new, or its file was lost."""
        self._synchronize()
        have = {n.user_attrs[NUMBER] for n in self._all() if n.state.is_finished() and RESULT in n.user_attrs}
        for number in sorted(set(known) - have):
            self._add_ended(known[number])

    def _add_ended(self, result: Result) -> None:
        state, value = state_and_value(result)
        attributes = {NUMBER: result.number, WORKER: self._me, RESULT: _kept(result)}
        trial = frozen(self._parameters, result.values, state, value, attributes)
        self._call(lambda: self._storage.create_new_trial(self._study, trial))

    def _all(self) -> list[FrozenTrial]:
        trials: list[FrozenTrial] = self._call(lambda: self._storage.get_all_trials(self._study, deepcopy=False))
        return [trial for trial in trials if NUMBER in trial.user_attrs]

    def _beat(self, beat: int) -> None:
        """Write a new heartbeat into each trial that this process trains."""
        from optuna.exceptions import UpdateFinishedTrialError

        for identity in list(self._mine.values()):
            with contextlib.suppress(UpdateFinishedTrialError):  # it ended just now, or was given back
                self._storage.set_trial_user_attr(identity, BEAT, beat)

    def _others(self) -> dict[int, Any]:
        """The storage's number of each running trial of the others -> its last heartbeat."""
        trials = self._storage.get_all_trials(self._study, deepcopy=False)
        running = [trial for trial in trials if NUMBER in trial.user_attrs and not trial.state.is_finished()]
        return {trial._trial_id: trial.user_attrs.get(BEAT) for trial in running if not self._is_mine(trial)}


def _kept(result: Result) -> dict[str, Any]:
    """What the study keeps of a result beside its number and values."""
    kept = asdict(result)
    del kept["number"], kept["values"]
    return {**kept, "metrics": dict(result.metrics), "looks": list(result.looks)}
