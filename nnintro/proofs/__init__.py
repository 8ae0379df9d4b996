"""Networks built by hand from steps, and proofs of how near any network comes to a formula.

Everything that is proved is computed in balls (``proofs.balls``); python-flint, which has them,
comes with the extra ``certify``.
"""

from __future__ import annotations

import importlib

from nnintro.errors import UsageError


def require_flint() -> None:
    """Load python-flint, whose balls proofs are computed in.

    Raises:
        UsageError: it is not installed, or does not load; says how to install it.
    """
    try:
        importlib.import_module("flint")
    except ImportError as error:
        message = "constructions and proofs need python-flint: pip install 'nnintro[certify]'"
        missing = isinstance(error, ModuleNotFoundError) and error.name == "flint"
        raise UsageError(message if missing else f"{message} ({error})") from error
