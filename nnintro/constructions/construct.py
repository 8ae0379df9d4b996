"""``construct``: a network of steps for a formula, with the proof of its error, as a run."""

from __future__ import annotations

import functools
import math
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml

from nnintro.config.datasets.function import FunctionDataset
from nnintro.config.experiment import Experiment
from nnintro.config.load import Config, load_config
from nnintro.config.models.steps import StepsModel
from nnintro.config.write import as_yaml
from nnintro.constructions.compare_neurons import Row, as_table, compare
from nnintro.errors import CheckpointError, ConfigError, UsageError
from nnintro.files import write_json, write_whole
from nnintro.formula import parse, torch_function
from nnintro.proofs import require_flint
from nnintro.recording.console import Display
from nnintro.runs.folder import explained
from nnintro.runs.run import Run
from nnintro.training.train import launch
from nnintro.wording import counted

DEFAULT_ERROR = 0.05


@dataclass(frozen=True)
class Constructed:
    """The run that holds the network, and its certificate."""

    run: Run
    certificate: dict[str, Any]
    rows: list[Row] | None = None
    """Of the comparison, where one was asked for."""


def construct(
    config: str | Path | Mapping[str, Any],
    overrides: Sequence[str] = (),
    runs_dir: str | Path = "runs",
    *,
    error: float | None = None,
    neurons: int | None = None,
    compare_sizes: bool = False,
    name: str | None = None,
    quiet: bool = True,
    command: list[str] | None = None,
    signals: tuple[signal.Signals, ...] = (signal.SIGINT,),
    started: float | None = None,
) -> Constructed:
    """Build the network of steps that approximates a formula, and prove how near it comes.

    Only the config's dataset counts: a function of one or two inputs.  The run it leaves is like
    any other, in float64, with ``certificate.json`` in it.

    Args:
        error: how far the network may be from the formula anywhere, with the fewest pieces; 0.05
            by default.
        neurons: in its place, for one input, the hidden neurons to do the best with.

        compare_sizes: whether networks of several sizes are to be built and trained as well.

    Raises:
        UsageError: both are given, or one makes no sense; or python-flint is missing.
        ConfigError: the dataset is no formula, or has no finite value somewhere.
    """
    require_flint()
    _require_sense(error, neurons)
    loaded = load_config(config, [*overrides, *_BY_HAND], name)
    with loaded.locating():
        certificate, model = _built(loaded, error, neurons)
        if compare_sizes and len(certificate["domain"]) == 2:
            raise UsageError("--compare is for one input")
    values = {**yaml.safe_load(as_yaml(loaded.experiment)), "model": model}
    result = launch(
        values, (), runs_dir, quiet=True, command=command, signals=signals, started=started
    )
    run = result.run
    require_agreement(run, certificate)
    with explained(f"cannot write {run.directory}"):
        write_json(run.directory / "certificate.json", certificate)
        draw(run, certificate)
    rows = None
    if compare_sizes:
        display = Display(quiet=quiet)
        rows = compare(run, loaded, functools.partial(_best, loaded), display.line)
    return Constructed(run, certificate, rows)


def _best(loaded: Config, neurons: int) -> float:
    """The proved error of the best network of so many steps."""
    with loaded.locating():
        certificate, _ = _built(loaded, None, neurons)
    return float(certificate["bound"])


_BY_HAND = ("model={kind: mlp}", "precision=float64", "device=cpu", "training.epochs=0")


def _require_sense(error: float | None, neurons: int | None) -> None:
    if error is not None and neurons is not None:
        raise UsageError("expected an error or a number of neurons, got both")
    if error is not None and not (error > 0 and math.isfinite(error)):
        raise UsageError(f"the error must be a number above 0, got {error}")
    if neurons is not None and neurons < 0:
        raise UsageError(f"the number of neurons must be 0 or more, got {neurons}")


