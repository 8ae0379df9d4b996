"""A YAML file or dict, with overrides, to an Experiment; every problem, located, in one go."""

from __future__ import annotations

import contextlib
import os
import re
import unicodedata
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from nnintro.config.experiment import Experiment, Setup, resolve, smoke
from nnintro.config.parse.nodes import Entry, Finding, Node, Place, Source, child, copied, descend, find, refusal
from nnintro.config.parse.overrides import BEHIND_ALL, apply_overrides, apply_sweep, lay_value, parts_of
from nnintro.config.parse.python import from_python
from nnintro.config.parse.yaml_text import read_file
from nnintro.config.rules import broken_by_data
from nnintro.config.sweep import Range
from nnintro.config.sweep_values import diagnosed, try_values
from nnintro.config.task import DataFacts
from nnintro.errors import ConfigError, Problem
from nnintro.wording import listing, plain

OF_A_SWEEP_FILE = ("name", "sweep")
"""The keys of a sweep in a file of its own, beside its config."""
MOST_NAME = 100
"""Bytes of a run's name that is taken from a file's."""


@dataclass(frozen=True)
class Config:
    """A valid experiment, and where each of its keys was written."""

    experiment: Experiment
    source: Source
    is_smoke: bool = False
    """Whether it was cut down to see that everything works."""
    whole_keys: frozenset[str] = frozenset()
    """The keys of the sweep's ranges that take whole numbers."""

    def smoked(self) -> Config:
        """The config cut down to a few samples and updates (see ``experiment.smoke``)."""
        return replace(self, experiment=smoke(self.experiment), is_smoke=True)

    def setup(self, facts: DataFacts | None = None) -> Setup:
        """The experiment with what its data says: the rest of its rules, the rest of its defaults.

        Args:
            facts: what the files say, where the config does not say all of it.

        Raises:
            ConfigError: it asks for something that does not go with the data.
        """
        known = self.experiment.dataset.facts
        if known is not None:
            return Setup(self.experiment, known)
        assert facts is not None, "the files were not looked at"
        setup = Setup(self.experiment, facts)
        if self.is_smoke:
            setup = setup.with_few_updates()
        findings = [*broken_by_data(setup, self.source.root), *self._values_refused_by(facts)]
        if findings:
            raise refusal(findings)
        return setup.resolved()

    def _values_refused_by(self, facts: DataFacts) -> Iterator[Finding]:
        """What the rules that need the data say of the sweep's values: of each alone, beside the config's own."""
        sweep = self.experiment.sweep
        for key, values in sweep.over.items() if sweep is not None else ():
            if parts_of(key)[0] in ("dataset", "seed"):
                continue  # on which the data depends
            node = descend(self.source.root, ("sweep", "over", key))
            assert node is not None
            for place, value in _tried(node, values, whole=key in self.whole_keys):
                try:
                    config = with_values(self, {key: value})
                except ConfigError:
                    continue  # it needs another key of the sweep
                setup = Setup(config.experiment, facts)
                for finding in broken_by_data(setup, config.source.root):
                    yield Finding(place, finding.keys, finding.message)

    @contextlib.contextmanager
    def locating(self) -> Iterator[None]:
        """Give problems found later (a missing device, say) the place of their key."""
        try:
            yield
        except ConfigError as error:
            located = ConfigError(map(self._located, error.problems))
            located.reported = error.reported
            raise located from error.__cause__

    def _located(self, problem: Problem) -> Problem:
        if problem.file is not None or not problem.path:
            return problem
        place = find(self.source.root, tuple(problem.path.split(".")))
        return Problem(problem.message, problem.path, place.file, place.line, place.column)


def _tried(node: Node, values: Range | list[Any], *, whole: bool) -> list[tuple[Place, Any]]:
    """The values of a key of a sweep that are tried, and their places: all of a list, both ends of a range."""
    if isinstance(values, Range):
        return [(node.place, int(end) if whole else end) for end in (values.low, values.high)]
    return [(item.place, value) for item, value in zip(node.content, values, strict=True)]


@dataclass(frozen=True)
class SweepOptions:
    """What a command line adds to the sweep section (see ``overrides.apply_sweep``)."""

    over: Sequence[str] | Mapping[str, Any] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)


