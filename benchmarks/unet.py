"""``python -m benchmarks.unet``: a training step of the full-size U-Net beside the lecture's own.

The lecture's is its definition in plain torch under the usual loop; nnintro's is its network under
the same loop, and under its engine, which besides looks that everything stays finite and measures
gradient and update.  All start from the same parameters, on the same images, by plain gradient
descent on the binary cross entropy.  Everybody once a round, in a rotating order.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from benchmarks.machine import describe, limit_threads, load

if TYPE_CHECKING:
    from torch import Tensor, nn

WORKS = ((1, 128), (2, 256))
"""Images in an update, and their height and width."""
CHANNELS = [64, 128, 256, 512, 1024]
RATE = 0.01
TOLERANCE = 1e-3
"""How far the losses after as many updates may lie apart, relative: rounding, and no more."""


@dataclass
class Contestant:
    """Makes updates; ``seconds`` of one, for each round."""

    label: str
    train: Callable[[int], float]
    """Make so many updates; the loss of the last one."""
    seconds: list[float] = field(default_factory=list)
    loss: float = float("nan")
    """Of the last warming update."""


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.unet", description=__doc__)
    add = parser.add_argument
    add("--rounds", type=int, default=9, help="everybody once a round (default 9)")
    add("--updates", type=int, default=5, help="in a turn (default 5)")
    add("--threads", type=int, default=2, help="cores for everybody (default 2)")
    return parser.parse_args(words)


def networks() -> tuple[nn.Module, Callable[[], nn.Module]]:
    """The lecture's network, and how to get nnintro's with the same parameters."""
    import torch

    from benchmarks.lecture_unet import LectureUnet, copied
    from nnintro.config.models.unet import UnetModel
    from nnintro.config.task import Task
    from nnintro.models.build import build_network

    task = Task("segmentation", 3, 1, ("no", "yes"))
    section = UnetModel(kind="unet", channels=CHANNELS)
    corner = torch.ones(3)

    def ours() -> nn.Module:
        generator = torch.Generator().manual_seed(0)
        return build_network(section, task, (-corner, corner), torch.float32, generator)

    lecture = LectureUnet()
    copied(ours(), lecture)
    return lecture, ours


def plain_loop(network: nn.Module, images: Tensor, masks: Tensor) -> Callable[[int], float]:
    """The loop that everybody writes."""
    import torch
    from torch.nn import functional

    optimizer = torch.optim.SGD(network.parameters(), lr=RATE)

    def train(updates: int) -> float:
        for _ in range(updates):
            loss = functional.binary_cross_entropy_with_logits(network(images), masks)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return float(loss.detach())

    return train


def engine_loop(network: nn.Module, images: Tensor, masks: Tensor) -> Callable[[int], float]:
    """nnintro's own loop; a turn is one stretch of updates."""
    import torch

    from nnintro.config.task import Task
    from nnintro.descent.streams import in_place
    from nnintro.descent.variants import Batches, Plan
    from nnintro.engines.autograd import Autograd
    from nnintro.objectives.losses import loss_for

    bce, losses = loss_for("bce", Task("segmentation", 3, 1)), [float("nan")]

    def loss(outputs: Tensor, targets: Tensor) -> Tensor:
        found = bce(outputs, targets)
        losses[0] = float(found.detach())
        return found

    count = len(images)
    engine = Autograd(
        network=network,
        loss=loss,
        plan=Plan("mini-batch", count, count),
        batches=Batches(images, masks, in_place, count),
        optimizer=torch.optim.SGD(network.parameters(), lr=RATE),
        learning_rate=lambda _: RATE,
    )
    made = [0]

    def train(updates: int) -> float:
        made[0] = engine.advance(made[0], made[0] + updates, lambda: False).step
        return losses[0]

    return train


def measure(count: int, side: int, rounds: int, updates: int) -> list[Contestant]:
    """Everybody at one work; the lecture's first.

    Raises:
        RuntimeError: after as many updates the losses are not the same.
    """
    import torch

    from benchmarks.timing import rotated

    generator = torch.Generator().manual_seed(1)
    images = torch.randn(count, 3, side, side, generator=generator)
    masks = (images[:, :1] > 0.5).float()
    lecture, ours = networks()
    contestants = [
        Contestant("the lecture's, plain torch", plain_loop(lecture, images, masks)),
        Contestant("nnintro's network, the same loop", plain_loop(ours(), images, masks)),
        Contestant("nnintro's network, its engine", engine_loop(ours(), images, masks)),
    ]
    for contestant in contestants:
        contestant.loss = contestant.train(3)
    _require_the_same(contestants)
    for number in range(rounds):
        say(f"{count} x {side} x {side}: round {number + 1} of {rounds}")
        for contestant in rotated(contestants, number):
            gc.collect()
            begun = time.perf_counter()
            contestant.train(updates)
            contestant.seconds.append((time.perf_counter() - begun) / updates)
    return contestants


def _require_the_same(contestants: list[Contestant]) -> None:
    losses = [contestant.loss for contestant in contestants]
    if not max(losses) - min(losses) <= TOLERANCE * max(losses):
        raise RuntimeError(f"the same updates must give the same loss, got {losses}")


def report(count: int, side: int, contestants: list[Contestant]) -> list[str]:
    """Markdown: medians and quartiles in milliseconds, and the median of the rounds' ratios."""
    from benchmarks.timing import median_ratio, quartiles

    lines = [
        f"**{count} x {side} x {side}**",
        "",
        "| | ms an update | quartiles | of the lecture's time | loss |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for one in contestants:
        low, middle, high = (1000 * value for value in quartiles(one.seconds))
        ratio = median_ratio(one.seconds, contestants[0].seconds)
        spread = f"{low:.0f} to {high:.0f}"
        lines.append(f"| {one.label} | {middle:.0f} | {spread} | {ratio:.2f} | {one.loss:.5f} |")
    return [*lines, ""]


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main(words: list[str] | None = None) -> None:
    options = arguments(words)
    limit_threads(options.threads)
    facts: dict[str, Any] = {**describe(), "load before": load()}
    for count, side in WORKS:
        contestants = measure(count, side, options.rounds, options.updates)
        print("\n".join(report(count, side, contestants)), flush=True)
    print(", ".join(f"{name} {value}" for name, value in facts.items()))


if __name__ == "__main__":
    main()
