"""JAX: an epoch is one compiled call, a lax.scan over its updates, its buffers reused."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from benchmarks.assignment import Assignment, Layer
from benchmarks.peers import timed

Parameters = list[tuple[jax.Array, jax.Array]]
State = tuple[Parameters, Any]


def outputs_of(parameters: Parameters, x: jax.Array) -> jax.Array:
    *hidden, (W, b) = parameters
    for V, c in hidden:
        x = jax.nn.sigmoid(x @ V + c)
    return x @ W + b


class Scan:
    """The order of an epoch comes from outside, as everybody's does."""

    def __init__(self, assignment: Assignment) -> None:
        self.assignment = assignment
        rate = assignment.learning_rate
        self.optimizer = optax.sgd(rate) if assignment.optimizer == "sgd" else optax.adam(rate)
        parameters = [(jnp.array(W.T), jnp.array(b)) for W, b in assignment.layers]
        self.state: State = (parameters, self.optimizer.init(parameters))
        self.data = jnp.array(assignment.inputs), jnp.array(assignment.targets)
        self.epoch_call = jax.jit(self._epoch, donate_argnums=0)
        self.epoch = 0

    @timed
    def train(self, epochs: int) -> None:
        work = self.assignment.work
        for epoch in range(self.epoch, self.epoch + epochs):
            order = None if work.whole_data else self.assignment.order(epoch)
            self.state = self.epoch_call(self.state, *self.data, order)
        jax.block_until_ready(self.state)
        self.epoch += epochs

    def parameters(self) -> list[Layer]:
        return [(np.array(W).T, np.array(b)) for W, b in self.state[0]]

    def _loss(self, parameters: Parameters, x: jax.Array, t: jax.Array) -> jax.Array:
        outputs = outputs_of(parameters, x)
        if not self.assignment.work.is_classification:
            return jnp.mean((outputs - t) ** 2)
        return optax.softmax_cross_entropy_with_integer_labels(outputs, t).mean()

    def _update(self, state: State, batch: tuple[jax.Array, jax.Array]) -> tuple[State, None]:
        parameters, memory = state
        gradient = jax.grad(self._loss)(parameters, *batch)
        changes, memory = self.optimizer.update(gradient, memory)
        return (optax.apply_updates(parameters, changes), memory), None

    def _epoch(self, state: State, x: jax.Array, t: jax.Array, order: jax.Array | None) -> State:
        """All whole batches in a scan, then the short last one."""
        work = self.assignment.work
        if order is None:
            return self._update(state, (x, t))[0]
        x, t = x[order], t[order]
        whole = work.samples // work.batch
        cut = whole * work.batch
        batches = tuple(a[:cut].reshape(whole, work.batch, *a.shape[1:]) for a in (x, t))
        state, _ = jax.lax.scan(self._update, state, batches)
        return self._update(state, (x[cut:], t[cut:]))[0] if cut < work.samples else state
