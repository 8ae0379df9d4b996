"""The lessons of the lecture's applications: how well anybody could do, computed from the stated formulas."""

from __future__ import annotations

import csv
import functools
import itertools
import re
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtr

import nnintro
from tests.conformance.test_configs import ROOT, header

TABLES = ROOT / "configs/tables"
JETS = ("b_tagging", "tau", "quark_gluon")
LESSONS = (*JETS, "juno", "production", "seismogram")
NEAR = 1.15
"""How many times the bound a lesson's network may err."""


@functools.cache
def table(lesson):
    """Column -> its cells, of the table that a lesson ships with."""
    if (TABLES / f"data/{lesson}.npz").exists():
        with np.load(TABLES / f"data/{lesson}.npz") as arrays:
            return {name: arrays[name].astype(float) for name in arrays.files}
    with (TABLES / f"data/{lesson}.csv").open(encoding="utf-8", newline="") as lines:
        names, *rows = csv.reader(lines)
    columns = {name: np.array(cells) for name, cells in zip(names, zip(*rows, strict=True), strict=True)}
    return {
        name: cells if name in ("date", *TARGETS.values()) else cells.astype(float) for name, cells in columns.items()
    }


def path_of(lesson):
    return TABLES / f"{lesson}.yaml"


def said(lesson):
    """What a lesson's header says: the bound, a single neuron's error and the network's, and its unit."""
    text = " ".join(header(path_of(lesson)))
    found = re.search(
        r"Bound: (error|rmse) (\d+\.\d+).*? a single neuron \(--set model\.hidden=\[\]\)[^.]*? (\d+\.\d+),"
        r" the network (\d+\.\d+)[,.]",
        text,
    )
    assert found, lesson
    return found[1], *map(float, found.groups()[1:])


# --- jets: Bayes' error ------------------------------------------------------------------------


@dataclass(frozen=True)
class Kind:
    """One kind of jet: how often it is met, whether it is what is looked for, and its columns given that."""

    share: float
    wanted: bool
    columns: dict

    def log_density(self, rows):
        with np.errstate(divide="ignore"):
            return np.log(self.share) + sum(
                (law.logpmf if hasattr(law, "logpmf") else law.logpdf)(rows[name]) for name, law in self.columns.items()
            )


def impacts(mean, deviation):
    return {"impact1": stats.norm(mean, deviation), "impact2": stats.norm(mean, deviation)}


ALWAYS_ZERO = stats.rv_discrete(values=([0], [1]))
NONE_FOUND = {"vertex_mass": ALWAYS_ZERO, "fraction": ALWAYS_ZERO}


def b_tagging(given):
    def found(shape, scale, first, second):
        return {"vertex_mass": stats.gamma(shape, scale=scale), "fraction": stats.beta(first, second)}

    return [
        Kind(0.36, True, impacts(5, 3) | found(9, 1 / 3, 6, 3) | {"tracks": stats.poisson(9)}),
        Kind(0.14, True, impacts(1, 1.5) | NONE_FOUND | {"tracks": stats.poisson(8)}),
        Kind(0.08, False, impacts(4, 2.5) | found(30, 0.05, 4, 4) | {"tracks": stats.poisson(7)}),
        Kind(0.06, False, impacts(0.5, 1.3) | NONE_FOUND | {"tracks": stats.poisson(6.5)}),
        Kind(0.12, False, impacts(8, 4) | found(100, 0.005, 3, 4) | {"tracks": stats.poisson(6)}),
        Kind(0.24, False, impacts(0, 1.2) | NONE_FOUND | {"tracks": stats.poisson(6)}),
    ]


def tau(given):
    seen = {1: [0.80, 0.15, 0.05, 0, 0, 0], 3: [0.03, 0.17, 0.72, 0.08, 0, 0], 0: [0.18, 0.26, 0.24, 0.18, 0.09, 0.05]}
    tracks = {prongs: stats.rv_discrete(values=(range(1, 7), shares)) for prongs, shares in seen.items()}
    narrow, wide = stats.lognorm(0.4, scale=3 / given["pt"]), stats.lognorm(0.5, scale=0.08)

    def decay(prongs, first, second):
        core = stats.beta(7, 2)
        return {"tracks": tracks[prongs], "radius": narrow, "electromagnetic": stats.beta(first, second), "core": core}

    jet = {"tracks": tracks[0], "radius": wide, "electromagnetic": stats.beta(3, 5), "core": stats.beta(5, 3)}
    return [
        Kind(0.5 * 0.77 * 0.45, True, decay(1, 2, 12)),
        Kind(0.5 * 0.77 * 0.55, True, decay(1, 6, 6)),
        Kind(0.5 * 0.23, True, decay(3, 2, 8)),
        Kind(0.5, False, jet),
    ]


