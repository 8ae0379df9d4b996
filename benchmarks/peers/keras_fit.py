"""Keras' ``fit``, on JAX where it is installed, else on torch."""

from __future__ import annotations

from typing import Any

from benchmarks.assignment import Assignment, Layer
from benchmarks.machine import keras_backend
from benchmarks.peers import timed

keras_backend()

import keras  # noqa: E402


class Fit:
    """Shuffles by an order of its own."""

    def __init__(self, assignment: Assignment) -> None:
        self.work = assignment.work
        self.data = assignment.inputs, assignment.targets
        layers = [keras.layers.Input((self.work.layers[0],))]
        layers += [keras.layers.Dense(n, activation="sigmoid") for n in self.work.layers[1:-1]]
        layers += [keras.layers.Dense(self.work.layers[-1])]
        self.model = keras.Sequential(layers)
        self.model.set_weights([a for W, b in assignment.layers for a in (W.T, b)])
        self.model.compile(optimizer=_optimizer(assignment), loss=_loss(assignment))

    @timed
    def train(self, epochs: int) -> None:
        self.model.fit(
            *self.data, batch_size=self.work.batch, epochs=epochs, shuffle=not self.work.whole_data, verbose=0
        )

    def parameters(self) -> list[Layer]:
        arrays = self.model.get_weights()
        return [(W.T, b) for W, b in zip(arrays[::2], arrays[1::2], strict=True)]


def _optimizer(assignment: Assignment) -> Any:
    if assignment.optimizer == "sgd":
        return keras.optimizers.SGD(assignment.learning_rate)
    return keras.optimizers.Adam(assignment.learning_rate, epsilon=1e-8)


def _loss(assignment: Assignment) -> Any:
    if assignment.work.is_classification:
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return keras.losses.MeanSquaredError()
