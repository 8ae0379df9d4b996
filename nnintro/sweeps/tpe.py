"""Suggest the values of trials by the tree-structured Parzen estimator (Bergstra et al., 2011), through Optuna."""

from __future__ import annotations

import json
import math
import random
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nnintro.errors import require_package
from nnintro.sweeps.space import Axis, Choices, Space
from nnintro.sweeps.trial import LAG, Result

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.study import StudyDirection
    from optuna.trial import FrozenTrial, TrialState

STARTUP = 10
"""Trials that must have ended before the estimator suggests: until then each is drawn as ``random`` draws it."""
CANDIDATES = 24
"""Of so many draws from the good trials' density, the one that is likeliest beside the others' is suggested."""


def load_optuna() -> None:
    """Load Optuna, without its log lines on stderr.

    Raises:
        UsageError: it is not installed; says how to install it.
    """
    require_package("optuna", "the sampler tpe and --storage need Optuna", "sweep")
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)


class Parameters:
    """The axes of a space as Optuna's distributions, and values of trials as its parameters and back."""

    def __init__(self, space: Space) -> None:
        self.distributions: dict[str, BaseDistribution] = {}
        self._labels: dict[str, list[Any]] = {}
        self._choices: dict[str, tuple[Any, ...]] = {}
        for key, axis in space.axes.items():
            if isinstance(axis, Choices):
                self._choices[key], self._labels[key] = axis.values, _labels(axis.values)
            self.distributions[key] = _distribution(axis, self._labels.get(key, []))

    def of(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Key -> value, as Optuna keeps it: what is not a number, a word or a truth value as its JSON."""
        return {key: self._label(key, value) for key, value in values.items()}

    def values(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Parameters as Optuna gives them -> key -> value, in the order of the axes."""
        return {key: self._value(key, parameters[key]) for key in self.distributions}

    def _label(self, key: str, value: Any) -> Any:
        if key not in self._choices:
            return value
        # By JSON, as 1, 1.0 and true are equal to each other.
        texts = [json.dumps(choice) for choice in self._choices[key]]
        return self._labels[key][texts.index(json.dumps(value))]

    def _value(self, key: str, parameter: Any) -> Any:
        if key not in self._choices:
            return parameter
        return self._choices[key][self._labels[key].index(parameter)]


def _labels(values: tuple[Any, ...]) -> list[Any]:
    """Each value as Optuna takes it without a warning; all as JSON where two of them would be equal."""
    labels = [value if value is None or isinstance(value, bool | int | float | str) else json.dumps(value)
              for value in values]  # fmt: skip
    return labels if len(set(labels)) == len(labels) else [json.dumps(value) for value in values]


def _distribution(axis: Axis, labels: list[Any]) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(axis, Choices):
        return CategoricalDistribution(tuple(dict.fromkeys(labels)))
    if axis.whole:
        return IntDistribution(math.ceil(axis.low), math.floor(axis.high), log=axis.log)
    return FloatDistribution(axis.low, axis.high, log=axis.log)


def state_and_value(result: Result) -> tuple[TrialState, float | None]:
    """How a result stands in a study.

    A trial that diverged is pruned there: tpe takes such a trial for worse than all that completed and learns from it,
    and neither an infinite objective nor an invented one spoils the scales of Optuna's plots.
    """
    from optuna.trial import TrialState

    if result.status == "failed":
        return TrialState.FAIL, None
    if result.status == "completed" and result.objective is not None:
        return TrialState.COMPLETE, result.objective
    return TrialState.PRUNED, None


class Suggestions:
    """The values of the trials of a sweep by tpe; not for several threads at once.

    Suggestion k depends only on the seed, k, and the results of trials up to k - LAG: the trials between them, which
    may still be running, count by their values alone ("constant liar"), whether they have ended or not.
    """

    def __init__(self, space: Space, parameters: Parameters, seed: int, direction: StudyDirection) -> None:
        import optuna

        self._space, self._parameters, self._seed = space, parameters, seed
        self._study = optuna.create_study(direction=direction)
        self._made: list[Mapping[str, Any]] = []
        self._told = 0
        self._useful = 0

    def values(self, number: int, results: Mapping[int, Result]) -> Mapping[str, Any]:
        """The values of a trial; ``results`` has those of all trials up to ``number`` - LAG."""
        while len(self._made) <= number:
            following = len(self._made)
            self._tell(following - LAG, results)
            if following in results:  # of a sweep that goes on: what it has need not be suggested again
                self._add(results[following].values)
            else:
                self._suggest(following)
        return self._made[number]

    def _add(self, values: Mapping[str, Any]) -> None:
        from optuna.trial import TrialState

        self._study.add_trial(frozen(self._parameters, values, TrialState.RUNNING))
        self._made.append(values)

    def _tell(self, last: int, results: Mapping[int, Result]) -> None:
        """Have the study know the results of the trials up to ``last``."""
        from optuna.trial import TrialState

        for number in range(self._told, last + 1):
            state, value = state_and_value(results[number])
            self._study.tell(number, value, state)
            self._told += 1
            self._useful += state != TrialState.FAIL

    def _suggest(self, number: int) -> None:
        from optuna.samplers import TPESampler

        if self._useful < STARTUP:
            self._add(self._space.values(number))
            return
        seed = random.Random(f"sweep/{self._seed}/{number}").getrandbits(32)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that an option is experimental is not for the user of a sweep
            self._study.sampler = TPESampler(
                seed=seed, n_startup_trials=0, n_ei_candidates=CANDIDATES, multivariate=True, constant_liar=True
            )
        trial = self._study.ask(self._parameters.distributions)
        self._made.append(self._parameters.values(trial.params))


def frozen(
    parameters: Parameters,
    values: Mapping[str, Any],
    state: TrialState,
    value: float | None = None,
    attributes: Mapping[str, Any] | None = None,
) -> FrozenTrial:
    """A trial to be added to a study."""
    import optuna

    return optuna.trial.create_trial(
        state=state,
        value=value,
        params=parameters.of(values),
        distributions=parameters.distributions,
        user_attrs=dict(attributes or {}),
    )
