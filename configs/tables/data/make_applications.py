"""Writes the tables of the lecture's applications in science: made up by formulas, as make.py's are.

    python configs/tables/data/make_applications.py [FOLDER]

Nothing in them was measured by anybody.  Each function says by which formula its table comes about,
so plainly that the best possible answer can be computed: of jets the probability of each class, of
spectra, wells and seismograms how far anybody's estimate is from the truth.  ``random`` is numpy's
generator with the seed beside the function in SEEDS.
"""

from __future__ import annotations

import csv
import math
import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Columns = dict[str, Any]
"""Name -> a list of cells, or of an .npz an array."""
Generator = np.random.Generator


# --- jets --------------------------------------------------------------------------------------


def b_tagging(random: Generator) -> Columns:
    """8,000 jets: half come from b quarks, the rest from charm and light quarks.

    A jet is one of six kinds, and its columns are independent within a kind:

    kind                         share   impact      vertex_mass        fraction    tracks
    b, vertex found              0.36    N(5, 3)     gamma(9, 1/3)      beta(6, 3)  9
    b, none found                0.14    N(1, 1.5)   0                  0           8
    charm, vertex found          0.08    N(4, 2.5)   gamma(30, 1/20)    beta(4, 4)  7
    charm, none found            0.06    N(0.5, 1.3) 0                  0           6.5
    light, with a long-lived K   0.12    N(8, 4)     gamma(100, 1/200)  beta(3, 4)  6
    light, without               0.24    N(0, 1.2)   0                  0           6

    ``impact1`` and ``impact2`` (both drawn as ``impact``) are the distances of two tracks from the
    collision over their errors, ``vertex_mass`` is in GeV, ``fraction`` the share of the jet's
    energy at the vertex, ``tracks`` is Poisson of that mean.  N(mean, deviation),
    gamma(shape, scale).
    """
    n = 8000
    kind = random.choice(6, n, p=[0.36, 0.14, 0.08, 0.06, 0.12, 0.24])
    mean = np.array([5, 1, 4, 0.5, 8, 0])[kind]
    deviation = np.array([3, 1.5, 2.5, 1.3, 4, 1.2])[kind]
    impacts = [random.normal(mean, deviation) for _ in range(2)]
    found = kind % 2 == 0
    shape, scale = np.array([9, 30, 100])[kind // 2], np.array([1 / 3, 1 / 20, 1 / 200])[kind // 2]
    mass = np.where(found, random.gamma(shape, scale), 0)
    first, second = np.array([6, 4, 3])[kind // 2], np.array([3, 4, 4])[kind // 2]
    fraction = np.where(found, random.beta(first, second), 0)
    tracks = random.poisson(np.array([9, 8, 7, 6.5, 6, 6])[kind])
    return {
        "impact1": decimals(impacts[0], 2),
        "impact2": decimals(impacts[1], 2),
        "vertex_mass": decimals(mass, 2),
        "fraction": decimals(fraction, 3),
        "tracks": tracks,
        "quark": np.where(kind < 2, "b", "other"),
    }


def tau(random: Generator) -> Columns:
    """8,000 narrow jets: half are decays of a tau, into one charged particle or three.

    77 of 100 taus have one prong.  The number of tracks that are seen is 1 to 6 with probability

    one prong    0.80 0.15 0.05 0    0    0
    three        0.03 0.17 0.72 0.08 0    0
    jet          0.18 0.26 0.24 0.18 0.09 0.05

    ``pt`` (GeV) is 20 + an exponential of mean 25 for all.  The logarithm of ``radius`` is normal
    of deviation 0.4 around log(3 / pt) for a tau, which is the narrower the faster it is, and of
    deviation 0.5 around log(0.08) for a jet.  ``electromagnetic``, the share of energy of neutral
    pions, is beta(2, 12) in 45 and beta(6, 6) in 55 of 100 one-prong decays, beta(2, 8) for three
    prongs, beta(3, 5) for jets.  ``core``, the share in the inner cone, is beta(7, 2) for taus and
    beta(5, 3) for jets.
    """
    n = 8000
    kind = random.choice(3, n, p=[0.385, 0.115, 0.5])
    seen = np.array([
        [0.80, 0.15, 0.05, 0, 0, 0],
        [0.03, 0.17, 0.72, 0.08, 0, 0],
        [0.18, 0.26, 0.24, 0.18, 0.09, 0.05],
    ])  # fmt: skip
    tracks = 1 + (random.random(n)[:, None] > seen.cumsum(1)[kind, :5]).sum(1)
    pt = 20 + random.exponential(25, n)
    radius = np.exp(random.normal(np.where(kind == 2, np.log(0.08), np.log(3 / pt)), np.where(kind == 2, 0.5, 0.4)))
    neutral = (kind == 0) & (random.random(n) < 0.55)
    first = np.where(neutral, 6, np.array([2, 2, 3])[kind])
    second = np.where(neutral, 6, np.array([12, 8, 5])[kind])
    electromagnetic = random.beta(first, second)
    core = random.beta(np.array([7, 7, 5])[kind], np.array([2, 2, 3])[kind])
    return {
        "pt": decimals(pt, 1),
        "tracks": tracks,
        "radius": decimals(radius, 4),
        "electromagnetic": decimals(electromagnetic, 3),
        "core": decimals(core, 3),
        "particle": np.where(kind < 2, "tau", "jet"),
    }


def quark_gluon(random: Generator) -> Columns:
    """8,000 jets, half from quarks, half from gluons, which radiate more.

    ``pt`` (GeV) is 40 + an exponential of mean 40, ``eta`` even between -4 and 4, for both.
    ``multiplicity`` is Poisson of mean 7 sqrt(pt / 50) for a quark and 1.5 times that for a gluon;
    beyond abs(eta) = 2.5, where no tracker is, 0.4 times as much.  The logarithm of ``width`` is
    normal: around log(0.06), deviation 0.6 (quark), around log(0.09), deviation 0.3 (gluon).
    ``dispersion``, the root of the sum of the squared shares of momentum, is beta(5, 7) for a quark
    and beta(10, 18) for a gluon.
    """
    n = 8000
    gluon = random.random(n) < 0.5
    pt, eta = 40 + random.exponential(40, n), random.uniform(-4, 4, n)
    mean = 7 * np.sqrt(pt / 50) * np.where(gluon, 1.5, 1) * np.where(np.abs(eta) > 2.5, 0.4, 1)
    multiplicity = random.poisson(mean)
    width = np.exp(random.normal(np.log(np.where(gluon, 0.09, 0.06)), np.where(gluon, 0.3, 0.6)))
    dispersion = random.beta(np.where(gluon, 10, 5), np.where(gluon, 18, 7))
    return {
        "pt": decimals(pt, 1),
        "eta": decimals(eta, 2),
        "multiplicity": multiplicity,
        "width": decimals(width, 4),
        "dispersion": decimals(dispersion, 3),
        "parton": np.where(gluon, "gluon", "quark"),
    }


# --- neutrinos ---------------------------------------------------------------------------------


def juno(random: Generator) -> Columns:
    """2,800 energy spectra of reactor antineutrinos 53 km away, and the two numbers behind each.

    ``dm2`` is even between 700 and 800 (1e-7 eV^2), ``sin2`` (of twice the mixing angle, in
    thousandths) between 800 and 900.  A spectrum is 200 counts of the visible energy from 1 to
    7 MeV, each Poisson; their means are the sum over neutrino energies E (MeV) of

    - the spectrum of uranium-235, exp(0.870 - 0.160 E - 0.091 E^2) (Vogel and Engel, 1989),
    - times the cross section of inverse beta decay, e sqrt(e^2 - 0.511^2) with e = E - 1.293,
    - scaled to 55,000 events without oscillation,
    - times the survival 1 - sin2 sin(1.267 dm2 53000 / E)^2, dm2 in eV^2,
    - seen at E - 0.782, blurred by a normal of deviation 0.03 sqrt(E - 0.782).
    """
    n, step = 2800, 0.02
    energy = 1.81 + step * (np.arange(400) + 0.5)
    positron = energy - 1.293
    rate = np.exp(0.870 - 0.160 * energy - 0.091 * energy**2) * positron * np.sqrt(positron**2 - 0.511**2)
    rate *= 55_000 / rate.sum()
    visible = energy - 0.782
    edges = np.linspace(1, 7, 201)
    below = np.vectorize(math.erf)((edges[:, None] - visible) / (0.03 * np.sqrt(2 * visible)))
    response = rate * np.diff(below, axis=0) / 2
    dm2, sin2 = random.uniform(700, 800, n), random.uniform(800, 900, n)
    phase = 1.267 * 53_000 * 1e-7 * dm2[:, None] / energy
    survival = 1 - 1e-3 * sin2[:, None] * np.sin(phase) ** 2
    means = np.round(survival @ response.T, 4)  # the last bits of a machine's sine cannot be seen
    return {
        "bin": random.poisson(means).astype(np.uint8),
        "dm2": np.round(dm2, 2).astype(np.float32),
        "sin2": np.round(sin2, 2).astype(np.float32),
    }


# --- under the ground --------------------------------------------------------------------------


def production(random: Generator) -> Columns:
    """6,000 days of an oil well that is worked over every 40 to 80 days, and declines in between.

    Between two workovers it produces ``start`` / (1 + b D t)^(1 / b) barrels on day t (Arps, 1945),
    of which noise of deviation 2 is measured besides.  ``start`` is what the workover was designed
    for, 80 to 120 barrels, ``days`` is t, and ``planned`` is the design of the next day's workover,
    0 on other days.  What nobody writes down: D, the logarithm of it even between those of 0.01 and
    0.04, and b, even between 0.2 and 1, both anew with each workover.
    """
    n = 6000
    start, days = np.zeros(n + 1), np.zeros(n + 1, int)
    true, begin = np.zeros(n + 1), 0
    while begin <= n:
        length = random.integers(40, 81)
        design = random.integers(80, 121)
        steep, b = np.exp(random.uniform(np.log(0.01), np.log(0.04))), random.uniform(0.2, 1)
        t = np.arange(min(length, n + 1 - begin))
        here = slice(begin, begin + len(t))
        start[here], days[here] = design, t
        true[here] = design / (1 + b * steep * t) ** (1 / b)
        begin += length
    rate = true[:n] + random.normal(0, 2, n)
    planned = np.where(days[1:] == 0, start[1:], 0)
    return {
        "date": [(date(2008, 1, 1) + timedelta(int(day))).isoformat() for day in range(n)],
        "start": start[:n].astype(int),
        "days": days[:n],
        "planned": planned.astype(int),
        "rate": decimals(rate, 1),
    }


def seismogram(random: Generator) -> Columns:
    """5,000 seismograms of four layers, and the velocities (m/s) of sound in them.

    Three layers of 100 m lie on a half-space; the velocities v1 to v4 are even between 1500 and
    1700, 2000 and 2400, 2800 and 3200, 3600 and 4400.  From each interface comes a reflection, of
    (v2 - v1) / (v2 + v1) and so on, after the time down and up through the layers above it.  The
    trace is the sum of a Ricker wavelet of 20 Hz,
    (1 - 2 a) exp(-a) with a = (pi 20 t)^2, for each, and noise of deviation 0.01, at 50
    times from 0.08 s on, 6 ms apart.  ``trace`` is it in units of 0.002, rounded.
    """
    n = 5000
    low, high = np.array([[1500, 2000, 2800, 3600], [1700, 2400, 3200, 4400]])
    v = random.uniform(low, high, (n, 4))
    arrival = np.cumsum(2 * 100 / v[:, :3], 1)
    reflected = np.diff(v, axis=1) / (v[:, 1:] + v[:, :-1])
    time = 0.08 + 0.006 * np.arange(50)
    a = (np.pi * 20 * (time - arrival[..., None])) ** 2
    trace = (reflected[..., None] * (1 - 2 * a) * np.exp(-a)).sum(1)
    trace += random.normal(0, 0.01, trace.shape)
    return {
        "trace": np.rint(500 * trace).astype(np.int8),
        **{f"v{k + 1}": np.rint(v[:, k]).astype(np.uint16) for k in range(4)},
    }


# --- what they share ---------------------------------------------------------------------------


def decimals(values: Array, digits: int) -> list[str]:
    """So few that the last bits of a machine's logarithm cannot be seen."""
    return [f"{value:.{digits}f}" for value in values]


SEEDS: dict[str, tuple[Callable[[Generator], Columns], int]] = {
    "b_tagging.csv": (b_tagging, 11),
    "tau.csv": (tau, 12),
    "quark_gluon.csv": (quark_gluon, 13),
    "juno.npz": (juno, 14),
    "production.csv": (production, 15),
    "seismogram.npz": (seismogram, 16),
}
"""File -> its function and its seed."""


def write(folder: Path) -> None:
    """All tables, their lines ended alike everywhere."""
    for name, (made, seed) in SEEDS.items():
        columns = made(np.random.default_rng(seed))
        if name.endswith(".npz"):
            np.savez(folder / name, **columns)
            continue
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(columns)
            rows.writerows(zip(*columns.values(), strict=True))


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
