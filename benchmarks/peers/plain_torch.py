"""The training loop of the tutorials, and the same on tensors that are sliced by hand."""

from __future__ import annotations

import torch
from torch import Tensor

from benchmarks.assignment import Assignment, Layer
from benchmarks.peers import timed
from benchmarks.peers.torch_parts import data_of, layers_of, loader_of, loss_of, network_of, optimizer_of


class _Loop:
    def __init__(self, assignment: Assignment) -> None:
        self.assignment = assignment
        self.network = network_of(assignment)
        self.loss = loss_of(assignment)
        self.optimizer = optimizer_of(assignment, self.network.parameters())

    def update(self, inputs: Tensor, targets: Tensor) -> None:
        self.optimizer.zero_grad()
        loss = self.loss(self.network(inputs), targets)
        loss.backward()
        self.optimizer.step()

    def parameters(self) -> list[Layer]:
        return layers_of(self.network)


class Loader(_Loop):
    """Batches from a DataLoader."""

    def __init__(self, assignment: Assignment) -> None:
        super().__init__(assignment)
        self.loader = loader_of(assignment)

    @timed
    def train(self, epochs: int) -> None:
        for _ in range(epochs):
            for inputs, targets in self.loader:
                self.update(inputs, targets)


class Sliced(_Loop):
    """The data gathered once an epoch in its order, batches as slices of it."""

    def __init__(self, assignment: Assignment) -> None:
        super().__init__(assignment)
        self.inputs, self.targets = data_of(assignment)
        self.epoch = 0

    @timed
    def train(self, epochs: int) -> None:
        for _ in range(epochs):
            inputs, targets = self._in_order()
            for batch in zip(
                inputs.split(self.assignment.work.batch), targets.split(self.assignment.work.batch), strict=True
            ):
                self.update(*batch)

    def _in_order(self) -> tuple[Tensor, Tensor]:
        epoch, self.epoch = self.epoch, self.epoch + 1
        if self.assignment.work.whole_data:
            return self.inputs, self.targets
        rows = torch.from_numpy(self.assignment.order(epoch))
        return self.inputs[rows], self.targets[rows]
