"""5,000 generated configs: each is a valid experiment or a ConfigError, at once."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings

from nnintro.config.datasets import function
from nnintro.config.experiment import as_values, smoke
from nnintro.config.load import Config, load_config
from nnintro.config.parse import yaml_text
from nnintro.config.parse.nodes import Place, plain
from nnintro.config.write import as_yaml
from nnintro.errors import ConfigError
from tests.config import config_strategies as generated
from tests.config.bad_configs import CASES

SLOWEST = 2.0
"""Seconds of a processor for one config."""

hard = settings(database=None, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module", autouse=True)
def few_probes():
    """Formulas are not what is tested here, and trying them takes most of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(function, "MOST_PROBES", 5)
        yield


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("generated") / "a.yaml"


def load(config, *overrides: str) -> Config | None:
    """A config that is good, None for a bad one; its error is checked here."""
    started = time.process_time()  # a busy machine makes a config wait, not work
    try:
        found = load_config(config, overrides)
    except ConfigError as error:
        found = None
        check(error, config)
    assert time.process_time() - started < SLOWEST
    return found


def check(error: ConfigError, config: dict | Path) -> None:
    """One line each, no line twice, in the order of the file, with places where there is one."""
    lines = str(error).split("\n")
    assert len(lines) == len(set(lines)) == len(error.problems) > 0
    assert all(line.isprintable() for line in lines), lines
    assert max(map(len, lines)) < 1000
    places = [(p.line, p.column) for p in error.problems if p.line is not None]
    assert places == sorted(places)
    if isinstance(config, Path):
        assert all(p.file for p in error.problems)


def check_round_trip(loaded: Config, path: Path) -> None:
    path.write_text(as_yaml(loaded.experiment), encoding="utf-8")
    assert load_config(path).experiment == loaded.experiment
    shorter = smoke(loaded.experiment)
    assert load_config(as_values(shorter)).experiment == shorter
    assert loaded.experiment.dataset.facts is None or all(loaded.setup().notes())


# A test that is about both sides of the loader counts what it saw: else nothing would tell that the
# generators reach them.


def test_good_configs_round_trip(path):
    seen: Counter[bool] = Counter()

    @settings(hard, max_examples=400)
    @given(config=generated.valid)
    def try_one(config):
        loaded = load(config)
        seen[loaded is not None] += 1
        if loaded:
            check_round_trip(loaded, path)

    try_one()
    assert seen[True] > 200, seen


def test_good_configs_with_mistakes_as_files(path):
    seen: Counter[bool] = Counter()

    @settings(hard, max_examples=800)
    @given(config=generated.mutated())
    def try_one(config):
        path.write_text(json.dumps(config))
        loaded = load(path)
        seen[loaded is not None] += 1
        if loaded:
            check_round_trip(loaded, path)

    try_one()
    assert min(seen[True], seen[False]) > 200, seen


def test_good_configs_with_mistakes_as_dicts():
    seen: Counter[bool] = Counter()

    @settings(hard, max_examples=1000)
    @given(config=generated.mutated(generated.python_junk))
    def try_one(config):
        seen[load(config) is not None] += 1

    try_one()
    assert min(seen[True], seen[False]) > 150, seen


@settings(hard, max_examples=400)
@given(config=generated.python_junk.filter(lambda value: isinstance(value, dict)))
def test_any_dict(config):
    load(config)


def test_any_text(path):
    seen: Counter[bool] = Counter()

    @settings(hard, max_examples=2000)
    @given(text=generated.yaml_texts)
    def try_one(text):
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        seen[load(path) is not None] += 1

    try_one()
    assert seen[False] > 1500, seen


@settings(hard, max_examples=400)
@given(config=generated.valid, key=generated.tokens, value=generated.yaml_texts)
def test_any_override(config, key, value):
    load(config, f"{key}={value}", f"descent.{key}={value}")


# --- no blow-up ------------------------------------------------------------------------------

