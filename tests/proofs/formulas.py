"""Formulas of one input on [0, 1]: generated ones, and ten that are hard."""

from __future__ import annotations

import random

HARD = {
    "x*sin(1/x)": (0.02, 1.0),
    "step(x - 0.35)": (0.0, 1.0),
    "0.3*floor(8*x) - 0.2*sign(x - 0.5)": (0.0, 1.0),
    "abs(x - 0.3) + abs(x - 0.30001)": (0.0, 1.0),
    "exp(12*x)/20000": (0.0, 1.0),
    "0.7": (0.0, 1.0),
    "0": (-1.0, 1.0),
    "sqrt(abs(x))": (-1.0, 1.0),
    "max(0, min(1, 5*x - 2))": (0.0, 1.0),
    "tanh(1000*(x - 0.4)) + 0.1*sin(200*x)": (0.0, 1.0),
}


def generated(number: int) -> str:
    """The ``number``-th formula: sums and products of waves, bends, bells and powers."""
    source = random.Random(number)

    def constant(low: float, high: float) -> str:
        return f"{source.uniform(low, high):.3g}"

    def inner() -> str:
        return f"({constant(1, 15)}*x + {constant(-2, 2)})"

    def term() -> str:
        return source.choice(
            [
                lambda: f"sin({inner()})",
                lambda: f"cos({inner()})*x**{source.randint(1, 3)}",
                lambda: f"tanh({inner()})",
                lambda: f"exp(-{inner()}**2)",
                lambda: f"abs({inner()})/5",
                lambda: f"max({inner()}, {constant(0, 5)})/4",
                lambda: f"min(x, sin({inner()}))",
                lambda: f"sqrt(1.1 + sin({inner()}))",
                lambda: f"log(3.1 + cos({inner()}))",
                lambda: f"1/(1 + exp({inner()}))",
                lambda: f"x**{constant(0.5, 3)}",
                lambda: f"0.3*step(x - {constant(0.1, 0.9)})",
                lambda: f"{constant(0.1, 2)}",
            ]
        )()

    terms = [f"{constant(0.1, 1)}*{term()}" for _ in range(source.randint(1, 4))]
    return source.choice([" + ", " - "]).join(terms)