def quark_gluon(given):
    seen = 7 * np.sqrt(given["pt"] / 50) * np.where(np.abs(given["eta"]) > 2.5, 0.4, 1)

    def columns(more, spread, middle, first, second):
        return {
            "multiplicity": stats.poisson(more * seen),
            "width": stats.lognorm(spread, scale=middle),
            "dispersion": stats.beta(first, second),
        }

    return [Kind(0.5, True, columns(1.5, 0.3, 0.09, 10, 18)), Kind(0.5, False, columns(1, 0.6, 0.06, 5, 7))]


KINDS = {"b_tagging": b_tagging, "tau": tau, "quark_gluon": quark_gluon}
TARGETS = {"b_tagging": "quark", "tau": "particle", "quark_gluon": "parton"}
WANTED = {"b_tagging": "b", "tau": "tau", "quark_gluon": "gluon"}
GIVEN = {
    "b_tagging": {},
    "tau": {"pt": stats.expon(20, 25)},
    "quark_gluon": {"pt": stats.expon(40, 40), "eta": stats.uniform(-4, 8)},
}
"""Columns that are the same for all kinds."""


def probability(lesson, rows):
    """That each row is what is looked for."""
    kinds = KINDS[lesson](rows)
    logs = np.stack([kind.log_density(rows) for kind in kinds])
    each = np.exp(logs - logs.max(0))
    return each[[kind.wanted for kind in kinds]].sum(0) / each.sum(0)


@functools.cache
def bayes_error(lesson, draws=300_000):
    """The mean of min(p, 1 - p) over jets that scipy draws, as many of each kind as its share."""
    random = np.random.default_rng(0)
    wrong = 0.0
    given = {name: law.rvs(size=draws, random_state=random) for name, law in GIVEN[lesson].items()}
    for number, kind in enumerate(KINDS[lesson](given)):
        count = round(draws * kind.share)
        of_these = {name: values[:count] for name, values in given.items()}
        columns = KINDS[lesson](of_these)[number].columns
        rows = of_these | {name: law.rvs(size=count, random_state=random) for name, law in columns.items()}
        p = probability(lesson, rows)
        wrong += kind.share * np.minimum(p, 1 - p).mean()
    return wrong


def jets(lesson):
    """The table's rows, and which of them are what is looked for; shares rounded to 0 or 1 moved inside."""
    rows = dict(table(lesson))
    answers = rows.pop(TARGETS[lesson]) == WANTED[lesson]
    for name in ("electromagnetic", "core", "dispersion"):
        if name in rows:
            rows[name] = np.clip(rows[name], 0.0005, 0.9995)
    if "fraction" in rows:
        rows["fraction"] = np.minimum(rows["fraction"], 0.9995)
    return rows, answers


@pytest.mark.parametrize("lesson", JETS)
def test_bayes_error_is_as_the_lesson_says(lesson):
    unit, bound, *_ = said(lesson)
    assert unit == "error"
    assert 0.1 < bound < 0.25
    assert bound == pytest.approx(bayes_error(lesson), abs=0.001)


@pytest.mark.parametrize("lesson", JETS)
def test_jets_follow_their_formula(lesson):
    rows, answers = jets(lesson)
    kinds = KINDS[lesson](rows)
    n = len(answers)
    assert n == 8000
    assert abs(answers.mean() - 0.5) < 4 * 0.5 / np.sqrt(n)
    p = probability(lesson, rows)
    error = np.mean((p > 0.5) != answers)
    assert abs(error - bayes_error(lesson)) < 4 * np.sqrt(np.minimum(p, 1 - p).mean() / n)
    tenths = np.array_split(np.argsort(p, kind="stable"), 10)
    off = [(answers[k].sum() - p[k].sum()) ** 2 / max(1, (p[k] * (1 - p[k])).sum()) for k in tenths]
    assert sum(off) < stats.chi2(10).ppf(0.9999)
    for name, wanted in itertools.product(kinds[0].columns, (True, False)):
        of_class = [kind for kind in kinds if kind.wanted is wanted]
        shares = np.array([kind.share for kind in of_class]) / sum(kind.share for kind in of_class)
        laws = [kind.columns[name] for kind in of_class]
        means = [np.broadcast_to(law.mean(), n)[answers == wanted] for law in laws]
        squares = [
            np.broadcast_to(law.var(), n)[answers == wanted] + mean**2 for law, mean in zip(laws, means, strict=True)
        ]
        mean, square = (np.tensordot(shares, np.stack(of), 1) for of in (means, squares))
        z = (rows[name][answers == wanted] - mean).sum() / np.sqrt((square - mean**2).sum())
        assert abs(z) < 4, (name, wanted, z)


