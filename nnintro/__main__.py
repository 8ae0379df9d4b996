"""``python -m nnintro`` and the ``nnintro`` script."""

from __future__ import annotations

import os
import signal
import time
from types import FrameType

STARTED = time.perf_counter()


def main() -> None:
    """Run the command line."""
    # Loading torch takes seconds, and a KeyboardInterrupt amid its imports becomes a traceback or
    # an ImportError.  Training and dashboard have handlers of their own, and put this one back.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)
    from nnintro.cli.app import run

    run(STARTED)


def _leave(number: int, _: FrameType | None) -> None:
    os._exit(128 + number)


if __name__ == "__main__":
    main()
