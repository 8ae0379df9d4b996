"""What was measured, as plain values that go to JSON and back."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Timed:
    """One contestant at one work."""

    peer: str
    label: str
    ours: bool
    ready_seconds: float
    """What building it and its first epochs took beyond the epochs themselves: compilation."""
    loss: float
    """The mean loss over all samples after the checked updates."""
    rates: list[float] = field(default_factory=list)
    """Updates a second, one for each round."""


@dataclass
class WorkResult:
    """Everybody at one work."""

    work: str
    title: str
    optimizer: str
    checked_updates: int
    """Updates after which the losses were taken."""
    start_loss: float
    contestants: list[Timed]


@dataclass
class CommandResult:
    """One job done by several commands, each a process of its own."""

    title: str
    seconds: dict[str, list[float]]
    """Command -> wall seconds, one for each round."""
    losses: dict[str, float]
    """Command -> the loss it ended with, where it trains."""


@dataclass
class Results:
    """One run of the benchmarks."""

    works: list[WorkResult] = field(default_factory=list)
    commands: list[CommandResult] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    """Contestant -> why it did not take part."""
    machine: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)


def write(results: Results, path: Path) -> None:
    text = json.dumps(dataclasses.asdict(results), indent=1)
    path.write_text(text + "\n", encoding="utf-8")


def read(path: Path) -> Results:
    values = json.loads(path.read_text(encoding="utf-8"))
    works = [
        WorkResult(**{**work, "contestants": [Timed(**timed) for timed in work["contestants"]]})
        for work in values["works"]
    ]
    commands = [CommandResult(**command) for command in values["commands"]]
    return Results(**{**values, "works": works, "commands": commands})