# --- a reactor's neutrinos: Fisher's information ------------------------------------------------

PRIOR = {"dm2": (700, 800), "sin2": (800, 900)}
ENERGY = 1.81 + 0.005 * (np.arange(1600) + 0.5)
"""Of neutrinos, MeV; four times as fine as the table's."""


@functools.cache
def seen_without_oscillation():
    """(200, energies): events in each bin from neutrinos of each energy."""
    positron = ENERGY - 1.293
    events = np.exp(0.870 - 0.160 * ENERGY - 0.091 * ENERGY**2) * positron * np.sqrt(positron**2 - 0.511**2)
    visible = ENERGY - 0.782
    below = ndtr((1 + 0.03 * np.arange(201)[:, None] - visible) / (0.03 * np.sqrt(visible)))
    return 55_000 * events / events.sum() * np.diff(below, axis=0)


def spectrum(dm2, sin2):
    """(n, 200) means of the counts, and (n, 2, 200) their derivatives by dm2 and sin2."""
    per_unit = 1.267 * 1e-7 * 53_000 / ENERGY
    phase = per_unit * dm2[:, None]
    by_dm2 = -1e-3 * sin2[:, None] * np.sin(2 * phase) * per_unit
    by_sin2 = -1e-3 * np.sin(phase) ** 2
    seen = seen_without_oscillation().T
    return (1 + sin2[:, None] * by_sin2) @ seen, np.stack([by_dm2 @ seen, by_sin2 @ seen], 1)


def variances(jacobian, noise):
    """(n, k) Cramér's and Rao's bound: the diagonal of the inverse of Fisher's information."""
    information = np.einsum("nik,nk,njk->nij", jacobian, 1 / noise, jacobian)
    return np.diagonal(np.linalg.inv(information), axis1=1, axis2=2)


def efficient_errors(jacobian, noise, residual):
    """(n, k) errors of one step of scoring from the truth: their mean square is the bound where the noise is so."""
    information = np.einsum("nik,nk,njk->nij", jacobian, 1 / noise, jacobian)
    score = np.einsum("nik,nk->ni", jacobian, residual / noise)
    return np.linalg.solve(information, score[..., None])[..., 0]


@functools.cache
def juno_bound():
    middles = [low + (high - low) * (np.arange(10) + 0.5) / 10 for low, high in PRIOR.values()]
    dm2, sin2 = (axis.ravel() for axis in np.meshgrid(*middles))
    means, jacobian = spectrum(dm2, sin2)
    return np.sqrt(variances(jacobian, means).mean(0))


def test_the_neutrinos_bound_is_as_the_lesson_says():
    unit, bound, *_ = said("juno")
    assert unit == "rmse"
    each = juno_bound()
    assert bound == pytest.approx(np.sqrt((each**2).mean()), rel=0.005)
    text = " ".join(header(path_of("juno")))
    (numbers,) = re.findall(r"Fisher: (\d\.\d+) of dm2, (\d\.\d+) of sin2", text)
    np.testing.assert_allclose([float(number) for number in numbers], each, atol=0.006)
    dm2, sin2 = np.array([[750.0], [850.0]])
    by_hand = [
        (spectrum(dm2 + a, sin2 + b)[0] - spectrum(dm2 - a, sin2 - b)[0]) / 0.02 for a, b in ((0.01, 0), (0, 0.01))
    ]
    np.testing.assert_allclose(spectrum(dm2, sin2)[1][0], np.concatenate(by_hand), atol=1e-6)


def test_spectra_follow_their_formula():
    rows = table("juno")
    counts = rows["bin"]
    assert counts.shape == (2800, 200)
    for name, (low, high) in PRIOR.items():
        check_even(rows[name], low, high)
    means, jacobian = spectrum(rows["dm2"], rows["sin2"])
    chi_square = ((counts - means) ** 2 / means).sum()
    assert abs(chi_square - counts.size) < 4 * np.sqrt(2 * counts.size + (1 / means).sum())
    check_deviations((counts - means).sum(0) / np.sqrt(means.sum(0)))
    errors = efficient_errors(jacobian, means, counts - means)
    np.testing.assert_allclose(np.sqrt((errors**2).mean(0)), juno_bound(), rtol=4 / np.sqrt(2 * len(counts)))


