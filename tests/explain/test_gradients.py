"""Every number of the forward and the backward pass is torch.autograd's, for whatever is in the tables."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nnintro.config.losses import LOSSES as CONFIG_LOSSES
from nnintro.config.task import Task
from nnintro.errors import ConfigError
from nnintro.explain import equations
from nnintro.models.activations import ACTIVATIONS
from nnintro.objectives.losses import loss_for
from tests.explain.truth import require_close, require_gradients

DATASETS = {
    "regression": {"kind": "regression", "generator": "linear", "features": 3, "outputs": 2, "samples": 23},
    "binary": {"kind": "classification", "generator": "moons", "samples": 23, "noise": 0.1},
    "multiclass": {"kind": "classification", "generator": "blobs", "classes": 3, "samples": 23},
}
ON_ROWS = [(loss, kind) for loss, facts in CONFIG_LOSSES.items() for kind in facts.tasks if kind in DATASETS
           and not (facts.two_classes and kind == "multiclass")]  # fmt: skip

SERVED = [pair for pair in ON_ROWS if pair[0] in equations.LOSSES]


def sections(loss, kind, activation, **descent):
    facts = CONFIG_LOSSES[loss]
    output = "identity" if facts.takes_logits or facts.takes_scores else activation
    return {
        "dataset": DATASETS[kind],
        "loss": loss,
        "model": {"hidden": [4, 3], "activation": activation, "output_activation": output},
        "descent": {"batch_size": 7, "learning_rate": 0.1, **descent},
    }


def updates_of(explanation):
    first = explanation.as_dict()
    return [first, *first.get("following", ())]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(("loss", "kind"), ON_ROWS)
def test_an_epoch_with_a_short_last_block(explained, loss, kind, activation):
    """Served: all numbers are autograd's. Refused: by a sentence with the key's place."""
    served = loss in equations.LOSSES and activation in equations.ACTIVATIONS
    if not served:
        with pytest.raises(ConfigError, match=r"small\.yaml:\d+:\d+: .*: explain does not serve the "):
            explained(**sections(loss, kind, activation))
        return
    updates = updates_of(explained(**sections(loss, kind, activation), updates=3))
    assert [len(update["rows"]) for update in updates] == [7, 7, len(updates[2]["rows"])]
    assert 0 < len(updates[2]["rows"]) < 7
    for update in updates:
        assert require_gradients(update) > 7 * 20
        assert update["check"]["largest_difference"] <= 1e-12
        assert update["sample"] is None


@pytest.mark.parametrize(("loss", "kind"), SERVED)
def test_a_single_sample(explained, loss, kind):
    update = explained(**sections(loss, kind, "tanh"), sample=4).as_dict()
    assert (update["sample"], update["rows"], len(update["inputs"])) == (4, [4], 1)
    assert require_gradients(update) > 20


@pytest.mark.parametrize("name", ["breast_cancer", "wine"])
def test_class_weights(explained, name):
    dataset = {"kind": "bundled", "name": name, "class_weights": "balanced"}
    explanation = explained(dataset=dataset, descent={"batch_size": 9})
    weights = explanation.subject.parts.splits.class_weights
    assert weights.max() > 1.4 * weights.min()
    require_gradients(explanation.as_dict(), weights)


def test_the_tables_have_every_activation_and_every_loss_of_rows():
    assert set(equations.ACTIVATIONS) == set(ACTIVATIONS)
    assert set(equations.LOSSES) <= {loss for loss, _ in ON_ROWS}
    assert {"mse", "mae", "huber", "cross_entropy", "bce", "perceptron"} <= set(equations.LOSSES)


SUMS = [-800.0, -40.0, -20.0, -1.0, -1e-9, 0.0, 1e-9, 1.0, 19.9, 20.0, 20.1, 40.0, 800.0]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_at_kinks_and_far_out(name):
    row = equations.ACTIVATIONS[name]
    z = torch.tensor(SUMS, dtype=torch.float64, requires_grad=True)
    u = ACTIVATIONS[name]()(z)
    u.sum().backward()
    value = row.value(np.array(SUMS))
    require_close(value, u, "value")
    require_close(row.slope(np.array(SUMS), value), z.grad, "slope")


@pytest.mark.parametrize(("loss", "kind"), SERVED)
def test_losses_at_kinks_and_far_out(loss, kind):
    task = Task(kind, 1, 3 if kind == "multiclass" else 1, ("a", "b", "c") if kind == "multiclass" else ("a", "b"))
    y = torch.tensor([[0.0], [1.0], [2.0], [-1.0], [-800.0], [800.0], [0.3]], dtype=torch.float64)
    y = torch.cat([y, y.flip(0), 1 - y], 1) if kind == "multiclass" else y
    t = torch.tensor([0, 1, 1, 0, 1, 0, 1])
    t = t if kind == "multiclass" else t.double()[:, None]
    y.requires_grad_()
    L = loss_for(loss, task)(y, t)
    L.backward()
    row = equations.LOSSES[loss][kind == "multiclass"]
    each, slope = row.each(y.detach().numpy(), t.numpy()), row.slope(y.detach().numpy(), t.numpy())
    require_close(each.mean(), L, "loss")
    require_close(slope / each.size, y.grad, "slope")


def test_basis_functions_are_the_inputs(explained):
    dataset = {"formula": "lecture", "samples": 20, "basis": ["x**2", "cos(50*x)"]}
    explanation = explained(dataset=dataset, model={"hidden": [2]}, descent={"batch_size": 20, "shuffle": False})
    found = explanation.as_dict()
    x = np.linspace(0, 1, 20)
    np.testing.assert_allclose(found["inputs"], np.column_stack([x**2, np.cos(50 * x)]), atol=1e-15)
    assert found["basis"] == ["x**2", "cos(50*x)"]
    require_gradients(found)


def test_a_mistake_on_the_line_itself(explained):
    """z = 0 is off: a mistake where the class is 1, which autograd alone would not take for one."""
    neuron = {"hidden": [], "initialization": "zeros"}
    found = explained(dataset=DATASETS["binary"], loss="perceptron", model=neuron, descent={"batch_size": 18}).as_dict()
    targets = np.array(found["targets"])
    assert 0 < targets.sum() < len(targets)
    np.testing.assert_array_equal(np.array(found["layers"][0]["delta"]) * len(targets), -targets)
    assert found["check"]["holds"]
