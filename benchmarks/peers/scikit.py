"""scikit-learn's MLPRegressor and MLPClassifier: ``fit`` with a warm start."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.neural_network import MLPClassifier, MLPRegressor

from benchmarks.assignment import Array, Assignment, Layer
from benchmarks.peers import timed

NEVER = 10**9


class Fit:
    """Shuffles by an order of its own; every ``fit`` begins its optimizer's memory anew."""

    def __init__(self, assignment: Assignment) -> None:
        work = assignment.work
        # Its squared error counts one half: twice the rate, half the epsilon make the same steps.
        half = 1.0 if work.is_classification else 0.5
        settings: dict[str, Any] = {
            "hidden_layer_sizes": work.layers[1:-1],
            "activation": "logistic",
            "alpha": 0.0,
            "batch_size": work.batch,
            "shuffle": not work.whole_data,
            "random_state": 0,
            "tol": 0.0,
            "n_iter_no_change": NEVER,
            "warm_start": True,
        }
        if assignment.optimizer == "sgd":
            rate = assignment.learning_rate / half
            settings |= {"solver": "sgd", "momentum": 0.0, "nesterovs_momentum": False}
        else:
            rate = assignment.learning_rate
            settings |= {"solver": "adam", "epsilon": 1e-8 * half}
        estimator = MLPClassifier if work.is_classification else MLPRegressor
        self.model = estimator(learning_rate_init=rate, **settings)
        self.data = assignment.inputs, assignment.targets
        if not work.is_classification:
            self.data = assignment.inputs, assignment.targets[:, 0]
        self._begin(assignment)

    def _begin(self, assignment: Assignment) -> None:
        """A pass over one sample of each class makes its arrays, which receive the parameters."""
        inputs, targets = self.data
        few = np.unique(targets, return_index=True)[1][: assignment.work.layers[-1]]
        self._fit(1, inputs[few], targets[few])
        for index, (W, b) in enumerate(assignment.layers):
            self.model.coefs_[index][...] = W.T
            self.model.intercepts_[index][...] = b

    def _fit(self, epochs: int, inputs: Array, targets: Array) -> None:
        self.model.max_iter = epochs
        with warnings.catch_warnings():
            # It is told when to stop, and the few samples at the start are less than a batch.
            warnings.simplefilter("ignore")
            self.model.fit(inputs, targets)

    @timed
    def train(self, epochs: int) -> None:
        self._fit(epochs, *self.data)

    def parameters(self) -> list[Layer]:
        pairs = zip(self.model.coefs_, self.model.intercepts_, strict=True)
        return [(W.T.copy(), b.copy()) for W, b in pairs]
