"""Samples and their split into training and validation data, which every dataset builds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Protocol, Self

import numpy as np
import torch
from torch import Tensor, nn
from typing_extensions import TypeVar

from nnintro.config.task import DataFacts
from nnintro.descent.streams import Order
from nnintro.descent.variants import Batches, Rows
from nnintro.errors import ConfigError
from nnintro.models import Standardization, Standardized

Truth = Callable[[Tensor], Tensor]
Coinciding = Mapping[str, tuple[int, int]]
"""Input -> how many different values it has, and how many are left once they are rounded."""
COMPARED = 1 << 22
"""Numbers that are looked at for values that coincide, in all inputs together: half a second."""
FEW = 0.9
"""The part of the values that may be left: of millions of random numbers some fall together in float32."""


@dataclass(frozen=True)
class Data:
    """Samples: ``inputs`` (n, features) and ``targets``.

    Targets are (n, outputs) floating point for regression, (n, 1) zeros and ones for two classes,
    (n,) class numbers (int64) for more.
    """

    inputs: Tensor
    targets: Tensor
    inputs_standardized: bool = False
    """Whether the inputs are as ``Splits.standardization`` makes them; raw otherwise."""

    def __len__(self) -> int:
        return len(self.inputs)

    def take(self, rows: Tensor) -> Self:
        return replace(self, inputs=self.inputs[rows], targets=self.targets[rows])

    def to(self, device: torch.device, dtype: torch.dtype) -> Self:
        targets = self.targets.to(device)
        return replace(
            self,
            inputs=self.inputs.to(device, dtype),
            targets=targets.to(dtype) if targets.is_floating_point() else targets,
        )

    def batches(self, order: Order, block: int, _: Callable[[int], int]) -> Rows:
        """Rows of numbers are not augmented: nothing is drawn for an epoch but its order."""
        return Batches(self.inputs, self.targets, order, block)


class Samples(Protocol):
    """What every kind of samples can do; tables of numbers are ``Data``."""

    def __len__(self) -> int: ...

    def take(self, rows: Tensor) -> Self:
        """A part of the rows, by their numbers."""
        ...

    def to(self, device: torch.device, dtype: torch.dtype) -> Self:
        """The same samples, delivered there and in this type."""
        ...

    def batches(self, order: Order, block: int, seed_of: Callable[[int], int]) -> Rows:
        """The rows of an epoch's blocks; ``seed_of`` an epoch is that of its augmentation."""
        ...


Some = TypeVar("Some", bound=Samples, default=Data)


@dataclass(frozen=True)
class Splits(Generic[Some]):
    """Training and validation data, and what else is known of them.

    Numbers are in float64, but those of large tables, which are in the run's precision already.
    """

    train: Some
    validation: Some
    low: Tensor
    """(features,) lower corner of the region that the inputs fill."""
    high: Tensor
    """(features,) upper corner."""
    truth: Truth | None = None
    """The noise-free target, (n, features) -> (n, 1), where it is known."""
    facts: dict[str, object] = field(default_factory=dict)
    """What a reader of the run should know of how the data was made (true weights, say)."""
    standardization: Standardization | None = None
    """Where the builder knows better than all columns alike, or has applied it already."""
    class_weights: Tensor | None = None
    """(classes,) what a sample of each class counts in the loss; None for 1 each."""
    found: DataFacts | None = None
    """Of data from files: what the dataset section could not know."""
    coinciding: Coinciding = field(default_factory=dict)
    """Where the inputs are in the run's precision already: those whose values fell together."""
    notes: tuple[str, ...] = ()
    """Sentences for the user about what was left out of the data; mostly none."""
    fingerprint: Callable[[], str] | None = None
    """Of data from files: SHA-256 of a table's file, or of all pixels, when it is asked for.

    Not of what they become: the last bits of a mean depend on the processor, and a run may go on,
    and be measured, on another machine.  Raises DataError where the file has gone meanwhile.
    """


def noisy(values: Tensor, deviation: float, generator: torch.Generator) -> Tensor:
    """The values with Gaussian noise of that deviation on each."""
    if deviation == 0:
        return values
    noise = torch.randn(values.shape, generator=generator, dtype=torch.float64)
    return values + deviation * noise


def split(
    data: Data, validation_samples: int, generator: torch.Generator, classes: int | None = None
) -> tuple[Data, Data]:
    """Training and validation part; with ``classes``, each class is shared out in proportion.

    The number of validation samples is exactly ``validation_samples``: every class gives the whole
    part of its share, and the largest remainders give one more.
    """
    labels = None if classes is None else data.targets.reshape(-1).long()
    train, validation = split_rows(len(data), validation_samples, generator, labels)
    return data.take(train), data.take(validation)


