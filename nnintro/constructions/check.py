"""``certify --check``: a certificate proved again, and compared with the network beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nnintro.constructions.construct import require_agreement
from nnintro.proofs import require_flint
from nnintro.runs.run import load_run


def check(path: str | Path) -> list[str]:
    """Prove a certificate again by other means than those that made it.

    Returns:
        What was proved, in a few lines.

    Raises:
        CheckpointError: the file is no certificate, or something in it is not true, or the run
            that it lies in has another network.
        UsageError: python-flint is missing.
    """
    require_flint()
    from nnintro.proofs.check import check_certificate

    path = Path(path)
    if path.is_dir():
        path = path / "certificate.json"
    found = check_certificate(path)
    noun = "pieces" if len(found.domain) == 1 else "boxes"
    lines = [
        f"{path}: proved again",
        f"{len(found.pieces):,} {noun}, nowhere further than {found.bound:.10g} from "
        f"{found.formula}",
    ]
    if found.fewer is not None and found.fewer["pieces"] > 0:
        few, within = found.fewer["pieces"], found.fewer["error"]
        lines.append(f"{few:,} pieces cannot come within {within:.10g}")
    if (path.parent / "checkpoints").is_dir():
        run = load_run(path.parent)
        require_agreement(run, _as_certificate(found))
        lines.append("the network beside it has these pieces, to the last bit")
    else:
        lines.append("there is no run beside it: the network itself was not looked at")
    return lines


def _as_certificate(found: Any) -> dict[str, Any]:
    return {"domain": found.domain, "pieces": found.pieces}
