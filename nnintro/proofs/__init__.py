"""Networks built by hand from steps, and proofs of how near any network comes to a formula.

Everything that is proved is computed in balls (``proofs.balls``); python-flint, which has them,
comes with the extra ``certify``.
"""

from __future__ import annotations

from nnintro.errors import require_package


def require_flint() -> None:
    """Load python-flint; raises UsageError where it is missing (see ``require_package``)."""
    require_package("flint", "constructions and proofs need python-flint", "certify")
