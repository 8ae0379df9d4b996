"""Run updates operation by operation, or several of them as one captured CUDA graph."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable, Iterator, Sequence

import torch

from nnintro.engines.captured.step import Step

LENGTHS = (16, 4, 1)
"""Updates in a launch, the most that fit.  One launch costs the host some microseconds, an update
the device some dozens of kernels: beyond a few updates nothing more is to be won."""
WARM_UP = 3
"""Updates before the capture, in which libraries set themselves up."""
AHEAD = 2
"""Launches that may wait in the queue, and by which an interruption may be late."""


class CaptureError(RuntimeError):
    """CUDA refused to capture the update."""


class Eager:
    """The plain twin: the same step, operation by operation, on any device."""

    def __init__(self, step: Step, _: Sequence[int], __: Sequence[torch.Generator]) -> None:
        self.step = step

    def launch(self, count: int, *, short: bool) -> None:
        """``count`` updates from the tape's cursor on."""
        for _ in range(count):
            self.step(short=short)


class Captured:
    """The step captured once for each number of updates, and replayed.

    Capturing runs some updates for good: what they change is to be put back afterwards.

    Raises:
        CaptureError: something in the step cannot be captured.
    """

    def __init__(self, step: Step, lengths: Sequence[int], generators: Sequence[torch.Generator]) -> None:
        self.step, self.generators = step, generators
        self.device = step.memory.weights.device
        self.pending: deque[torch.cuda.Event] = deque()
        kinds = [(count, False) for count in lengths]
        if step.short_rows > 0:
            kinds.append((1, True))
        try:
            # A capture that fails leaves its own stream the current one: this sets it back.
            with torch.cuda.device(self.device), torch.cuda.stream(torch.cuda.current_stream()):
                self._warm_up(short for count, short in kinds if count == 1)
                self.graphs = {kind: self._capture(*kind) for kind in kinds}
        except RuntimeError as error:
            raise CaptureError(str(error).partition("\n")[0]) from error

    def launch(self, count: int, *, short: bool) -> None:
        """``count`` updates from the tape's cursor on, one of the lengths that were captured."""
        with torch.cuda.device(self.device):
            self.graphs[count, short].replay()
            event = torch.cuda.Event()  # type: ignore[no-untyped-call]
            event.record()
        self.pending.append(event)
        if len(self.pending) > AHEAD:
            self.pending.popleft().synchronize()

    def _warm_up(self, kinds: Iterator[bool]) -> None:
        """On the stream of the capture: no node of autograd's may know the default one."""
        side = _side_stream(self.device)
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for short in kinds:
                for _ in range(WARM_UP):
                    self.step.tape.cursor.zero_()
                    self.step(short=short)
        torch.cuda.current_stream().wait_stream(side)

    def _capture(self, count: int, short: bool) -> torch.cuda.CUDAGraph:
        graph = torch.cuda.CUDAGraph()
        for generator in self.generators:
            graph.register_generator_state(generator)
        # A pool of memory of its own: graphs that share one must run in the order of their capture.
        with torch.cuda.graph(graph, stream=_side_stream(self.device)):
            for _ in range(count):
                self.step(short=short)
        return graph


Launcher = Eager | Captured
Launching = Callable[[Step, Sequence[int], Sequence[torch.Generator]], Launcher]
"""A step, the numbers of updates it will be asked for, the generators it draws from."""


@functools.cache
def _side_stream(device: torch.device) -> torch.cuda.Stream:
    """One for all captures on a device, for cuBLAS keeps a workspace for every stream it saw."""
    return torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
