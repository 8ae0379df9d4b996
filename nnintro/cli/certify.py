"""``nnintro certify``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nnintro.cli.output import emit


def certify(
    check: Annotated[
        Path,
        typer.Option(metavar="FILE", help="Prove a certificate.json (or that of a run) again."),
    ],
) -> None:
    """Prove how far a network is from its formula, at most."""
    from nnintro.inference.certify import check as prove_again

    emit("\n".join(prove_again(check)))
