"""Certificates: whole ones are proved again, and no field can be changed without it showing."""

from __future__ import annotations

import copy
import json
import math

import pytest
from flint import arb

from nnintro.formula import parse
from nnintro.proofs.balls import precision
from nnintro.proofs.certificate import CertificateError, of_boxes, of_pieces, seal
from nnintro.proofs.check import check_certificate
from nnintro.proofs.construction import (
    Towers,
    construct_for_error,
    construct_towers,
    construct_with_neurons,
    largest_error,
)
from nnintro.proofs.target import Target, divide
from tests.proofs.formulas import HARD, generated


def certificate(text, error=0.05, domain=(0.0, 1.0), neurons=None):
    target = Target(parse(text, 1), *domain)
    with precision():
        if neurons is None:
            found = construct_for_error(target, error)
        else:
            found = construct_with_neurons(target, neurons)
    return of_pieces(target.formula, domain, found)


def of_two(text="sin(3*x1)*cos(3*x2)", error=0.05):
    formula, domain = parse(text, 2), [(0.0, 1.0), (0.0, 1.0)]
    with precision():
        boxes = divide(formula, domain, 2 * arb(error))
        values = [float((box.least + box.most).mid()) / 2 for box in boxes]
        bound = largest_error(boxes, values) * (1 + 1e-12)
    places = {(i, p) for box in boxes for end in (box.low, box.high) for i, p in enumerate(end)}
    found = of_boxes(formula, domain, Towers(boxes, values, bound))
    assert found["neurons"] == len(places) + len(boxes)
    return found


def check(content, tmp_path):
    path = tmp_path / "certificate.json"
    path.write_text(json.dumps(content))
    return check_certificate(path)


LECTURE = certificate("lecture")


@pytest.mark.parametrize("text", HARD)
def test_hard_formulas_are_proved_again(text, tmp_path):
    check(certificate(text, 0.03, HARD[text]), tmp_path)


@pytest.mark.parametrize("first", range(0, 200, 50))
def test_generated_formulas_are_proved_again(first, tmp_path):
    for number in range(first, first + 50):
        check(certificate(generated(number), 0.02), tmp_path)


def test_what_was_read(tmp_path):
    found = check(LECTURE, tmp_path)
    assert (len(found["pieces"]), found["neurons"]) == (26, 25)
    assert found["bound"] <= 0.05
    best = check(certificate("lecture", neurons=10), tmp_path)
    assert best["fewer"]["pieces"] == 11


@pytest.mark.parametrize("text", ["x1*x2", "sin(3*x1)*cos(3*x2)", "exp(-4*(x1**2 + x2**2))"])
def test_two_inputs(text, tmp_path):
    found = check(of_two(text), tmp_path)
    assert found["bound"] <= 0.05 * (1 + 1e-9)


def test_towers_have_the_boxes_and_values_of_the_division(tmp_path):
    formula, domain = parse("sin(3*x1)*cos(3*x2)", 2), [(0.0, 1.0), (0.0, 1.0)]
    with precision():
        found = construct_towers(formula, domain, 0.05)
    by_hand = of_two()
    written = of_boxes(formula, domain, found)
    assert written["pieces"] == by_hand["pieces"]
    assert by_hand["bound"] <= found.bound <= 0.05
    check(written, tmp_path)


def changed(content, path, change):
    """The certificate with one value, at a path of keys, passed through ``change``."""
    content = copy.deepcopy(content)
    *keys, last = path
    place = content
    for key in keys:
        place = place[key]
    place[last] = change(place[last])
    return content


def leaves(content, path=()):
    items = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in items:
        if isinstance(value, dict | list):
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key), value


def tampered(value):
    if isinstance(value, str):
        return value + " "
    return value + 1 if isinstance(value, int) else math.nextafter(value, math.inf)


def test_any_change_breaks_the_seal(tmp_path):
    for path, _ in leaves(LECTURE):
        with pytest.raises(CertificateError, match=r"format|sha256"):
            check(changed(LECTURE, path, tampered), tmp_path)


def resealed(content):
    return {**content, "sha256": seal(content)}


LIES = {
    "a smaller bound": (("bound",), lambda b: b * 0.999),
    "another formula": (("formula",), lambda f: f.replace("0.4", "0.41")),
    "a formula of other pieces": (("formula",), lambda _: "x"),
    "a wider domain": (("domain", 0, 1), lambda b: b + 0.1),
    "a narrower domain": (("domain", 0, 0), lambda a: a + 0.01),
    "another value": (("pieces", 7, "value"), lambda v: v + 1e-4),
    "a later end": (("pieces", 3, "to"), lambda v: v + 1e-3),
    "fewer neurons": (("neurons",), lambda n: n - 1),
    "a pair too near": (("fewer", "pairs", 4, 1), lambda b: b - 1e-6),
    "a pair that overlaps": (("fewer", "pairs", 4, 0), lambda a: a - 0.01),
    "a larger error of fewer": (("fewer", "error"), lambda e: e * 1.001),
    "more pieces cannot": (("fewer", "pieces"), lambda n: n + 1),
    "no pieces": (("pieces",), lambda _: []),
    "a word for a number": (("pieces", 0, "value"), lambda _: "0.1"),
    "another format": (("format",), lambda _: "nnintro certificate 2"),
}


@pytest.mark.parametrize("lie", LIES)
def test_lies_under_a_fresh_seal(lie, tmp_path):
    content = changed(LECTURE, *LIES[lie])
    if lie == "a smaller bound":  # and consistent with its own words
        content["statement"] = content["statement"].replace(
            repr(LECTURE["bound"]), repr(content["bound"])
        )
    if lie == "a larger error of fewer":
        content["fewer"]["statement"] = content["fewer"]["statement"].replace(
            "0.05", repr(content["fewer"]["error"])
        )
    with pytest.raises(CertificateError):
        check(resealed(content), tmp_path)


def test_boxes_that_overlap_or_leave_gaps(tmp_path):
    whole = of_two("x1*x2")
    check(whole, tmp_path)
    for change in (lambda p: p[1:], lambda p: [*p, p[0]], lambda p: [p[1], *p[1:]]):
        lie = resealed(changed(whole, ("pieces",), change))
        with pytest.raises(CertificateError, match="do not fill"):
            check(lie, tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{", "null", '{"format": 1}', "[" * 100_000])
def test_what_is_no_certificate(text, tmp_path):
    path = tmp_path / "certificate.json"
    path.write_text(text)
    with pytest.raises(CertificateError, match=r"certificate\.json: "):
        check_certificate(path)
    with pytest.raises(CertificateError, match="cannot be read"):
        check_certificate(tmp_path / "none.json")