def _built(
    loaded: Config, error: float | None, neurons: int | None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The certificate, and the model section of the network."""
    from nnintro.formula import parse
    from nnintro.proofs.balls import precision
    from nnintro.proofs.certificate import of_pieces
    from nnintro.proofs.construction import construct_for_error, construct_with_neurons
    from nnintro.proofs.target import Target

    dataset = formula_dataset(loaded.experiment, "construct")
    if dataset.standardize != "none":
        message = "steps stand at places of the input itself; expected none"
        raise ConfigError.at("dataset.standardize", message)
    domain = [(float(low), float(high)) for low, high in dataset.domain]
    formula = parse(dataset.formula, len(domain))
    with precision():
        if len(domain) == 2:
            if neurons is not None:
                raise UsageError("with two inputs give an error, not a number of neurons")
            return _of_towers(formula, domain, DEFAULT_ERROR if error is None else error)
        target = Target(formula, *domain[0])
        if neurons is None:
            found = construct_for_error(target, DEFAULT_ERROR if error is None else error)
        else:
            found = construct_with_neurons(target, neurons)
    steps = [{"at": place, "height": height} for place, height in found.steps]
    certificate = of_pieces(formula, domain[0], found)
    return certificate, {"kind": "steps", "steps": steps, "offset": found.values[0]}


def _of_towers(
    formula: Any, domain: list[tuple[float, float]], error: float
) -> tuple[dict[str, Any], dict[str, Any]]:
    from flint import arb

    from nnintro.proofs.boxes import divide
    from nnintro.proofs.certificate import of_boxes
    from nnintro.proofs.values import ROUNDING, largest_error

    boxes = divide(formula, domain, 2 * arb(error) * (1 - 1e-9))
    values = [float((box.least + box.most).mid()) / 2 for box in boxes]
    size = max(abs(value) for value in values) + error
    bound = min(largest_error(boxes, values) + ROUNDING * size, error)
    corners = [(_before(box.low, domain), list(box.high)) for box in boxes]
    towers = [
        {"from": low, "to": high, "height": value}
        for (low, high), value in zip(corners, values, strict=True)
    ]
    places = {pair for corner in corners for end in corner for pair in enumerate(end)}
    certificate = of_boxes(formula, domain, boxes, values, bound, len(places) + len(towers))
    return certificate, {"kind": "steps", "steps": towers, "offset": 0.0}


def _before(low: tuple[float, ...], domain: list[tuple[float, float]]) -> list[float]:
    """The lower corner of a tower; on the domain's edge the number before, for a step is 0 at its
    own place."""
    return [
        math.nextafter(place, -math.inf) if place == edge else place
        for place, (edge, _) in zip(low, domain, strict=True)
    ]


def formula_dataset(experiment: Experiment, command: str) -> FunctionDataset:
    """The dataset of a config whose network is to be compared with a formula.

    Raises:
        ConfigError: it has no formula, or one of more than two inputs.
    """
    dataset = experiment.dataset
    if not isinstance(dataset, FunctionDataset):
        raise ConfigError.at("dataset.kind", f"{command} needs a formula: expected function")
    if len(dataset.domain) > 2:
        message = f"{command} takes one or two inputs, got {len(dataset.domain)}"
        raise ConfigError.at("dataset.domain", message)
    return dataset


def require_agreement(run: Run, certificate: Mapping[str, Any]) -> None:
    """The network in the run gives each piece's value to the last bit, from end to end.

    Its outputs are looked at where each piece begins and ends and in its middle, and its neurons
    switch nowhere but there.

    Raises:
        CheckpointError: it does not.
    """
    points, values = [], []
    domain = certificate["domain"]
    for piece in certificate["pieces"]:
        low, high = np.atleast_1d(piece["from"]), np.atleast_1d(piece["to"])
        edge = np.array([side[0] for side in domain])
        first = np.where(low == edge, low, np.nextafter(low, np.inf))
        points += [first, np.clip(low + (high - low) / 2, first, high), high]
        values += [piece["value"]] * 3
    outputs = run.predict(np.array(points)).numpy()[:, 0]
    if not np.array_equal(outputs, np.array(values)):
        worst = int(np.argmax(outputs != np.array(values)))
        where = ", ".join(map(repr, points[worst].tolist()))
        raise CheckpointError(
            f"{run.directory}: the network is not that of the certificate at {where}"
        )
    _require_places(run, certificate)


def _require_places(run: Run, certificate: Mapping[str, Any]) -> None:
    """Between its neurons' places a network of steps is constant."""
    model = run.setup.model
    if not isinstance(model, StepsModel) or model.activation != "step":
        raise CheckpointError(f"{run.directory}: its network is none of steps")
    edges = {low for low, _ in certificate["domain"]} | {high for _, high in certificate["domain"]}
    ends = {float(end) for p in certificate["pieces"] for end in np.ravel([p["from"], p["to"]])}
    inside = {place for _, place in model.places} - {math.nextafter(e, -math.inf) for e in edges}
    weight, bias = (p.detach().numpy() for p in list(run.model.parameters())[:2])
    places = np.unique(-bias / np.abs(weight).max(axis=1)) if len(bias) else np.zeros(0)
    if not inside <= ends or not set(places.tolist()) == {place for _, place in model.places}:
        raise CheckpointError(f"{run.directory}: a neuron switches within a piece")


def in_words(found: Constructed) -> str:
    """What was built and proved, in a few lines."""
    certificate = found.certificate
    count, neurons = len(certificate["pieces"]), certificate["neurons"]
    noun = "piece" if len(certificate["domain"]) == 1 else "box"
    lines = [
        f"{found.run.directory}: {counted(neurons, 'neuron')}, "
        f"{counted(count, f'constant {noun}')}",
        f"proved: nowhere further than {certificate['bound']:.10g} from the formula",
    ]
    fewer = certificate.get("fewer")
    if fewer is not None and fewer["pieces"] > 0:
        few = counted(fewer["pieces"], "piece")
        lines.append(f"proved: {few} cannot come within {fewer['error']:.10g}")
    if found.rows is not None:
        lines += ["", as_table(found.rows), ""]
    lines.append(
        f"to check the proof: nnintro certify --check {found.run.directory}/certificate.json"
    )
    return "\n".join(lines)


POINTS = 4001


def draw(run: Run, certificate: dict[str, Any]) -> None:
    """``figures/pieces.png``: the pieces and the error, or the boxes."""
    from nnintro.figures import render

    pieces, domain = certificate["pieces"], certificate["domain"]
    count, bound = len(pieces), certificate["bound"]
    starts, stops, values = (
        np.array([piece[key] for piece in pieces]) for key in ("from", "to", "value")
    )
    noun = "pieces" if len(domain) == 1 else "boxes"
    title = f"{run.setup.experiment.name}: {count:,} {noun}, proved within {bound:.4g}"
    if len(domain) == 2:
        arrays, kind = {"lows": starts, "highs": stops, "values": values}, "certified_boxes"
    else:
        grid = np.unique(np.concatenate([np.linspace(domain[0][0], domain[0][1], POINTS), stops]))
        formula = torch_function(parse(certificate["formula"], 1))
        truth = formula(torch.from_numpy(grid)[:, None]).numpy()[:, 0]
        arrays = {"grid": grid, "truth": truth, "starts": starts, "stops": stops,
                  "values": values, "bound": np.array([bound])}  # fmt: skip
        kind = "certified_pieces"
    folder = run.directory / "figures"
    folder.mkdir(exist_ok=True)
    png = render(kind, arrays, {"title": title})
    write_whole(folder / "pieces.png", lambda file: file.write(png))