def split_rows(
    samples: int, wanted: int, generator: torch.Generator, labels: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Numbers of the rows to train with and of the ``wanted`` ones to validate with, in order.

    Args:
        labels: (samples,) class numbers, to split each class in proportion.
    """
    order = torch.randperm(samples, generator=generator)
    held_out = torch.zeros(samples, dtype=torch.bool)
    if labels is None:
        held_out[order[:wanted]] = True
    else:
        quota = class_quota(torch.bincount(labels).tolist(), wanted)
        for label, count in enumerate(quota):
            held_out[order[labels[order] == label][:count]] = True
    return (~held_out).nonzero()[:, 0], held_out.nonzero()[:, 0]


def class_quota(counts: list[int], wanted: int) -> list[int]:
    """How many of each class to hold out, ``wanted`` in all, as nearly in proportion as possible.

    Largest remainders (Hamilton's method) within bounds: a class of two or more is on both sides, a
    class of one stays with the training data.
    """
    shares = [count * wanted / sum(counts) for count in counts]
    least = [1 if count >= 2 else 0 for count in counts]
    most = [max(count - 1, 0) for count in counts]
    quota = [min(max(int(share), low), high) for share, low, high in zip(shares, least, most, strict=True)]
    while sum(quota) < min(wanted, sum(most)):
        open_classes = [k for k in range(len(quota)) if quota[k] < most[k]]
        quota[max(open_classes, key=lambda k: shares[k] - quota[k])] += 1
    while sum(quota) > max(wanted, sum(least)):
        open_classes = [k for k in range(len(quota)) if quota[k] > least[k]]
        quota[max(open_classes, key=lambda k: quota[k] - shares[k])] -= 1
    return quota


def balanced_weights(targets: Tensor, classes: int) -> Tensor:
    """(classes,) n / (classes * n_k): every class counts alike, a sample 1 on average."""
    counts = torch.bincount(targets.reshape(-1).long(), minlength=classes).double()
    return counts.sum() / (classes * counts)


def prepared(data: Some, model: nn.Module) -> Some:
    """Raw data as the model's inner network takes it.

    Basis functions are computed and inputs standardised once and for all, in float64, so that no update has
    to.  Images stay as they are: their network does that itself.
    """
    if not isinstance(model, Standardized) or not isinstance(data, Data):
        return data
    inputs = data.inputs
    if not data.inputs_standardized:
        inputs = (model.features(inputs) - model.mean.cpu()) / model.scale.cpu()
    return replace(data, inputs=inputs, targets=model.scaled(data.targets))


def compared_rows(features: int) -> int:
    """Of how many rows values are compared, so that many inputs take no longer than one."""
    return max(1000, COMPARED // max(1, features))


def coinciding(inputs: Tensor, names: Sequence[str], dtype: torch.dtype) -> Coinciding:
    """The inputs of which many values are one number in ``dtype``.

    Args:
        inputs: (n, features) as the network takes them, not yet rounded; of very many the first rows count.
    """
    if inputs.dtype == dtype:
        return {}
    rows, found = compared_rows(inputs.shape[1]), {}
    for name, column in zip(names, inputs[:rows].T, strict=True):
        # numpy sorts many times as fast as torch; rounding keeps the order.
        values = np.sort(column.cpu().numpy())
        several, left = _different(values), _different(torch.from_numpy(values).to(dtype).numpy())
        if left < FEW * several:
            found[name] = several, left
    return found


def _different(values: np.ndarray[Any, Any]) -> int:
    """How many different numbers there are among these, which are in order."""
    return int(np.count_nonzero(values[1:] != values[:-1])) + min(1, len(values))


def require_finite(data: Samples, inputs: str = "dataset", targets: str = "dataset") -> None:
    """Check data that is in a run's precision already.

    Args:
        inputs, targets: the keys that they follow from.

    Raises:
        ConfigError: at the key that is to blame, where a number is not finite.
    """
    if not isinstance(data, Data):
        return  # pixels are
    for what, values, key in (("inputs", data.inputs, inputs), ("targets", data.targets, targets)):
        if not _all_finite(values):
            dtype = data.inputs.dtype
            name, largest = torch.finfo(dtype).dtype, torch.finfo(dtype).max
            larger = "" if dtype == torch.float64 else ", or train in precision: float64"
            message = f"the {what} go beyond what {name} can hold (at most {largest:.1e})"
            raise ConfigError.at(key, f"{message}; measure them in larger units{larger}")


def _all_finite(values: Tensor) -> bool:
    # The extremes are NaN where any number is, and need no mask as large as the data.
    return values.numel() == 0 or all(bool(extreme.isfinite()) for extreme in values.aminmax())
