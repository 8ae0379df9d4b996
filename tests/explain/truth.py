"""An update by torch alone: networks and losses written out here, gradients by autograd, steps by torch.optim."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

TOLERANCE = 1e-12

ACTIVATIONS = {
    "identity": lambda z: 1.0 * z,
    "step": lambda z: (z > 0).double() + 0.0 * z,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": functional.relu,
    "leaky_relu": functional.leaky_relu,
    "elu": functional.elu,
    "gelu": functional.gelu,
    "silu": functional.silu,
    "softplus": functional.softplus,
    "sine": torch.sin,
}


def loss_of(name: str, y: Tensor, t: Tensor, weights: Tensor | None = None) -> Tensor:
    """The mean loss; t is floating point in y's shape, or class numbers."""
    if name in ("cross_entropy", "bce"):
        if t.is_floating_point():
            each = functional.binary_cross_entropy_with_logits(y, t, reduction="none")[:, 0]
            t = t[:, 0].long()
        else:
            each = functional.cross_entropy(y, t, reduction="none")
        return (each if weights is None else weights[t] * each).mean()
    if name == "perceptron":
        return functional.relu(torch.where(t > 0.5, -y, y)).mean()
    t = t if t.is_floating_point() else functional.one_hot(t, y.shape[1]).double()
    by_name = {"mse": functional.mse_loss, "mae": functional.l1_loss, "huber": functional.huber_loss}
    return by_name[name](y, t)


def tensors_of(update: dict[str, Any]) -> list[Tensor]:
    """W and b of each layer before an update, as leaves."""
    return [
        torch.tensor(layer[name], dtype=torch.float64, requires_grad=True)
        for layer in update["layers"]
        for name in ("W", "b")
    ]


def samples_of(update: dict[str, Any]) -> tuple[Tensor, Tensor]:
    """In float64; class numbers stay whole."""
    inputs, targets = (torch.from_numpy(np.array(update[name])) for name in ("inputs", "targets"))
    return inputs, targets.double() if targets.dim() == 2 else targets


def require_gradients(update: dict[str, Any], weights: Tensor | None = None) -> int:
    """Compare all numbers of the two passes with autograd's; how many there were."""
    parameters, (u, t) = tensors_of(update), samples_of(update)
    passed = []
    for layer, W, b in zip(update["layers"], parameters[::2], parameters[1::2], strict=True):
        z = u @ W.T + b
        u = ACTIVATIONS[layer["s"]](z)
        z.retain_grad()
        passed.append((layer, W, b, z, u))
    L = loss_of(update["loss_name"], u, t, weights)
    L.backward()
    count = require_close(update["loss"], L, "loss")
    for layer, W, b, z, u in passed:
        pairs = {"z": z, "u": u, "delta": z.grad, "dW": W.grad, "db": b.grad}
        count += sum(require_close(layer[name], values, name) for name, values in pairs.items())
        slope = torch.autograd.grad(ACTIVATIONS[layer["s"]](zz := z.detach().requires_grad_()).sum(), zz)[0]
        count += require_close(layer["slope"], slope, "slope")
    return count


def require_close(ours: Any, torchs: Tensor, what: str, tolerance: float = TOLERANCE) -> int:
    """Equal, relative to numbers above 1; how many numbers there were."""
    theirs = torchs.detach().numpy()
    values = np.asarray(ours)
    assert values.shape == theirs.shape, what
    apart = np.abs(values - theirs) / np.maximum(1.0, np.abs(theirs))
    assert apart.max() <= tolerance, (what, apart.max())
    return values.size
