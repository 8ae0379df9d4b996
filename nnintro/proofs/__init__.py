"""Construct networks of steps, and prove error bounds of any network against a formula.

Everything that is proved is computed in balls (``proofs.balls``); python-flint, which has them,
comes with the extra ``certify``.
"""

from __future__ import annotations

import math

from nnintro.errors import UsageError, require_package


def require_flint() -> None:
    """Load python-flint; raises UsageError where it is missing (see ``require_package``)."""
    require_package("flint", "constructions and proofs need python-flint", "certify")


def require_limits(**limits: float) -> None:
    """Check what ends a proof: ``tolerance`` and ``seconds``.

    Raises:
        UsageError: one is not a finite number above 0.
    """
    for name, value in limits.items():
        if not (value > 0 and math.isfinite(value)):
            raise UsageError(f"--{name} must be a number above 0, got {value:g}")
