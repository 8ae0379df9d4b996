"""``certify RUN``: a trained network's largest error over the whole domain, bounded by a proof."""

from __future__ import annotations

import decimal
import hashlib
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import nn

from nnintro.constructions import formula_of
from nnintro.files import write_json
from nnintro.formula.tree import variable_names
from nnintro.models import precision_of
from nnintro.models.activations import Step
from nnintro.models.standardized import numpy_type
from nnintro.proofs import require_flint, require_limits
from nnintro.recording.console import gap_bar
from nnintro.runs.folder import explained
from nnintro.runs.run import Run, load_run
from nnintro.wording import duration

FORMAT, FILE = "nnintro supremum 1", "supremum.json"
UP, DOWN = (decimal.Context(prec=6, rounding=rounding) for rounding in (decimal.ROUND_CEILING, decimal.ROUND_FLOOR))
"""Upper bounds are shown rounded up, lower ones down: what is printed is true as well."""

STATEMENT = (
    "For every real x of the domain at which the formula has a value, |N(x) - f(x)| <= bound; "
    "at the point 'at' it is not below lower. N is the network in exact arithmetic, with the "
    "parameters (and the standardisation, if there is one) that sha256 is of, taken exactly; f is "
    "the formula, its constants the float64 numbers that they are read as. rounding bounds how far "
    "the network's outputs in floating point may be from N at inputs of that precision, with sums "
    "in any order and elementary functions within 4 units in the last place."
)


def certify(
    run: str | Path,
    runs_dir: str | Path = "runs",
    *,
    tolerance: float = 0.05,
    seconds: float = 60.0,
    quiet: bool = True,
) -> dict[str, Any]:
    """Bound a run's largest error, and write what was proved to supremum.json in the run.

    Args:
        run: a run's folder, or its name in ``runs_dir``.
        tolerance: how far the bound may be above the largest error, relatively.
        seconds: after which the bound reached so far has to do.
        quiet: no progress on a terminal.

    Returns:
        What supremum.json says.

    Raises:
        UsageError: tolerance or seconds make no sense, or python-flint is missing.
        ConfigError: the run's network or dataset cannot be certified, or the formula is unbounded
            or has no value somewhere.
        CheckpointError: there is no such run, or it cannot be read or written.
    """
    require_flint()
    require_limits(tolerance=tolerance, seconds=seconds)
    loaded = load_run(run, runs_dir)
    with loaded.config.locating():
        proved = _proved(loaded, tolerance, seconds, quiet)
    path = loaded.directory / FILE
    with explained(f"cannot write {path}"):
        write_json(path, proved)
    return proved


def _proved(run: Run, tolerance: float, seconds: float, quiet: bool) -> dict[str, Any]:
    from nnintro.proofs.supremum import certify_network

    formula, domain = formula_of(run.setup.experiment, "certify")
    model = run.model
    with gap_bar(tolerance, quiet=quiet) as watch:
        found = certify_network(model, formula, domain, tolerance=tolerance, seconds=seconds, watch=watch)
    return {
        "format": FORMAT,
        "statement": STATEMENT,
        **asdict(found),
        "seconds": round(found.seconds, 3),
        "tolerance": tolerance,
        "formula": str(formula.root),
        "domain": [list(side) for side in domain],
        "precision": numpy_type(precision_of(model)).name,
        "steps": any(isinstance(module, Step) for module in model.modules()),
        "run": str(run.directory),
        "sha256": parameters_sha256(model),
    }


def parameters_sha256(model: nn.Module) -> str:
    """SHA-256 of a model's parameters and buffers: names, types, shapes and bytes, in order."""
    digest = hashlib.sha256()
    for name, tensor in model.state_dict().items():
        values = tensor.detach().cpu().contiguous().numpy()
        little = values.astype(values.dtype.newbyteorder("<"), copy=False)
        digest.update(f"{name} {values.dtype.name} {list(values.shape)}\n".encode())
        digest.update(little.tobytes())
    return digest.hexdigest()


def in_words(found: dict[str, Any]) -> str:
    """What was proved, in a few lines; bounds are rounded to the side on which they are true."""
    names = variable_names(len(found["at"]))
    domain = " x ".join(f"[{low:g}, {high:g}]" for low, high in found["domain"])
    at = ", ".join(f"{name} = {x!r}" for name, x in zip(names, found["at"], strict=True))
    lines = [f"{found['run']}: |network - formula| for every real {', '.join(names)} in {domain}"]
    if math.isfinite(found["bound"]):
        lines.append(f"proved: at most {_shown(found['bound'], UP)}")
    else:
        lines.append("proved: nothing yet")
    near = f"; the bound is {100 * found['gap']:.3g} % above" if math.isfinite(found["gap"]) else ""
    lines.append(f"found: {_shown(found['lower'], DOWN)} at {at}{near}")
    lines.append(_rounding(found))
    if not found["complete"]:
        lines.append(_incomplete(found))
    lines.append(f"{found['boxes']:,} boxes in {duration(found['seconds'])}; {found['run']}/{FILE}")
    return "\n".join(lines)


def _rounding(found: dict[str, Any]) -> str:
    if not math.isfinite(found["rounding"]):
        return f"rounding: no bound, the network's {found['precision']} numbers may overflow"
    early = ", for a step may come a rounding early or late" if found["steps"] else ""
    return f"rounding: {found['precision']} outputs add at most {_shown(found['rounding'], UP)}{early}"


def _incomplete(found: dict[str, Any]) -> str:
    wanted = f"within {found['tolerance']:.3g} (relatively) of what was found"
    if not found["undecided"]:
        return f"incomplete: time ended before the bound was {wanted}; more --seconds get nearer"
    between = " x ".join(f"({low!r}, {high!r})" for low, high in found["undecided"])
    return (
        f"incomplete: in {between}, between neighbouring float64 numbers, network and formula "
        f"cannot be told apart, for both jump or the tolerance is that small; the bound counts all "
        f"that they may be there, and is not {wanted}"
    )


def _shown(number: float, rounded: decimal.Context) -> str:
    return f"{float(rounded.create_decimal_from_float(number)):.6g}"
