"""Writes the tables beside it: made up by formulas, the same bytes each time.

    python configs/tables/data/make.py [FOLDER]

Nothing in them was measured by anybody.  Each function below says by which formula its table comes
about; ``random`` is numpy's generator with a fixed seed, one for each table.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Row = Sequence[object]
Rows = list[Row]
"""The header, then a row for each sample."""


# --- series over time --------------------------------------------------------------------------


def sales(random: np.random.Generator) -> Rows:
    """Daily sales of a shop over four years.

    sales = (200 + 0.05 day) weekday season (1 + 0.5 promotion) + drift + noise, where weekday is
    one of seven factors from 0.7 to 1.5, season = 1 + 0.25 cos(2 pi (day + 20) / 365.25), drift is
    an autoregression of coefficient 0.9 and deviation 12, and noise has deviation 12.  A promotion
    of one to four days begins on 5 days in 100.  ``planned_promotion`` is the promotion of a week
    later, which a shop knows ahead.
    """
    days, ahead = 1461, 7
    weekday = np.array([0.75, 0.7, 0.8, 0.95, 1.25, 1.5, 1.05])
    promotion = np.zeros(days + ahead, int)
    for day in np.flatnonzero(random.random(days + ahead) < 0.05):
        promotion[day : day + random.integers(1, 5)] = 1
    drift = autoregression([0.9], 12 * np.sqrt(1 - 0.9**2), days, random)
    day = np.arange(days)
    season = 1 + 0.25 * np.cos(2 * np.pi * (day + 20) / 365.25)
    usual = (200 + 0.05 * day) * weekday[day % 7] * season
    sold = usual * (1 + 0.5 * promotion[:days]) + drift + random.normal(0, 12, days)
    columns = zip(promotion[:days], promotion[ahead:], np.rint(sold).astype(int), strict=True)
    return [
        ("date", "promotion", "planned_promotion", "sales"),
        *((dated(date(2018, 1, 1), i), *row) for i, row in enumerate(columns)),
    ]


def weather(random: np.random.Generator) -> Rows:
    """A weather-like series of six years: temperature (deg C), pressure (hPa), humidity (%).

    Pressure is 1013 + 8 p, p an autoregression of coefficients 1.1 and -0.35.  The temperature is
    10 - 9 winter + u, winter = cos(2 pi (day - 15) / 365.25), where u of tomorrow is
    0.75 u - 1.5 (p - p of yesterday) - 1.2 max(p, 0) winter + noise of deviation 1.2: a fall of the
    pressure brings milder air, a high cools the winter and warms the summer.  Humidity is
    75 - 8 p - 0.8 u + noise of deviation 5, between 10 and 100.
    """
    days = 6 * 365
    p = autoregression([1.1, -0.35], 0.55, days, random)
    winter = np.cos(2 * np.pi * (np.arange(days) - 15) / 365.25)
    u = np.zeros(days)
    for day in range(1, days - 1):
        pull = -1.5 * (p[day] - p[day - 1]) - 1.2 * max(p[day], 0.0) * winter[day]
        u[day + 1] = 0.75 * u[day] + pull + random.normal(0, 1.2)
    humidity = np.clip(75 - 8 * p - 0.8 * u + random.normal(0, 5, days), 10, 100)
    columns = (10 - 9 * winter + u, 1013 + 8 * p, humidity)
    rows = zip(*(decimals(column, 1) for column in columns), strict=True)
    return [
        ("date", "temperature", "pressure", "humidity"),
        *((dated(date(2015, 1, 1), i), *row) for i, row in enumerate(rows)),
    ]


# --- words -------------------------------------------------------------------------------------

THINGS = {
    "restaurant": ["food", "service", "soup", "waiter", "menu", "dessert"],
    "hotel": ["room", "breakfast", "staff", "bed", "view", "pool"],
    "film": ["story", "cast", "ending", "music", "dialogue", "plot"],
    "phone": ["battery", "screen", "camera", "sound", "keyboard", "design"],
}
GOOD = ["good", "great", "lovely", "excellent", "charming", "superb"]
BAD = ["bad", "awful", "boring", "terrible", "disappointing", "dreadful"]
OPENINGS = ["", "Honestly,", "In short,", "We went there in May and", "After a week:", "My view:"]
CLAUSES = ["the {thing} was {word}", "the {thing} seemed {word}", "I found the {thing} {word}"]
NEGATED = ["the {thing} was not {word}", "the {thing} was never {word}", "I did not find the {thing} {word}"]
CLOSINGS = {1: ["would come again", "recommended"], -1: ["a waste of money", "never again"]}


def sentiment(random: np.random.Generator) -> Rows:
    """1,800 different short reviews put together from templates, positive or negative.

    One or two clauses praise or blame a thing; each is of the review's own opinion with
    probability 0.9, and says it by negating the opposite word with probability 0.3 ("was not
    bad").  A clear closing follows one review in four.
    """
    found: dict[str, str] = {}
    while len(found) < 1800:
        opinion = 1 if random.random() < 0.5 else -1
        things = list(THINGS.values())[random.integers(len(THINGS))]
        chosen = random.permutation(things)[: random.integers(1, 3)]
        clauses = [clause(str(thing), opinion, random) for thing in chosen]
        text = f"{one_of(OPENINGS, random)} {' and '.join(clauses)}".strip()
        if random.random() < 0.25:
            text += f"; {one_of(CLOSINGS[opinion], random)}"
        found[f"{text[0].upper()}{text[1:]}."] = "positive" if opinion > 0 else "negative"
    return [("review", "sentiment"), *found.items()]


def clause(thing: str, opinion: int, random: np.random.Generator) -> str:
    """What a review says of one thing."""
    said = opinion if random.random() < 0.9 else -opinion
    negated = random.random() < 0.3
    words = GOOD if (said > 0) is not negated else BAD
    template = one_of(NEGATED if negated else CLAUSES, random)
    return template.format(thing=thing, word=one_of(words, random))


def dna(random: np.random.Generator) -> Rows:
    """750 sequences of 40 bases, written as their overlapping words of 4 letters.

    The bases are equally likely.  A promoter has TTGACA within its first 14 bases and TATAAT within
    its last 14, each base of the two drawn anew with probability 0.04.  Of the other sequences half
    have one of the two motifs, half none.
    """
    rows: Rows = [("sequence", "promoter")]
    for _ in range(750):
        bases = random.choice(list("ACGT"), 40)
        promoter = random.random() < 0.5
        one = None if promoter or random.random() < 0.5 else random.integers(2)
        for index, motif in enumerate(("TTGACA", "TATAAT")):
            if promoter or one == index:
                letters = np.array(list(motif))
                mutated = random.random(6) < 0.04
                letters[mutated] = random.choice(list("ACGT"), int(mutated.sum()))
                start = int(random.integers(9)) + 26 * index
                bases[start : start + 6] = letters
        text = "".join(bases)
        words = " ".join(text[i : i + 4] for i in range(len(text) - 3))
        rows.append((words, "yes" if promoter else "no"))
    return rows


# --- science -----------------------------------------------------------------------------------


def collisions(random: np.random.Generator) -> Rows:
    """2,000 simulated collisions with two photons; 15 in 100 come from a particle of 125 GeV.

    A pair of mass m, whose transverse momentum is exponential with mean 40 GeV, decays into two
    photons of random direction in its own frame, and is seen from the laboratory.  Signal: m normal
    around 125, deviation 2; background: m between 100 and 160, falling as exp(-m / 30).  Each
    photon's transverse momentum (pt, GeV) is measured to 2 in 100; eta is its pseudorapidity, phi
    its angle around the beam.  ``missing_et`` is exponential with mean 20 GeV and says nothing,
    ``jets`` is Poisson with mean 1.5 for signal and 1 for background.  ``mass`` is the invariant
    mass of what was measured: m^2 = 2 pt1 pt2 (cosh(eta1 - eta2) - cos(phi1 - phi2)).
    """
    n = 2000
    signal = random.random(n) < 0.15
    first, last = np.exp(-100 / 30), np.exp(-160 / 30)
    background = -30 * np.log(first - random.random(n) * (first - last))
    mass = np.where(signal, random.normal(125, 2, n), background)
    photons = map(directions, decayed(mass, random))
    pt, eta, phi = (np.stack(part) for part in zip(*photons, strict=True))
    pt *= random.normal(1, 0.02, pt.shape)
    seen = np.sqrt(2 * pt[0] * pt[1] * (np.cosh(eta[0] - eta[1]) - np.cos(phi[0] - phi[1])))
    jets = random.poisson(np.where(signal, 1.5, 1.0))
    missing = random.exponential(20, n)
    texts = [decimals(photon, digits) for part, digits in ((pt, 1), (eta, 2), (phi, 2))
             for photon in part]  # fmt: skip
    texts += [decimals(missing, 1), [str(count) for count in jets], decimals(seen, 1)]
    names = ("pt1", "pt2", "eta1", "eta2", "phi1", "phi2", "missing_et", "jets", "mass", "kind")
    kinds = ["signal" if is_signal else "background" for is_signal in signal]
    return [names, *zip(*texts, kinds, strict=True)]


def decayed(mass: Array, random: np.random.Generator) -> list[Array]:
    """Momenta (3, n) of the two photons of pairs of these masses, in the laboratory."""
    n = len(mass)
    cosine, angle = random.uniform(-1, 1, n), random.uniform(-np.pi, np.pi, n)
    sine = np.sqrt(1 - cosine**2)
    unit = np.stack([sine * np.cos(angle), sine * np.sin(angle), cosine])
    pt, around = random.exponential(40, n), random.uniform(-np.pi, np.pi, n)
    along = random.normal(0, 60, n)
    pair = np.stack([pt * np.cos(around), pt * np.sin(around), along])
    energy = np.sqrt(mass**2 + (pair**2).sum(0))
    return [boosted(mass / 2 * unit * sign, mass / 2, pair, energy, mass) for sign in (1, -1)]


def boosted(p: Array, e: Array, pair: Array, energy: Array, mass: Array) -> Array:
    """A momentum (3, n) of the pair's own frame, seen where the pair moves (Lorentz's formula)."""
    product: Array = (pair * p).sum(0)
    result: Array = p + pair * (product / (mass * (energy + mass)) + e / mass)
    return result


def directions(p: Array) -> tuple[Array, Array, Array]:
    """Transverse momentum, pseudorapidity and angle of momenta (3, n)."""
    pt = np.hypot(p[0], p[1])
    return pt, np.arcsinh(p[2] / pt), np.arctan2(p[1], p[0])


FAMILIES = {"neutral": 0.0, "acid": 0.4, "base": 0.6, "salt": 1.6}


def solubility(random: np.random.Generator) -> Rows:
    """1,200 made-up compounds: descriptors, and the logarithm of the solubility in water (mol/l).

    log_solubility = 0.16 - 0.63 log_p - 0.0062 weight + 0.066 rotatable_bonds - 0.74 aromatic
    (the equation of Delaney, 2004) + a constant of the family - 0.008 max(melting_point - 100, 0)
    - 0.8 max(log_p - 3, 0) where the family is acid or neutral + noise of deviation 0.3; all but
    Delaney's part is made up.  ``donors`` means nothing.
    """
    n = 1200
    weight = np.clip(random.gamma(9, 35, n), 60, 800)
    log_p = np.clip(random.normal(0.5 + 0.006 * weight, 1.4), -3, 8)
    rotatable = random.poisson(weight / 60)
    aromatic = np.where(random.random(n) < 0.25, 0.0, random.beta(3, 3, n))
    melting = np.clip(random.normal(60 + 0.3 * weight, 60), -80, 350)
    donors = random.poisson(1.5, n)
    family = random.choice(list(FAMILIES), n, p=[0.45, 0.25, 0.2, 0.1])
    value = 0.16 - 0.63 * log_p - 0.0062 * weight + 0.066 * rotatable - 0.74 * aromatic
    value += np.array([FAMILIES[name] for name in family]) - 0.008 * np.maximum(melting - 100, 0)
    value -= 0.8 * np.maximum(log_p - 3, 0) * np.isin(family, ["acid", "neutral"])
    value += random.normal(0, 0.3, n)
    texts = [decimals(weight, 1), decimals(log_p, 2), rotatable, decimals(aromatic, 2)]
    texts += [decimals(melting, 0), donors, family, decimals(value, 2)]
    names = ("weight", "log_p", "rotatable_bonds", "aromatic", "melting_point", "donors", "family")
    return [(*names, "log_solubility"), *zip(*texts, strict=True)]


# --- people ------------------------------------------------------------------------------------


def readmission(random: np.random.Generator) -> Rows:
    """1,800 hospital stays of 150 made-up patients, and whether each came back within 30 days.

    A patient has an age, a height, a weight, a blood pressure and a frailty of their own (normal,
    deviation 2, written down nowhere); a stay has a ward, a number of days, a number of medicines
    and a laboratory value.  The logarithm of the odds is -2.4 + frailty + 0.05 (age - 60)
    + 0.12 days + a constant of the ward + 0.8 (laboratory - 1), or + 1 where no laboratory value
    was taken, which is so in a third of the stays.  The blood pressure is missing in one stay of
    ten, whoever it is.
    """
    wards = {"surgery": 0.0, "medicine": 0.4, "geriatrics": 0.8, "cardiology": 0.6}
    header = "patient,age,height,weight,pressure,ward,days,medicines,laboratory,readmitted"
    rows: Rows = [header.split(",")]
    for patient in range(150):
        age, height = int(random.integers(25, 95)), int(random.normal(170, 10))
        weight, pressure = int(random.normal(75, 13)), int(random.normal(130, 14))
        frailty = random.normal(0, 2)
        for _ in range(12):
            ward = one_of(list(wards), random)
            days, medicines = 1 + int(random.poisson(4)), int(random.poisson(5))
            taken = random.random() > 1 / 3
            laboratory = random.gamma(4, 0.25)
            odds = -2.4 + frailty + 0.05 * (age - 60) + 0.12 * days + wards[ward]
            odds += 0.8 * (laboratory - 1) if taken else 1.0
            again = random.random() < 1 / (1 + np.exp(-odds))
            measured = "" if random.random() < 0.1 else pressure
            value = f"{laboratory:.2f}" if taken else ""
            stay = (measured, ward, days, medicines, value, "yes" if again else "no")
            rows.append((f"P{patient:03}", age, height, weight, *stay))
    return rows


# --- what they share ---------------------------------------------------------------------------


def autoregression(coefficients: Sequence[float], noise: float, count: int, random: np.random.Generator) -> Array:
    """x_t = sum_k c_k x_(t-k) + noise, after 200 steps from rest."""
    order = len(coefficients)
    x = np.zeros(count + 200)
    pushes = random.normal(0, noise, len(x))
    for t in range(order, len(x)):
        x[t] = sum(c * x[t - 1 - k] for k, c in enumerate(coefficients)) + pushes[t]
    return x[200:]


def dated(first: date, days: int) -> str:
    return (first + timedelta(days)).isoformat()


def decimals(values: Array, digits: int) -> list[str]:
    """So few that the last bits of a machine's logarithm cannot be seen."""
    return [f"{value:.{digits}f}" for value in values]


def one_of(things: Sequence[str], random: np.random.Generator) -> str:
    return things[int(random.integers(len(things)))]


TABLES: dict[str, Callable[[np.random.Generator], Iterable[Row]]] = {
    "sales": sales,
    "weather": weather,
    "sentiment": sentiment,
    "dna": dna,
    "collisions": collisions,
    "solubility": solubility,
    "readmission": readmission,
}


def write(folder: Path) -> None:
    """All tables as CSV, their lines ended alike everywhere."""
    for seed, (name, made) in enumerate(TABLES.items()):
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(made(np.random.default_rng(seed)))


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
