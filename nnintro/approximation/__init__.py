"""Networks built by hand from steps, and proofs of how near any network comes to a formula.

Everything that is proved is computed in balls (``formula.balls``); python-flint, which has them,
comes with the extra ``certify``.
"""
