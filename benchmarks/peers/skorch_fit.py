"""skorch: ``partial_fit`` of a NeuralNet around the plain module."""

from __future__ import annotations

import torch
from skorch import NeuralNet
from torch import nn

from benchmarks.assignment import Assignment, Layer
from benchmarks.peers import timed
from benchmarks.peers.torch_parts import Orders, layers_of, network_of


class Fit:
    """No validation split, nothing printed; the rest is skorch's default."""

    def __init__(self, assignment: Assignment) -> None:
        classes, adam = assignment.work.is_classification, assignment.optimizer == "adam"
        self.net = NeuralNet(
            network_of(assignment),
            criterion=nn.CrossEntropyLoss if classes else nn.MSELoss,
            optimizer=torch.optim.Adam if adam else torch.optim.SGD,
            lr=assignment.learning_rate,
            batch_size=assignment.work.batch,
            iterator_train__sampler=Orders(assignment),
            train_split=None,
            verbose=0,
        )
        self.net.initialize()
        self.data = assignment.inputs, assignment.targets

    @timed
    def train(self, epochs: int) -> None:
        self.net.set_params(max_epochs=epochs)
        self.net.partial_fit(*self.data)

    def parameters(self) -> list[Layer]:
        return layers_of(self.net.module_)
