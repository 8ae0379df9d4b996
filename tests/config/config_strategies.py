"""Generated configs: good ones of every kind, the same with mistakes in them, and noise."""

from __future__ import annotations

import copy
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from nnintro.config.datasets.generated import CLASSIFICATION_SHAPES, REGRESSION_FEATURES
from nnintro.config.parse.vocabulary import options, slot_at, slots

KEYS = sorted({key for _, slot in slots() for key in slot.keys})
NAMES = sorted({name for _, slot in slots() for key in slot.keys for name in options(slot, key)})


def mapping(required: dict[str, Any], **optional: Any) -> st.SearchStrategy[dict[str, Any]]:
    """All the required keys, and any of the optional ones."""
    fixed = {key: st.just(value) for key, value in required.items()}
    return st.fixed_dictionaries(fixed, optional=optional)


def names(section: str, key: str) -> st.SearchStrategy[str]:
    return st.sampled_from(options(slot_at(tuple(section.split("."))), key))


positive = st.floats(1e-6, 100)
fraction = st.sampled_from([0, 0.1, 0.5, 0.9])
epsilon = st.sampled_from([1e-8, 1e-5, 1e-300, 3])
betas = st.lists(fraction, min_size=2, max_size=2)
samples = st.sampled_from([100, 400, 1000, 4096, 10**6])
standardize = st.sampled_from(["none", "inputs"])
generated: dict[str, Any] = {
    "samples": samples,
    "noise": positive,
    "validation": st.sampled_from([0.2, 0.5, 0.9]),
    "standardize": standardize,
}
datasets = st.one_of(
    mapping(
        {"kind": "function", "formula": "x"},
        samples=st.integers(1, 10**8),
        sampling=st.sampled_from(["grid", "uniform"]),
        noise=positive,
        standardize=standardize,
        domain=st.sampled_from([[[0, 1]], [[-2.5, 1e3]]]),
    ),
    mapping(
        {"kind": "function", "formula": "sin(3*x1) * x2", "domain": [[0, 1], [-1, 1]]},
        samples=st.integers(1, 10**4).map(lambda side: side * side),
    ).filter(lambda dataset: "samples" in dataset),
    st.sampled_from(list(REGRESSION_FEATURES)).flatmap(
        lambda name: mapping({"kind": "regression", "generator": name}, **generated)
    ),
    mapping({"kind": "regression", "weights": [0.5, -2, 1e-5]}, bias=positive, **generated),
    st.sampled_from(list(CLASSIFICATION_SHAPES)).flatmap(
        lambda name: mapping({"kind": "classification", "generator": name}, **generated)
    ),
    mapping(
        {"kind": "classification", "generator": "blobs", "proportions": [0.25, 0.25, 0.5]},
        features=st.integers(1, 9),
        **generated,
    ),
)
initializations = st.one_of(
    names("model.initialization", "kind"),
    mapping({"kind": "spread"}, steepness=positive),
    mapping({"kind": "steps"}, steepness=positive, error=positive),
)
activations = names("model", "output_activation")
numbers = st.floats(-1e6, 1e6)
steps = st.one_of(
    mapping({}, at=numbers, height=numbers).filter(lambda step: len(step) == 2),
    st.tuples(numbers, numbers, numbers)
    .filter(lambda ends: ends[0] != ends[1])
    .map(lambda e: {"from": min(e[:2]), "to": max(e[:2]), "height": e[2]}),
    st.builds(
        lambda low, size, height: {
            "from": low, "to": [a + size for a in low], "height": height
        },
        st.lists(numbers, min_size=2, max_size=2), st.floats(1, 9), numbers,
    ),
)  # fmt: skip
by_hand = mapping(
    {"kind": "steps"},
    steps=st.lists(steps, max_size=4),
    offset=numbers,
    activation=st.sampled_from(["step", "sigmoid"]),
    steepness=positive,
)
mlps = st.integers(0, 3).flatmap(
    lambda depth: mapping(
        {"kind": "mlp"},
        hidden=st.just([8] * depth),
        activation=activations | st.lists(activations, min_size=depth, max_size=depth),
        dropout=fraction,
        initialization=initializations,
    )
)
models = st.one_of(mlps, mlps, by_hand)
optimizers = st.one_of(
    names("descent.optimizer", "kind").filter(lambda name: name != "lbfgs"),
    mapping({"kind": "sgd"}, momentum=fraction),
    mapping({"kind": "sgd", "momentum": 0.9}, nesterov=st.booleans()),
    mapping({"kind": "rmsprop"}, smoothing=fraction, momentum=fraction, epsilon=epsilon),
    mapping({"kind": "adagrad"}, epsilon=epsilon),
    st.sampled_from(["adam", "adamw"]).flatmap(lambda kind: mapping({"kind": kind}, betas=betas, epsilon=epsilon)),
)
schedules = st.one_of(
    names("descent.schedule", "kind"),
    mapping({"kind": "step"}, every=st.integers(1, 9), factor=st.just(0.5)),
    mapping({"kind": "exponential"}, final=st.just(0.001)),
    mapping({"kind": "cosine"}, warmup_steps=st.integers(0, 90), final=fraction),
)
descents = st.one_of(
    mapping(
        {},
        variant=st.sampled_from(["batch", "mini-batch"]),
        batch_size=st.integers(1, 60),
        shuffle=st.booleans(),
        learning_rate=st.floats(1e-12, 10),
        optimizer=optimizers,
        schedule=schedules,
        weight_decay=st.floats(0, 1),
        clip_norm=positive,
    ),
    mapping({"variant": "stochastic"}, learning_rate=positive, optimizer=optimizers),
    mapping({"variant": "batch", "optimizer": "lbfgs"}, learning_rate=positive),
)
trainings = st.one_of(
    mapping({}, epochs=st.integers(0, 500), early_stopping=mapping({}, patience=positive)),
    mapping({}, steps=st.integers(100, 10**6), stop_when=mapping({"train/loss": 0.1})),
)
valid = mapping(
    {},
    name=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,9}", fullmatch=True),
    seed=st.integers(0, 2**63 - 1),
    device=st.sampled_from(["auto", "cpu", "cuda", "cuda:3"]),
    precision=st.sampled_from(["float32", "float64", "bfloat16"]),
    descent=descents,
    training=trainings,
    logging=mapping({}, scalars=st.sampled_from(["auto", "off", "every 7 steps"])),
).flatmap(
    lambda rest: st.fixed_dictionaries({"dataset": datasets, "model": models}).map(lambda needed: {**needed, **rest})
)

