"""A peer as a whole process: ``python -m benchmarks.job PEER WORK OPTIMIZER DATA EPOCHS``.

It loads what that peer needs and nothing else, trains, and prints the loss it reached.
"""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.assignment import load, loss
from benchmarks.peers import PEERS
from benchmarks.works import WORKS


def main(peer: str, work: str, optimizer: str, data: str, epochs: str) -> None:
    assignment = load(WORKS[work], optimizer, Path(data))
    contestant = PEERS[peer].build(assignment)
    contestant.train(int(epochs))
    print(loss(assignment, contestant.parameters()))


if __name__ == "__main__":
    main(*sys.argv[1:])
