"""Format values, lists of names, plurals, durations and causes for messages; find the nearest name."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

LONGEST = 60
"""Characters of a value, a key or a name that a message shows."""
MOST_NAMED = 8
"""Names that a message lists; more are counted."""
OTHER_NAMES = {
    "activation": "act nonlinearity",
    "batch": "full_batch",
    "batch_size": "batchsize bs",
    "bfloat16": "half",
    "clip_norm": "gradient_clipping",
    "cross_entropy": "crossentropy categorical_crossentropy nll nll_loss crossentropyloss",
    "cuda": "gpu",
    "elu": "selu celu",
    "epochs": "max_epochs",
    "epsilon": "eps",
    "factor": "gamma",
    "float32": "float",
    "float64": "double",
    "he": "kaiming he_normal he_uniform kaiming_normal kaiming_uniform",
    "huber": "smooth_l1 smooth_l1_loss smoothl1loss huberloss",
    "identity": "linear none",
    "hidden": "hidden_layers layers units widths",
    "kind": "type",
    "learning_rate": "alpha eta lr",
    "mae": "l1 l1_loss l1loss mean_absolute_error",
    "mse": "l2 mse_loss mseloss mean_squared_error",
    "optimizer": "optim",
    "relu": "relu6",
    "samples": "n_samples",
    "schedule": "scheduler",
    "seed": "random_seed random_state",
    "sigmoid": "logistic hard_sigmoid",
    "silu": "swish",
    "step": "heaviside",
    "steps": "max_steps",
    "stochastic": "online",
    "weight_decay": "wd",
    "xavier": "glorot glorot_uniform xavier_uniform xavier_normal glorot_normal",
}
"""Our word -> what others call it; counts only where our word may stand."""
SYNONYMS = {other: ours for ours, others in OTHER_NAMES.items() for other in others.split()}


LOOKALIKES = str.maketrans("аеорсухіјѕһԁАВЕКМНОРСТУХІЈЅοαν", "aeopcyxijshdABEKMHOPCTYXIJSoav")
"""Letters of the Cyrillic and the Greek alphabet -> the Latin ones that look the same."""


def lookalike(text: str) -> str:
    """``; the 'а' in it is a Cyrillic letter: type the Latin a``; nothing of a text without such letters."""
    for letter in text:
        latin = letter.translate(LOOKALIKES)
        if latin != letter:
            alphabet = unicodedata.name(letter).split()[0].capitalize()
            return f"; the '{letter}' in it is a {alphabet} letter: type the Latin {latin}"
    return ""


def listing(names: Iterable[object]) -> str:
    """``a, b or c``."""
    *most, last = [str(name) for name in names]
    return f"{', '.join(most)} or {last}" if most else last


def shown(value: Any) -> str:
    """A value for a message: in one line, short, and of its kind."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, list):
        return _shown_list(value)
    if isinstance(value, str):
        return repr(_cut(value))
    return " ".join(_cut(str(value)).split())


def _shown_list(items: list[Any]) -> str:
    if not items:
        return "an empty list"
    nested = any(isinstance(item, dict | list) for item in items)
    text = "" if nested or len(items) > 8 else f"[{', '.join(map(shown, items))}]"
    return text if 0 < len(text) <= LONGEST else f"a list of {len(items)}"


_UNPRINTED = {
    **{code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"},
    **{code: f"\\u{code:04x}" for code in (0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))},
}


def plain(text: str) -> str:
    """A text that may hold names from a file, for a terminal: what would steer it, or turn its direction, as escapes.

    So are halves of characters, which no encoding has.
    """
    return text.translate(_UNPRINTED).encode("utf-8", "backslashreplace").decode()


def shown_key(key: str) -> str:
    """A key as it is, unless it would break the line or fill it."""
    return key if key and key.isprintable() and len(key) <= LONGEST else repr(_cut(key))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def choice(value: Any, names: list[str]) -> str:
    """``expected a, b or c, got 'd'``, with the nearest of the names."""
    text = f"expected {listing(names)}, got {shown(value)}"
    close = nearest(value, names) if isinstance(value, str) else None
    return f"{text}; did you mean '{close}'?{lookalike(str(value))}" if close else text


def nearest(name: str, candidates: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The candidate a person most probably meant, if any comes close."""
    from difflib import get_close_matches  # only a mistake pays for this import

    simple = _simple(name)
    by_simple = {_simple(candidate): candidate for candidate in candidates}
    simple = SYNONYMS.get(simple, simple) if simple not in by_simple else simple
    if _simple(simple) in by_simple:
        return by_simple[_simple(simple)]
    begun = [candidate for candidate in by_simple if candidate.startswith(simple)]
    if len(begun) == 1 and len(simple) >= 3:
        return by_simple[begun[0]]
    close = get_close_matches(simple, by_simple, n=1, cutoff=cutoff)
    return by_simple[close[0]] if close else None


def _simple(name: str) -> str:
    return name[:LONGEST].translate(LOOKALIKES).strip().lower().replace("-", "_").replace(" ", "_")


def quoted(name: str) -> str:
    """A column's name, in quotes and in one line."""
    return repr(name) if shown_key(name) == name else shown_key(name)


def listed(names: Iterable[str]) -> str:
    """``'a', 'b', and 3 more``."""
    texts = [quoted(name) for name in names]
    rest = len(texts) - MOST_NAMED
    return ", ".join([*texts[:MOST_NAMED], *([f"and {rest} more"] if rest > 0 else [])])


def subject(noun: str, names: Sequence[str]) -> str:
    """``column 'a' is``, ``columns 'a', 'b' are``."""
    return f"{plural(noun, len(names))} {listed(names)} {'is' if len(names) == 1 else 'are'}"


def plural(noun: str, number: int) -> str:
    """``cells``, ``boxes``, or the noun itself where there is one of it."""
    if number == 1:
        return noun
    return f"{noun}es" if noun.endswith(("s", "x")) else f"{noun}s"


def counted(number: int, noun: str) -> str:
    """``1 cell``, ``2 cells``."""
    return f"{number:,} {plural(noun, number)}"


def duration(seconds: float) -> str:
    """Seconds as text: 0.4 s, 12 s, 3:05, 1:02:09."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def pace(updates_per_second: float) -> str:
    """Updates a second as text; of slow ones the seconds that one takes."""
    if 0 < updates_per_second < 1:
        return f"{duration(1 / updates_per_second)} an update"
    return f"{updates_per_second:,.0f} updates/s"


def cause(error: Exception) -> str:
    """Why something failed, in one line: the system's own words where it is the system's error."""
    text = getattr(error, "strerror", None) or str(error)
    return text.partition("\n")[0] or type(error).__name__


def measurement(value: float | None) -> str:
    """A metric's value as it is shown; None and nan are a value that there is not."""
    if value is None or math.isnan(value):
        return "undefined"
    return f"{value:.6g}" if math.isfinite(value) else "not finite"
