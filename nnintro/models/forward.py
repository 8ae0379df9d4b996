"""Run a network forward in evaluation mode, in blocks that fit into memory."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from torch import Tensor, nn

from nnintro.config.experiment import Setup
from nnintro.models import output_precision
from nnintro.models.network import Network

Autocast = Callable[[], contextlib.AbstractContextManager[Any]]
LARGEST_ACTIVATION = 1 << 20
"""Numbers in the largest layer's output, few enough to stay near the processor (docs/LOG.md); more go in blocks."""
LARGEST_MAPS = 1 << 22
"""The same of a network for images."""


@contextlib.contextmanager
def own_modes() -> Iterator[None]:
    """torch's modes as this program needs them, whatever the caller's: gradients, no autocast, tensors on the CPU.

    Its default type has no say anywhere: it belongs to the whole process, other threads included.
    """
    with contextlib.ExitStack() as modes:
        modes.enter_context(torch.inference_mode(False))
        modes.enter_context(torch.enable_grad())
        for device in ("cpu", "cuda"):
            if torch.is_autocast_enabled(device):
                modes.enter_context(torch.autocast(device, enabled=False))
        # Where the CPU is the default already: a mode of its own would be asked at every call.
        if torch.get_default_device().type != "cpu":
            modes.enter_context(torch.device("cpu"))
        yield


@contextlib.contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Evaluation mode and no gradients, for a while."""
    if isinstance(network, Network) and not network.depends_on_mode:
        with torch.no_grad():
            yield
        return
    was_training = network.training
    network.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        network.train(was_training)


def outputs_of(network: nn.Module, inputs: Tensor, autocast: Autocast = contextlib.nullcontext) -> Tensor:
    """(n, features) -> (n, outputs), or (n, channels, H, W) -> (n, outputs, H, W), in blocks that fit into memory.

    In evaluation mode; the outputs are of the model's own type, autocast or not.
    """
    if inputs.dim() == 4:  # the first convolution's maps are the largest
        maps = next(p.shape[0] for p in network.parameters() if p.dim() == 4)
        rows = max(1, LARGEST_MAPS // (maps * inputs.shape[-1] * inputs.shape[-2]))
    else:
        rows = max(1, LARGEST_ACTIVATION // _widest(network))
    first, *others = torch.split(inputs, rows)
    with evaluating(network), autocast():
        begun: Tensor = network(first)
        if not others and autocast is contextlib.nullcontext:
            return begun
        # Into one tensor: small ones that are kept would lie in the gaps that the layers' large ones leave, which then
        # fit no layer any more: of a layer of a million neurons 2,001 rows took 8 GB.
        outputs = begun.new_empty(len(inputs), *begun.shape[1:], dtype=output_precision(network))
        outputs[: len(first)] = begun
        del begun
        for number, block in enumerate(others, 1):
            outputs[number * rows : number * rows + len(block)] = network(block)
    return outputs


def _widest(network: nn.Module) -> int:
    if isinstance(network, Network):
        return network.widest
    return max((p.shape[0] for p in network.parameters() if p.dim() > 1), default=1)


SEVERAL_THREADS_FROM = 4_000_000
"""Multiplications in an update's largest product from which a second core pays (docs/LOG.md)."""
_SETTING = threading.Lock()


def threads_here() -> int:
    """torch's number of threads in this thread, which it keeps from now on."""
    # A thread that is new to torch takes over the number that was set last, in whichever thread:
    # it must not come by while another thread is about to set its own (see ``_set_threads``).
    with _SETTING:
        return torch.get_num_threads()


def threads_for(network: nn.Module, batch: int) -> int:
    """One thread for small products, where a second one costs more than it brings; else all."""
    if any(p.dim() == 4 for p in network.parameters()):  # convolutions: a product for each pixel
        return threads_here()
    largest = max((p.numel() for p in network.parameters() if p.dim() > 1), default=1)
    return threads_here() if largest * batch >= SEVERAL_THREADS_FROM else 1


@contextlib.contextmanager
def threads(count: int) -> Iterator[None]:
    """Run torch on so many threads for a while, in this thread; every other keeps its number."""
    before = threads_here()
    if count == before:
        yield
        return
    _set_threads(count)
    try:
        yield
    finally:
        _set_threads(before)


def _set_threads(count: int) -> None:
    """Set this thread's number, and put back the one that threads new to torch begin with.

    With OpenMP each thread has a number of its own; torch hands the one that was set last, in any
    thread, to those that come to it for the first time.
    """
    with _SETTING, ThreadPoolExecutor(1) as new:
        first = new.submit(torch.get_num_threads).result()
        torch.set_num_threads(count)
        new.submit(torch.set_num_threads, first).result()


def autocast_for(setup: Setup, device: torch.device) -> Autocast:
    if setup.precision != "bfloat16":
        return contextlib.nullcontext
    return lambda: torch.autocast(device.type, dtype=torch.bfloat16)
