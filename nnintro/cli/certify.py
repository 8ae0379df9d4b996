"""``nnintro certify``: prove how far a network is from its formula."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nnintro.cli import RUNS, Json, Quiet, RunsDir, emit
from nnintro.errors import UsageError
from nnintro.files import as_json
from nnintro.runs.folder import find_run
from nnintro.signals import leaving_tidily


def certify(
    run: Annotated[
        Path | None,
        typer.Argument(metavar="RUN", help="A run's folder, or its name in --runs-dir.", show_default=False),
    ] = None,
    check: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="In place of RUN: prove a certificate.json (or that of a run) again."),
    ] = None,
    tolerance: Annotated[float, typer.Option(help="How far the bound may be above the error, relatively.")] = 0.05,
    seconds: Annotated[float, typer.Option(help="Time, after which the bound reached so far has to do.")] = 60.0,
    runs_dir: RunsDir = RUNS,
    json_: Json = False,
    quiet: Quiet = False,
) -> None:
    """Prove how far a network is from its formula, at most."""
    if (run is None) == (check is None):
        raise UsageError("expected a RUN, or a certificate with --check FILE")
    with leaving_tidily():
        if check is not None:
            _prove_again(check)
        elif run is not None:
            _bound(run, runs_dir, tolerance, seconds, json_, quiet)


def _prove_again(check: Path) -> None:
    from nnintro.constructions.certify import check as prove_again

    emit("\n".join(prove_again(check)))


def _bound(run: Path, runs_dir: Path, tolerance: float, seconds: float, json_: bool, quiet: bool) -> None:
    from nnintro.proofs import require_flint, require_limits

    directory = find_run(run, runs_dir)
    require_flint()
    require_limits(tolerance=tolerance, seconds=seconds)
    # Only now what takes seconds to load.
    from nnintro.constructions.certify import certify as bound
    from nnintro.constructions.certify import in_words

    certificate = bound(directory, tolerance=tolerance, seconds=seconds, quiet=quiet)
    if json_:
        emit(as_json(certificate))
    elif not quiet:
        emit(in_words(certificate))