FINE = "dataset: {kind: function, formula: x}\nmodel: {kind: mlp}\n"
LARGE = {
    "100 million samples": FINE.replace("formula: x", "formula: x, samples: 100000000"),
    "64 inputs": FINE.replace("formula: x", f"formula: x64, samples: 1, domain: [{', '.join(['[0, 1]'] * 64)}]"),
    "a long formula": FINE.replace("formula: x", f"formula: '{'sin(x)+' * 280}x'"),
    "100,000 features": FINE.replace(
        "kind: function, formula: x", "kind: classification, generator: hypercube, features: 100000"
    ),
    "unknown keys": FINE + "".join(f"learning_rate{i}: 1\n" for i in range(3_000)),
    "misspelt names": f"{FINE.replace('mlp', 'mlp, activation: [' + 'relo, ' * 5_000 + ']')}",
    "metrics": FINE + "training: {stop_when: {" + ", ".join(f"m{i}: a" for i in range(3_000)) + "}}",
    "many repeated keys": FINE + "seed: 1\n" * 400_000,
    "350,000 unknown keys": FINE + "".join(f"k{i}: 1\n" for i in range(350_000)),
    "50,000 steps": FINE.replace("kind: mlp", "kind: steps, steps: [" + "{at: 0.1, height: 1}, " * 50_000 + "]"),
    "20,000 misspelt steps": FINE.replace("kind: mlp", "kind: steps, steps: [" + "{hight: 1}, " * 20_000 + "]"),
    "a list of numbers for names": FINE.replace(
        "kind: function, formula: x", "kind: table, path: a, target: y, exclude: [" + "1, " * 99_000 + "]"
    ),
    "45,000 columns of two roles": FINE.replace(
        "kind: function, formula: x",
        "kind: table, path: a, target: &a [" + ", ".join(f"c{i}" for i in range(45_000)) + "], exclude: *a",
    ),
    "99,000 metrics": FINE + "training: {stop_when: {" + ", ".join(f"m{i}: 1" for i in range(99_000)) + "}}",
    "2,000 long formulas": FINE.replace("formula: x", "formula: x, basis: [" + f"{'x+' * 900}x, " * 2_000 + "]"),
    "a million colons": ":" * 1_000_000,
    "blank lines": FINE + "\n" * 4_000_000,
    "a long key": "x" * 200_000 + ": 1\n",
    "a long text": FINE + "name: " + "x" * 200_000,
    "brackets": FINE + "name: " + "[" * 200_000,
    "aliases": FINE + "a: &a [" + "1, " * 40_000 + "]\nb: [" + "*a, " * 20_000 + "]\n",
}


@pytest.mark.parametrize("title", LARGE)
def test_large_configs_are_answered_quickly(title, path):
    path.write_text(LARGE[title])
    started = time.process_time()
    lines = []
    try:
        load_config(path)
    except ConfigError as error:
        lines = str(error).split("\n")
    assert time.process_time() - started < 8
    assert len(lines) <= 101


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_only_regular_files_are_opened(make, tmp_path):
    make(tmp_path / "a.yaml")
    with pytest.raises(ConfigError, match=r"a\.yaml: cannot be read: it is not a regular file"):
        load_config(tmp_path / "a.yaml")


def test_libyaml_reads_the_same_values(monkeypatch):
    """PyYAML's own parser is the truth: what both accept has the same values on the same lines."""
    if not yaml.__with_libyaml__:
        pytest.skip("PyYAML was built without libyaml")
    seen: Counter[str] = Counter()

    def outcome(text):
        try:
            source = yaml_text.read_text(text, Place("a.yaml"))
        except ConfigError:
            return None
        return plain(source.root), lines_of(source.root), [finding.problem.line for finding in source.findings]

    def both(text):
        monkeypatch.setattr(yaml_text, "LONG", len(text))
        slow = outcome(text)
        monkeypatch.setattr(yaml_text, "LONG", len(text) - 1)
        fast = outcome(text)
        assert slow is None or fast is None or repr(slow) == repr(fast)
        seen["both read" if slow and fast else "both refused" if slow is fast else "one refused"] += 1

    for text, _ in CASES.values():
        both(text)
    both("seed: 1\n\ufeff#seed: 1\n")
    assert seen["one refused"] == 1, seen  # half of a surrogate pair in an escape
    for file in (Path(__file__).parents[2] / "configs").rglob("*.yaml"):
        both(file.read_text())

    @settings(hard, max_examples=1000)
    @given(text=generated.yaml_texts)
    def try_one(text):
        both(f"{text}\n")  # an empty value at the end of a line that does not end is on the next line for libyaml

    try_one()
    assert seen["both read"] > 300, seen
    assert seen["both refused"] > 300, seen


def lines_of(node):
    content = node.content
    if isinstance(content, dict):
        return [node.place.line, [(entry.place.line, lines_of(entry.value)) for entry in content.values()]]
    return [node.place.line, list(map(lines_of, content)) if isinstance(content, list) else None]


def test_dicts_that_grow_without_end():
    bomb: list = ["x"]
    for _ in range(30):
        bomb = [bomb] * 10
    loop: dict = {}
    loop["model"] = loop
    for config, said in (({"a": bomb}, "values"), (loop, "nested more than 32 levels deep")):
        with pytest.raises(ConfigError, match=said):
            load_config(config)
