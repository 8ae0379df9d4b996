"""``nnintro certify``: prove a bound of a network's largest error, or check a certificate again."""

from __future__ import annotations

import decimal
import hashlib
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import nn

from nnintro.constructions import formula_of
from nnintro.errors import CheckpointError, memory_for
from nnintro.files import write_json
from nnintro.formula import Formula
from nnintro.formula.tree import variable_names
from nnintro.models import precision_of
from nnintro.models.activations import Step
from nnintro.models.forward import own_modes
from nnintro.models.standardized import numpy_type
from nnintro.proofs import require_flint, require_limits
from nnintro.recording.console import gap_bar
from nnintro.runs.folder import explained
from nnintro.runs.run import Run, load_run
from nnintro.wording import duration

if TYPE_CHECKING:
    from nnintro.proofs.certificate import Certificate

FORMAT, FILE = "nnintro supremum 1", "supremum.json"
UP, DOWN = (decimal.Context(prec=6, rounding=rounding) for rounding in (decimal.ROUND_CEILING, decimal.ROUND_FLOOR))
"""Upper bounds are shown rounded up, lower ones down: what is printed is true as well."""

STATEMENT = (
    "For every real x of the domain at which the formula and every basis function have a value, "
    "|N(x) - f(x)| <= bound; at the point 'at' it is not below lower. N is the network in exact arithmetic, with the "
    "parameters (and the standardisation, if there is one) that sha256 is of, taken exactly, and of "
    "the basis functions in place of x, if there are some; f is the formula, its constants the "
    "float64 numbers that they are read as. rounding bounds how far the network's outputs in floating "
    "point, where they are numbers, may be from N at inputs of that precision, with sums in any order "
    "and elementary functions within 4 units in the last place."
)


@own_modes()
@memory_for("the proof; a larger --tolerance takes less")
def certify(
    run: Run | str | Path,
    runs_dir: str | Path = "runs",
    *,
    tolerance: float = 0.05,
    seconds: float = 60.0,
    quiet: bool = True,
) -> dict[str, Any]:
    """Bound a run's largest error, and write what was proved to supremum.json in the run.

    Args:
        run: a run's folder, its name in ``runs_dir``, or what ``nnintro.train`` returned.
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
        **({"basis": [str(function.root) for function in run.setup.basis]} if run.setup.basis else {}),
        "precision": numpy_type(precision_of(model)).name,
        "steps": any(isinstance(module, Step) for module in model.modules()) or _jumps(run.setup.basis),
        "run": str(run.directory),
        "sha256": parameters_sha256(model),
    }


def _jumps(basis: Sequence[Formula]) -> bool:
    """Whether a basis function is made with one that jumps."""
    return any(f"{name}(" in str(formula.root) for formula in basis for name in ("step", "sign", "floor"))


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
    bound = f"at most {_shown(found['bound'], UP)}" if math.isfinite(found["bound"]) else "nothing yet"
    near = f"; the bound is {100 * found['gap']:.3g} % above" if math.isfinite(found["gap"]) else ""
    lines = [
        f"{found['run']}: |network - formula| for every real {', '.join(names)} in {domain}",
        f"proved: {bound}",
        f"found: {_shown(found['lower'], DOWN)} at {at}{near}",
        _rounding(found),
        *([] if found["complete"] else [_incomplete(found)]),
        f"{found['boxes']:,} boxes in {duration(found['seconds'])}; {found['run']}/{FILE}",
    ]
    return "\n".join(lines)


def _rounding(found: dict[str, Any]) -> str:
    if not math.isfinite(found["rounding"]):
        or_basis = ", or a basis function's error has no bound" if found.get("basis") else ""
        return f"rounding: no bound, the network's {found['precision']} numbers may overflow{or_basis}"
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


# --- certificates ------------------------------------------------------------------------------


def check(path: str | Path) -> list[str]:
    """Prove a certificate again by other means than those that made it.

    Args:
        path: a certificate.json, or the folder of the run that it lies in.

    Returns:
        What was proved, in a few lines.

    Raises:
        CheckpointError: the file is not a certificate, or something in it is not true, or the run
            that it lies in has another network.
        UsageError: python-flint is missing.
    """
    require_flint()
    from nnintro.proofs import certificate as written
    from nnintro.proofs.check import check_certificate

    path = Path(path)
    if path.is_dir():
        path = path / written.FILE
    certificate = check_certificate(path)
    noun = "pieces" if len(certificate["domain"]) == 1 else "boxes"
    lines = [
        f"{path}: proved again",
        f"{len(certificate['pieces']):,} {noun}, nowhere further than "
        f"{certificate['bound']:.10g} from {certificate['formula']}",
    ]
    if "fewer" in certificate and (few := certificate["fewer"]["pieces"]) > 0:
        lines.append(f"{few:,} pieces cannot come within {certificate['fewer']['error']:.10g}")
    if (path.parent / "checkpoints").is_dir():
        require_agreement(load_run(path.parent), certificate)
        lines.append("the network beside it has these pieces, to the last bit")
    else:
        lines.append("there is no run beside it: the network itself was not looked at")
    return lines


def require_agreement(run: Run, certificate: Certificate) -> None:
    """The network in the run gives each piece's value to the last bit, from end to end.

    Its outputs are looked at where each piece begins and ends and in its middle, and its neurons
    switch nowhere but there.

    Raises:
        CheckpointError: it does not.
    """
    points, values = [], []
    edge = np.array([low for low, _ in certificate["domain"]])
    for piece in certificate["pieces"]:
        low, high = np.atleast_1d(piece["from"]), np.atleast_1d(piece["to"])
        first = np.where(low == edge, low, np.nextafter(low, np.inf))
        points += [first, np.clip(low + (high - low) / 2, first, high), high]
        values += [piece["value"]] * 3
    outputs = run.predict(np.array(points)).numpy()[:, 0]
    if not np.array_equal(outputs, np.array(values)):
        worst = int(np.argmax(outputs != np.array(values)))
        where = ", ".join(map(repr, points[worst].tolist()))
        raise CheckpointError(f"{run.directory}: the network is not that of the certificate at {where}")
    _require_places(run, certificate)


def _require_places(run: Run, certificate: Certificate) -> None:
    """Between its neurons' places a network of steps is constant."""
    model = run.setup.model
    if model.kind != "steps" or model.activation != "step":
        raise CheckpointError(f"{run.directory}: its network is not one of steps")
    edges = {edge for side in certificate["domain"] for edge in side}
    ends = {float(end) for p in certificate["pieces"] for end in np.ravel([p["from"], p["to"]])}
    places = {place for _, place in model.places}
    # A tower on the domain's lower edge begins one number before it.
    inside = places - {math.nextafter(edge, -math.inf) for edge in edges}
    weight, bias = (p.detach().numpy() for p in list(run.model.parameters())[:2])
    found = np.unique(-bias / np.abs(weight).max(axis=1)) if len(bias) else np.zeros(0)
    if not inside <= ends or set(found.tolist()) != places:
        raise CheckpointError(f"{run.directory}: a neuron switches within a piece")