def check_deviations(z):
    """Standard normal, and as many as there are bins or samples."""
    low, high = stats.chi2(len(z)).ppf([0.0001, 0.9999])
    assert low < (z**2).sum() < high


def check_even(values, low, high):
    assert low <= values.min() <= values.max() <= high
    assert stats.kstest((values - low) / (high - low), "uniform").pvalue > 1e-4


# --- a well: the best forecast from the window --------------------------------------------------

NOISE, WINDOW = 2.0, 14


def declines():
    """D and b of many wells, each as likely as the next."""
    steps = 100, 25
    steep, bend = ((np.arange(count) + 0.5) / count for count in steps)
    steep, bend = np.meshgrid(0.01 * 4**steep, 0.2 + 0.8 * bend)
    return steep.reshape(-1, 1), bend.reshape(-1, 1)


def arps(start, t):
    steep, bend = declines()
    return start * (1 + bend * steep * t) ** (-1 / bend)


def best_forecast(well, row):
    """The mean of the next day's rate, given what the window of the row shows: Bayes' formula over all D and b."""
    if well["planned"][row] > 0:
        return well["planned"][row]
    day = int(well["days"][row])
    known = np.arange(max(0, day - WINDOW + 1), day + 1)
    curves = arps(well["start"][row], np.append(known, day + 1))
    rates = well["rate"][row - len(known) + 1 : row + 1]
    logs = -((rates - curves[:, :-1]) ** 2).sum(1) / (2 * NOISE**2)
    likely = np.exp(logs - logs.max())
    return likely @ curves[:, -1] / likely.sum()


def test_the_best_forecast_errs_as_the_lesson_says():
    unit, bound, *_ = said("production")
    assert unit == "rmse"
    dataset = fitted("production").setup.experiment.dataset
    assert (dataset.window, dataset.horizon) == (WINDOW, 1)
    well = table("production")
    count = len(fitted("production").validation)
    rows = np.arange(len(well["rate"]) - count - 1, len(well["rate"]) - 1)
    forecast = np.array([best_forecast(well, row) for row in rows])
    assert bound == pytest.approx(np.sqrt(((forecast - well["rate"][rows + 1]) ** 2).mean()), abs=0.006)
    assert 1 < bound / NOISE < NEAR
    naive = np.sqrt(((well["rate"][rows] - well["rate"][rows + 1]) ** 2).mean())
    (number,) = re.findall(r"naive forecast[^.]*? rmse (\d+\.\d+)", " ".join(header(path_of("production"))))
    assert float(number) == pytest.approx(naive, abs=0.006)


def test_the_well_follows_its_formula():
    well = table("production")
    begins = np.flatnonzero(well["days"] == 0)
    assert begins[0] == 0
    lengths = np.diff(begins)
    assert lengths.min() >= 40
    assert lengths.max() <= 80
    np.testing.assert_array_equal(well["planned"][begins[1:] - 1], well["start"][begins[1:]])
    assert np.count_nonzero(well["planned"]) == len(lengths)
    off = 0.0
    for begin, end in zip(begins, np.append(begins[1:], len(well["days"])), strict=True):
        np.testing.assert_array_equal(well["days"][begin:end], np.arange(end - begin))
        curves = arps(well["start"][begin], np.arange(end - begin))
        off += ((well["rate"][begin:end] - curves) ** 2).sum(1).min() / NOISE**2
    expected = len(well["days"]) - 2 * len(begins)  # the closest D and b take a degree of freedom each
    assert abs(off - expected) < 4 * np.sqrt(2 * expected)
    assert well["rate"].min() > 0


# --- layers: Fisher's information ---------------------------------------------------------------

LAYERS = np.array([[1500, 1700], [2000, 2400], [2800, 3200], [3600, 4400]])


def seismograms(v):
    """(n, 50) traces without noise of velocities (n, 4)."""
    trace = np.zeros((len(v), 50))
    down = np.zeros(len(v))
    for upper, lower in itertools.pairwise(range(4)):
        down = down + 100 / v[:, upper]
        late = 0.08 + 0.006 * np.arange(50) - 2 * down[:, None]
        squared = (np.pi * 20 * late) ** 2
        strength = (v[:, lower] - v[:, upper]) / (v[:, lower] + v[:, upper])
        trace += strength[:, None] * (1 - 2 * squared) * np.exp(-squared)
    return trace


