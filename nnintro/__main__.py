"""``python -m nnintro`` and the ``nnintro`` script."""

from __future__ import annotations

import time

STARTED = time.perf_counter()


def main() -> None:
    """Run the command line."""
    from nnintro.cli.app import run

    run(STARTED)


if __name__ == "__main__":
    main()
