"""``certify --check``: a certificate proved again, and compared with the network beside it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nnintro.errors import CheckpointError
from nnintro.proofs import require_flint
from nnintro.runs.run import Run, load_run

if TYPE_CHECKING:
    from nnintro.proofs.certificate import Certificate


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
    from nnintro.proofs.certificate import FILE
    from nnintro.proofs.check import check_certificate

    path = Path(path)
    if path.is_dir():
        path = path / FILE
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
        raise CheckpointError(
            f"{run.directory}: the network is not that of the certificate at {where}"
        )
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
