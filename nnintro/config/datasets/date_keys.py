"""The key of dataset kind ``table`` that says how its dates are written, and what it may be."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

DAYS = "mdjbBaA"
"""Directives of strptime for the day and the month."""
DIRECTIVES = f"{DAYS}YyHIpMSfz"


def _date_format(form: str) -> str:
    directives = re.findall(r"%(.?)", form.replace("%%", ""), re.DOTALL)
    unknown = [f"%{letter}" for letter in directives if not letter or letter not in DIRECTIVES]
    if unknown:
        raise ValueError(f"{unknown[0]} is not a part of a date; expected a format such as %d.%m.%Y, got {form!r}")
    if len(set(directives)) < len(directives) or (not set(directives) & {*"HI"} and not set(directives) & {*"Yy"}):
        raise ValueError(f"expected a format with a year or an hour, each part once, such as %d.%m.%Y, got {form!r}")
    if set(directives) & {*DAYS} and not set(directives) & {*"Yy"}:
        raise ValueError(f"expected a year (%Y or %y) beside day and month, got {form!r}")
    return form


DateFormat = Annotated[str, Field(min_length=2, max_length=100), AfterValidator(_date_format)]