def slopes(v):
    """(n, 4, 50) derivatives of the traces by central differences."""
    return np.stack([(seismograms(v + step) - seismograms(v - step)) / 0.2 for step in 0.1 * np.eye(4)], 1)


@functools.cache
def layers_bound():
    v = np.random.default_rng(0).uniform(*LAYERS.T, (20_000, 4))
    return np.sqrt(variances(slopes(v), np.full((len(v), 50), 0.01**2)).mean(0))


def test_the_layers_bound_is_as_the_lesson_says():
    unit, bound, *_ = said("seismogram")
    assert unit == "rmse"
    each = layers_bound()
    assert bound == pytest.approx(np.sqrt((each**2).mean()), rel=0.01)
    text = " ".join(header(path_of("seismogram")))
    (numbers,) = re.findall(r"Fisher: (\d+\.\d), (\d+\.\d), (\d+\.\d) and (\d+\.\d)", text)
    np.testing.assert_allclose([float(number) for number in numbers], each, rtol=0.02)


def test_seismograms_follow_their_formula():
    rows = table("seismogram")
    v = np.stack([rows[f"v{k}"] for k in range(1, 5)], 1)
    assert v.shape == (5000, 4)
    for values, (low, high) in zip(v.T, LAYERS, strict=True):
        check_even(values, low, high)
    residual = 0.002 * rows["trace"] - seismograms(v)
    noise = np.full(residual.shape, 0.01**2 + 0.002**2 / 12)  # the rounding's too
    chi_square = (residual**2 / noise).sum()
    assert abs(chi_square - residual.size) < 4 * np.sqrt(2 * residual.size)
    check_deviations(residual.sum(0) / np.sqrt(noise.sum(0)))
    errors = efficient_errors(slopes(v), noise, residual)
    np.testing.assert_allclose(np.sqrt((errors**2).mean(0)), layers_bound(), rtol=0.05)


# --- the networks ------------------------------------------------------------------------------


@functools.cache
def fitted(lesson, *overrides):
    return nnintro.fit(path_of(lesson), overrides)


def error(lesson, *overrides):
    metrics = fitted(lesson, *overrides).metrics
    return 1 - metrics["validation/accuracy"] if lesson in JETS else metrics["validation/rmse"]


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_network_comes_near_the_bound_and_a_neuron_does_not(lesson):
    _, bound, neuron, network = said(lesson)
    assert error(lesson) < NEAR * bound
    (measured,) = re.findall(r"Measured: validation/(?:accuracy|rmse) (\d+\.\d+)", " ".join(header(path_of(lesson))))
    measured = 1 - float(measured) if lesson in JETS else float(measured)
    assert error(lesson) == pytest.approx(measured, rel=0.05)  # other machines round otherwise
    assert network < NEAR * bound < neuron
    assert error(lesson, "model.hidden=[]") > NEAR * bound
    assert fitted(lesson).seconds < 30  # 5 on two idle cores


# --- the lecture's list ------------------------------------------------------------------------

PAGE = ROOT / "docs/applications.md"


def test_the_list_has_a_config_or_a_reason_for_each_application():
    page = PAGE.read_text(encoding="utf-8")
    rows = [line.strip("|").split("|") for line in page.splitlines() if line.startswith("|")]
    assert [cell.strip() for cell in rows[0]] == ["application", "config or why not"]
    rows = [[cell.strip() for cell in row] for row in rows[2:]]
    assert len(rows) == 25
    assert {len(row) for row in rows} == {2}
    assert len({application for application, _ in rows}) == 25
    answers = [answer for _, answer in rows]
    reasons = [answer for answer in answers if not re.match(r"\[\w+\]\(\S+\.yaml\)", answer)]
    assert len(reasons) == 11
    assert sum(reason.startswith("Not yet: needs ") for reason in reasons) == 7
    assert sum(reason.startswith("Not at this size: ") for reason in reasons) == 4
    assert min(len(reason) for reason in reasons) > 80
    links = re.findall(r"\[(\w+)\]\((\S+\.yaml)\)", page)
    for name, link in links:
        assert (PAGE.parent / link).is_file(), link
        assert link.endswith(f"/{name}.yaml")
    named = {(PAGE.parent / link).resolve() for _, link in links}
    assert set(TABLES.glob("*.yaml")) <= named
