"""Explain updates: compute each with all its numbers, check it, and give it as plain values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nnintro.errors import UsageError, memory_for
from nnintro.explain.check import TOLERANCE, Check, check
from nnintro.explain.subject import Subject, subject_of_config, subject_of_run
from nnintro.explain.update import Update, updates_of


@dataclass(frozen=True)
class Explanation:
    """Consecutive updates of one training, each checked."""

    subject: Subject
    sample: int | None
    """The training sample that was asked for; None for those that training takes."""
    updates: list[Update]
    checks: list[Check]

    @property
    def failed(self) -> str | None:
        """What differs from torch by more than ``TOLERANCE``, in words."""
        worst = max(self.checks, key=lambda check: check.of_terms)
        if all(check.holds for check in self.checks):
            return None
        return (
            f"the numbers above are wrong: {worst.wrong} differs from torch's by {worst.of_terms:.3g} of its size, "
            f"which is more than {TOLERANCE:g}"
        )

    def as_dict(self) -> dict[str, Any]:
        """What ``nnintro explain --json`` prints: the first update, and the others as ``following``."""
        first, *others = map(self._plain, self.updates, self.checks)
        return {**first, "following": others} if others else first

    def _plain(self, update: Update, checked: Check) -> dict[str, Any]:
        descent, (row, *others) = update.step.descent, update.rows
        return {
            "sample": None if others else row,
            "inputs": update.x.tolist(),
            "targets": update.t.tolist(),
            "loss": update.L,
            "loss_name": self.subject.parts.setup.loss_name,
            "layers": [*_plain_layers(update)],
            "update": {
                "optimizer": descent.optimizer.kind,
                "learning_rate": update.step.eta,
                **{key: value for key, value in descent.optimizer.model_dump().items() if key != "kind"},
                "weight_decay": descent.weight_decay,
                "gradient_norm": update.gradient_norm,
                "clip_norm": descent.clip_norm,
                "equations": update.step.equations,
            },
            "step": update.number,
            "rows": update.rows,
            "standardized": self.subject.standardized,
            **({"basis": [str(formula) for formula in basis]} if (basis := self.subject.parts.setup.basis) else {}),
            "check": {
                "largest_difference": checked.difference,
                "against": "torch.autograd",
                "tolerance": TOLERANCE,
                "holds": checked.holds,
            },
        }


def _plain_layers(update: Update) -> Iterator[dict[str, Any]]:
    memories = iter(update.memories_after)
    for layer, passed, found, after in zip(update.layers, update.forward, update.backward, update.after, strict=True):
        yield {
            "W": layer.W.tolist(),
            "b": layer.b.tolist(),
            "s": layer.s,
            "z": passed.z.tolist(),
            "u": passed.u.tolist(),
            "slope": passed.slope.tolist(),
            "delta": found.delta.tolist(),
            "dW": found.dW.tolist(),
            "db": found.db.tolist(),
            "W_after": after.W.tolist(),
            "b_after": after.b.tolist(),
            "memory_after": {
                of: {name: values.tolist() for name, values in memory.items()}
                for of, memory in zip(("W", "b"), (next(memories), next(memories)), strict=True)
            },
        }


MOST_NUMBERS = 20_000_000
"""In all updates together: some hundred megabytes, as text and as JSON several times as many."""


def _require_bounded(subject: Subject, sample: int | None, updates: int) -> None:
    rows = 1 if sample is not None else subject.parts.plan.samples_per_update
    parameters = sum(p.numel() for p in subject.parts.network.parameters())
    neurons = sum(len(layer.b) for layer in subject.layers)
    numbers = 4 * (rows * neurons + parameters) + rows * subject.layers[0].W.shape[1]
    if updates * numbers > MOST_NUMBERS and updates > 1:
        most = max(MOST_NUMBERS // numbers, 1)
        raise UsageError(f"--updates: {updates:,} of this network are {updates * numbers:,} numbers; at most {most:,}")


@memory_for("every number of the updates")
def explain(
    config_or_run: Path, overrides: Sequence[str] = (), *, sample: int | None = None, updates: int = 1
) -> Explanation:
    """Compute the next updates of a training with every number, and check them against torch.

    Args:
        config_or_run: a YAML file: its training before the first update; or a run's folder: its training from the
            newest checkpoint on.
        overrides: ``descent.learning_rate=0.01`` and the like, laid over the config.
        sample: number of a training sample, from 0, that alone makes each update; by default those that training takes.
        updates: how many, each from where the one before ended.

    Raises:
        UsageError: there is no such sample, or there are more numbers than anybody reads.
        ConfigError: the config cannot be used, or has something without a row in the tables of this package.
        DataError: the data cannot be used.
        CheckpointError: the run cannot be used.
    """
    subject_of = subject_of_run if config_or_run.is_dir() else subject_of_config
    subject = subject_of(config_or_run, overrides)
    _require_bounded(subject, sample, updates)
    made = list(updates_of(subject, sample, updates))
    return Explanation(subject, sample, made, [check(subject.parts, update) for update in made])