words = st.sampled_from(KEYS) | st.sampled_from(NAMES) | st.text(max_size=6)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from([10**400, -(10**30), 2**63, 1e308, 10**8, "1e3", "no", "0,5", "9" * 400]),
    words,
)
junk = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4), max_leaves=8
)
python_junk = st.recursive(
    st.one_of(
        scalars,
        st.sampled_from([b"x", {1, 2}, object(), int, Path("a/b"), Decimal(1), 1j, np.float64(0.5), np.int64(3)]),
        st.builds(np.zeros, st.integers(0, 3)),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner, inner),
        st.dictionaries(words | st.integers() | st.none(), inner, max_size=3),
    ),
    max_leaves=8,
)


def places(values: Any, keys: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every key and index in a config."""
    items = values.items() if isinstance(values, dict) else enumerate(values)
    found = []
    for key, value in items:
        found.append((*keys, key))
        if isinstance(value, dict | list):
            found += places(value, (*keys, key))
    return found


@st.composite
def mutated(draw: st.DrawFn, junk: st.SearchStrategy[Any] = junk) -> dict[str, Any]:
    """A good config with up to three keys deleted, renamed, added or given another value."""
    config = copy.deepcopy(draw(valid))
    for _ in range(draw(st.integers(0, 3))):
        if not (found := places(config)):
            break
        *above, last = draw(st.sampled_from(found))
        section = config
        for key in above:
            section = section[key]
        match draw(st.sampled_from(["delete", "rename", "replace", "add"])):
            case "delete":
                del section[last]
            case "replace":
                section[last] = draw(junk)
            case "rename" if isinstance(section, dict):
                letter = draw(st.sampled_from(["", "e", "_", "-", "."]))
                at = draw(st.integers(0, len(str(last))))
                section[str(last)[:at] + letter + str(last)[at + 1 :]] = section.pop(last)
            case "add" if isinstance(section, dict):
                section[draw(words)] = draw(junk)
    return config


PUNCTUATION = ["\n", "\n  ", "\n    ", ": ", ":", "- ", ", ", "[", "]", "{", "}", "? ", "#", "=", "~"]
MARKS = ["&a ", "*a", "&b ", "*b", "<<: *a", "!!int ", "!!map ", "! ", "!x ", "--- ", "...\n", "@", "`"]
QUOTES = ["'", '"', "\\U", "\\ud800", "|\n", "|2 ", ">-\n", ">\n", "%YAML 1.2\n", "%TAG ! x\n", "%"]
ODD = ["\t", "\0", "\ufeff", "\u2028", "\x85", "\ud800", ".nan", ".inf", "1e3", "0x1", "0o7", "no", "12:30"]
LINES = [
    "seed: 1\n",
    "dataset:\n  ",
    "model: {kind: mlp}\n",
    "dataset: {kind: function, formula: x}\n",
    "\n  kind: function\n  formula: x\n",
]
tokens = st.one_of(
    st.sampled_from(KEYS),
    st.sampled_from(LINES),
    st.sampled_from(PUNCTUATION + MARKS + QUOTES + ODD),
    st.text(max_size=3),
)
yaml_texts = st.lists(tokens, max_size=25).map("".join)