def load_config(
    config: str | Path | Mapping[str, Any],
    overrides: Sequence[str] = (),
    name: str | None = None,
    *,
    sweep: SweepOptions | None = None,
) -> Config:
    """Read and check a config.

    Args:
        config: path of a YAML file, or the same content as a mapping.
        overrides: ``descent.learning_rate=0.01`` and the like, values read as YAML.
        name: the run's name, in place of the one in the config.
        sweep: what to lay over the sweep section, which is kept then; without it the section is checked and left out,
            as a training has no use for it.

    Raises:
        ConfigError: with all problems, in the order of the file.
    """
    source = _followed(from_python(config)) if isinstance(config, Mapping) else _followed(read_file(Path(config)))
    root = source.root
    overridden = apply_overrides(root, overrides)
    if sweep is not None:
        overridden += apply_sweep(root, sweep.over, sweep.settings)
    if not isinstance(root.content, dict):
        raise refusal([*source.findings, *_no_mapping(root), *overridden])
    if name is not None:
        place = Place("--name", rank=2 * BEHIND_ALL)
        root.content["name"] = Entry(place, Node(name, place))
    experiment, findings = diagnosed(root)
    findings = [*source.findings, *overridden, *findings]
    whole: frozenset[str] = frozenset()
    swept = None if experiment is None or sweep is None else experiment.sweep
    if swept is not None and all(finding.keys[:1] == ("sweep",) for finding in findings):
        whole, refused = try_values(root, swept, {str(f.keys[2]) for f in findings if len(f.keys) > 2})
        findings += refused
    if findings or experiment is None:
        raise refusal(findings)
    if "name" not in root.content:
        default_name = "run" if isinstance(config, Mapping) else name_from(Path(config))
        experiment = experiment.model_copy(update={"name": default_name})
    if sweep is None:
        experiment = experiment.model_copy(update={"sweep": None})
    return Config(resolve(_with_whole_path(experiment, root)), source, whole_keys=whole)


def with_values(config: Config, values: Mapping[str, Any]) -> Config:
    """The config as ``--set KEY=VALUE`` of these values makes it; one trial of a sweep.

    Raises:
        ConfigError: it does not go with one of them, or they do not go together.
    """
    root = copied(config.source.root)
    root.content.pop("sweep", None)
    # A section first and then keys of it, whichever the sweep names first.
    in_order = sorted(values.items(), key=lambda item: item[0].count("."))
    findings = [finding for key, value in in_order for finding in lay_value(root, key, value)]
    experiment, more = diagnosed(root)
    if findings or more or experiment is None:
        raise refusal([*findings, *more])
    experiment = experiment.model_copy(update={"name": config.experiment.name})
    return Config(resolve(_with_whole_path(experiment, root)), Source(root))


def _followed(source: Source) -> Source:
    """Of ``{config: FILE, sweep: ...}``, a sweep in a file of its own: that config, with this sweep section."""
    root = source.root
    other = child(root, "config")
    if other is None or not isinstance(other.content, str) or child(root, "dataset") is not None:
        return source
    beside = Path() if other.place.file is None else Path(other.place.file).parent
    target = read_file(beside / os.path.expanduser(other.content))  # noqa: PTH111
    if not isinstance(target.root.content, dict):
        return target
    own = {key: entry for key, entry in root.content.items() if key in OF_A_SWEEP_FILE}
    others = [(key, entry.place) for key, entry in root.content.items() if key not in (*own, "config")]
    message = (
        f"a file that names a config has {listing(OF_A_SWEEP_FILE)} beside; change other keys there, or with --set"
    )
    target.findings[:0] = [*source.findings, *(Finding(place, (key,), message) for key, place in others)]
    target.root.content.update(own)
    return target


def _with_whole_path(experiment: Experiment, root: Node) -> Experiment:
    """The data's file from the root of the file system: in the run's folder the config goes on to
    name the same one.

    It is looked for beside the config that names it; beside the working directory, where the
    command line or Python does; ``~`` is the user's home.
    """
    paths = {key: _whole(path, root, tuple(key.split("."))) for key, path in experiment.dataset.paths.items()}
    return experiment.model_copy(update={"dataset": experiment.dataset.with_paths(paths)}) if paths else experiment


def _whole(path: str, root: Node, key: tuple[str, ...]) -> str:
    file = find(root, key).file
    beside = Path(file).parent if file is not None and Path(file).is_file() else Path()
    # Not resolve(): a link keeps the name that the user knows.
    return os.path.normpath(Path.cwd() / beside / os.path.expanduser(path))  # noqa: PTH111


def name_from(path: Path) -> str:
    """A run name from a file's name: its stem, with what a run's name cannot hold as '-'.

    A stem without a letter or a digit gives "run", with a warning.
    """
    stem = unicodedata.normalize("NFC", path.stem)  # macOS decomposes: a letter and its mark are one letter here
    name = re.sub(r"[^\w.-]+", "-", stem).lstrip("._-").encode()[:MOST_NAME].decode(errors="ignore")
    if not name:
        warnings.warn(
            f"{plain(str(path))}: the file's name gives no name for the run, which is called 'run'; "
            "give it one with name: in the config, or --name",
            stacklevel=2,
        )
    return name or "run"


def _no_mapping(root: Node) -> list[Finding]:
    if root.refused:
        return []
    message = "expected a mapping of sections (dataset, model, ...)"
    if root.content is None:
        message = f"the config is empty; {message}"
    return [Finding(root.place, (), message)]
