"""``python -m nnintro`` and the ``nnintro`` script."""

from __future__ import annotations

import gc
import time

STARTED = time.perf_counter()


def main() -> None:
    """Run the command line."""
    # Imports make many objects that live on; looking for cycles among them takes a tenth of a second of each start.
    gc.set_threshold(50_000)
    from nnintro.signals import leave_at_once_on_ctrl_c

    leave_at_once_on_ctrl_c()  # before anything that takes long to load
    from nnintro.cli.app import run

    run(STARTED)


if __name__ == "__main__":
    main()
