"""Train one config again and again, each time at another learning rate and for so many updates."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from nnintro.config.descent import CosineSchedule, Descent, ExponentialSchedule, StepSchedule
from nnintro.config.load import Config
from nnintro.engines.choose import ENGINES, autograd_seconds
from nnintro.engines.engine import Interrupted, Say
from nnintro.training.repeated import KnownData, train_again
from nnintro.training.setup import Parts, assemble

FUSED_SPEEDUP = 20
"""How much faster the fused engine is on small networks than the estimate of autograd, about (benchmarks/)."""


@dataclass(frozen=True)
class Tried:
    """A training at one learning rate."""

    learning_rate: float
    loss: float
    """train/loss at its end, over all training samples; nan where it diverged."""
    status: str
    """completed, stopped (by a stopping rule of the config), or diverged."""
    updates: int
    """Those that it was to make."""


class ShortTraining:
    """Trains one config from the same start on the same data.

    Args:
        config: as ``load_config`` gives it.
        interrupted: asked now and then whether to end.
        say: called with a line where there is something to wait for (the kernel's first compilation).

    Raises:
        ConfigError: it asks for something that does not go with the data or the machine.
        DataError: the data cannot be read or used.
    """

    def __init__(self, config: Config, interrupted: Interrupted, say: Say = lambda _: None) -> None:
        self._known, self._interrupted, self._say = KnownData(), interrupted, say
        self.config, self._engine = config, config.experiment.training.engine
        self.setup = config.setup(self._known.of(config.experiment).found)
        """The config with its defaults, and what the data says."""
        first = self.parts(self.setup.descent, 1)
        # auto takes autograd where one training would be done in a second: of dozens each takes its time.
        serves = not any(ENGINES["fused"].why_not(first, first.device))
        if serves and self._engine == "auto":
            self._engine = "fused"
        speedup = FUSED_SPEEDUP if self._engine == "fused" else 1
        self.seconds = autograd_seconds(first) * self.setup.total_updates / speedup
        """About how long the whole training takes: by the config alone, so the same on every machine."""

    def _config(self, descent: Descent, updates: int) -> Config:
        experiment = self.config.experiment
        training = experiment.training.model_copy(update={"epochs": None, "steps": updates, "engine": self._engine})
        changed = experiment.model_copy(update={"descent": descent, "training": training})
        return replace(self.config, experiment=changed)

    def parts(self, descent: Descent, updates: int) -> Parts:
        """A training that begins, with another descent section and of so many updates."""
        config = self._config(descent, updates)
        splits = self._known.of(config.experiment)
        return assemble(config.setup(splits.found), splits, say=self._say, interrupted=self._interrupted)

    def train(self, rate: float, updates: int) -> Tried:
        """Train with the config's optimizer and schedule, the schedule drawn over so many updates.

        Raises:
            KeyboardInterrupt: it was interrupted.
        """
        descent = shortened(self.setup.descent, rate, updates / self.setup.total_updates)
        trained = train_again(self._config(descent, updates), self._known, self._interrupted)
        if trained.status == "interrupted":
            raise KeyboardInterrupt
        loss = trained.metrics.get("train/loss", math.nan)
        return Tried(rate, loss, trained.status if math.isfinite(loss) else "diverged", updates)


def shortened(descent: Descent, rate: float, share: float) -> Descent:
    """The descent at another rate, what its schedule counts in updates scaled to a share of the training."""
    schedule = descent.schedule
    if isinstance(schedule, CosineSchedule):
        schedule = schedule.model_copy(update={"warmup_steps": int(schedule.warmup_steps * share)})
    elif isinstance(schedule, StepSchedule):
        schedule = schedule.model_copy(update={"every": max(round(schedule.every * share), 1)})
    return descent.model_copy(update={"learning_rate": rate, "schedule": schedule})


def rising(descent: Descent, low: float, high: float) -> Descent:
    """The descent with a learning rate that grows geometrically from ``low`` to ``high``."""
    # In the YAML this schedule only falls; its formula, final ** (k / (total - 1)), rises as well.
    growth = ExponentialSchedule.model_construct(kind="exponential", final=high / low)
    return descent.model_copy(update={"learning_rate": low, "schedule": growth})
