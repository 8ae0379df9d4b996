"""``python -m nnintro`` and the ``nnintro`` script."""

from __future__ import annotations

import time

STARTED = time.perf_counter()


def main() -> None:
    """Run the command line."""
    from nnintro.signals import leave_at_once_on_ctrl_c

    leave_at_once_on_ctrl_c()  # before anything that takes long to load
    from nnintro.cli.app import run

    run(STARTED)


if __name__ == "__main__":
    main()
