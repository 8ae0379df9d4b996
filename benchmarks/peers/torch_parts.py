"""What the contestants on torch have in common: a plain module, its loss, its optimizer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Sampler, TensorDataset

from benchmarks.assignment import Assignment, Layer


def network_of(assignment: Assignment) -> nn.Sequential:
    """Linear and Sigmoid in turn, with the given parameters."""
    layers: list[nn.Module] = []
    for (inputs, outputs), (W, b) in zip(pairwise(assignment.work.layers), assignment.layers, strict=True):
        linear = nn.Linear(inputs, outputs)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(W))
            linear.bias.copy_(torch.from_numpy(b))
        layers += [linear, nn.Sigmoid()]
    return nn.Sequential(*layers[:-1])


def layers_of(network: nn.Module) -> list[Layer]:
    arrays = [p.detach().numpy().copy() for p in network.parameters()]
    return list(zip(arrays[::2], arrays[1::2], strict=True))


def data_of(assignment: Assignment) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(assignment.inputs), torch.from_numpy(assignment.targets)


def loss_of(assignment: Assignment) -> Callable[[Tensor, Tensor], Tensor]:
    classes = assignment.work.is_classification
    return functional.cross_entropy if classes else functional.mse_loss


def optimizer_of(assignment: Assignment, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """torch's own, in the form that it chooses itself."""
    adam = assignment.optimizer == "adam"
    method = torch.optim.Adam if adam else torch.optim.SGD
    return method(parameters, lr=assignment.learning_rate)


class Orders(Sampler[int]):
    """A new order each time it is walked: those of epochs 0, 1, 2, ..."""

    def __init__(self, assignment: Assignment) -> None:
        self.assignment, self.epoch = assignment, 0

    def __len__(self) -> int:
        return self.assignment.work.samples

    def __iter__(self) -> Iterator[int]:
        work, epoch = self.assignment.work, self.epoch
        self.epoch += 1
        if work.whole_data:
            return iter(range(work.samples))
        rows: list[int] = self.assignment.order(epoch).tolist()
        return iter(rows)


def loader_of(assignment: Assignment) -> DataLoader[tuple[Tensor, ...]]:
    """The tutorials' loader in this process; workers would cost far more than they bring here."""
    return DataLoader(TensorDataset(*data_of(assignment)), batch_size=assignment.work.batch, sampler=Orders(assignment))
