"""``python -m benchmarks.unet``: a training step of the full-size U-Net beside the lecture's own.

The lecture's is its definition in plain torch under the usual loop; nnintro's is its network under
the same loop, and under ``nnintro.fit``, which besides reads the images of each update, looks that
everything stays finite and measures gradient and update.  All start from the same parameters, on
the same images, by plain gradient descent on the binary cross entropy.  Everybody once a round, in
a rotating order.
"""

from __future__ import annotations

import argparse
import copy
import gc
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.machine import describe, limit_threads, load

if TYPE_CHECKING:
    from torch import Tensor, nn

    import nnintro

WORKS = ((1, 128), (2, 256))
"""Images in an update, and their height and width."""
CHANNELS = [64, 128, 256, 512, 1024]
RATE = 0.01
WARMING = 3
"""Updates before everybody's loss is compared, and before any time is taken."""
TOLERANCE = 1e-3
"""How far the losses after as many updates may lie apart, relative: rounding, and no more."""


@dataclass
class Contestant:
    """Makes updates; ``seconds`` of one, for each round."""

    label: str
    train: Callable[[int], float]
    """Make so many updates; the seconds they took."""
    loss: float
    """Of the last warming update."""
    seconds: list[float] = field(default_factory=list)


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.unet", description=__doc__)
    add = parser.add_argument
    add("--rounds", type=int, default=9, help="everybody once a round (default 9)")
    add("--updates", type=int, default=5, help="in a turn (default 5)")
    add("--threads", type=int, default=2, help="cores for everybody (default 2)")
    return parser.parse_args(words)


def write_images(folder: Path, count: int, side: int) -> None:
    """Colours drawn at random, and masks of where there is more than half of red; as nnintro reads
    them, with one more for validation."""
    import numpy as np
    from PIL import Image

    for name in ("images", "masks"):
        (folder / name).mkdir()
    random = np.random.default_rng(1)
    for number in range(count + 1):
        pixels = random.integers(0, 256, (side, side, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"images/{number}.png")
        Image.fromarray((pixels[:, :, 0] > 127).astype(np.uint8)).save(folder / f"masks/{number}.png")


def fit(folder: Path, count: int, steps: int, every: int, snapshots: list[int]) -> nnintro.Fitted:
    """nnintro's training on the images of a folder, all but one of them in each update.

    Args:
        every: updates between two points of the history, whose times are those of updates alone.
    """
    import nnintro

    return nnintro.fit(
        {
            "device": "cpu",
            "dataset": {"kind": "images", "path": str(folder), "validation": 1 / (count + 1), "standardize": "none"},
            "model": {"kind": "unet", "channels": CHANNELS},
            "loss": "bce",
            "descent": {"optimizer": "sgd", "learning_rate": RATE, "batch_size": count},
            "training": {"steps": steps, "engine": "autograd"},
            "logging": {"scalars": f"every {every} steps"},
        },
        snapshots=snapshots,
    )


def plain_loop(label: str, network: nn.Module, images: Tensor, masks: Tensor) -> Contestant:
    """The loop that everybody writes, warm."""
    import torch
    from torch.nn import functional

    optimizer = torch.optim.SGD(network.parameters(), lr=RATE)

    def update() -> Tensor:
        loss = functional.binary_cross_entropy_with_logits(network(images), masks)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.detach()

    def train(updates: int) -> float:
        begun = time.perf_counter()
        for _ in range(updates):
            update()
        return time.perf_counter() - begun

    network.train()
    losses = [float(update()) for _ in range(WARMING)]
    return Contestant(label, train, losses[-1])


def fitting(folder: Path, untrained: nn.Module, images: Tensor, masks: Tensor) -> Contestant:
    """``nnintro.fit``: a turn is the second half of a training of twice as many updates."""
    import torch
    from torch.nn import functional

    count = len(images)

    def train(updates: int) -> float:
        fitted = fit(folder, count, 2 * updates, updates, [])
        half, whole = fitted.history["seconds"][-2:]
        assert half is not None
        assert whole is not None
        return whole - half

    before = WARMING - 1
    parameters = fit(folder, count, before, before, [before]).snapshots[before]
    network = copy.deepcopy(untrained).train()
    network.load_state_dict(parameters, strict=False)  # statistics, which training does not use
    with torch.no_grad():
        loss = functional.binary_cross_entropy_with_logits(network(images), masks)
    return Contestant("nnintro's network, its engine", train, float(loss))


def contestants_of(folder: Path, count: int) -> list[Contestant]:
    """Everybody from the same parameters on the same images; the lecture's first."""
    import torch

    from benchmarks.lecture_unet import LectureUnet, copied

    fitted = fit(folder, count, 0, 1, [])
    ours, lecture = fitted.model, LectureUnet()
    copied(ours, lecture)
    images, masks = fitted.training.rows(torch.arange(count))
    return [
        plain_loop("the lecture's, plain torch", lecture, images, masks),
        plain_loop("nnintro's network, the same loop", copy.deepcopy(ours), images, masks),
        fitting(folder, ours, images, masks),
    ]


def measure(count: int, side: int, rounds: int, updates: int) -> list[Contestant]:
    """Everybody at one work; the lecture's first.

    Raises:
        RuntimeError: after as many updates the losses are not the same.
    """
    from benchmarks.timing import rotated

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_images(folder, count, side)
        contestants = contestants_of(folder, count)
        _require_the_same(contestants)
        for number in range(rounds):
            say(f"{count} x {side} x {side}: round {number + 1} of {rounds}")
            for contestant in rotated(contestants, number):
                gc.collect()
                contestant.seconds.append(contestant.train(updates) / updates)
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
