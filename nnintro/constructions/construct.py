"""``nnintro construct``: build a network of steps for a formula and prove its error, as a run."""

from __future__ import annotations

import math
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from nnintro.config.experiment import as_values
from nnintro.config.load import Config, load_config
from nnintro.constructions import formula_of
from nnintro.constructions.certify import require_agreement
from nnintro.constructions.compare_neurons import Row, as_table, compare
from nnintro.errors import ConfigError, UsageError, memory_for
from nnintro.files import write_whole
from nnintro.formula import Formula, parse, torch_function
from nnintro.models.forward import own_modes
from nnintro.proofs import require_flint
from nnintro.recording.console import Display
from nnintro.runs.folder import explained
from nnintro.runs.run import Run
from nnintro.training.train import launch
from nnintro.wording import counted

if TYPE_CHECKING:
    from nnintro.proofs.certificate import Certificate

DEFAULT_ERROR = 0.05
BY_HAND = ("model={kind: mlp}", "precision=float64", "device=cpu", "training.epochs=0")
"""What is not taken from the config; the model's section follows from the construction."""
POINTS = 4001
"""Of the formula's graph in a figure, besides the ends of the pieces."""


@dataclass(frozen=True)
class Constructed:
    """The run that holds the network, and its certificate.

    Attributes:
        certificate: what certificate.json says.
        rows: of the comparison, where one was asked for.
    """

    run: Run
    certificate: Certificate
    rows: list[Row] | None = None


@own_modes()
@memory_for("the network; a larger --error takes less")
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
        config: path of a YAML file, or the same content as a dict.
        overrides: ``"dataset.formula=x**2"`` and the like, laid over the config.
        runs_dir: where the run's folder is made.
        error: how far the network may be from the formula anywhere, with the fewest pieces; 0.05 by default.
        neurons: in its place, for one input, the hidden neurons to do the best with.
        compare_sizes: whether networks of several sizes are to be built and trained as well.
        name: the run's name, in place of the config's.
        quiet: show nothing while networks are compared.
        command, signals, started: as ``training.train.launch`` takes them.

    Returns:
        The run with the network, and the certificate.

    Raises:
        UsageError: both error and neurons are given, or one makes no sense; or python-flint is missing.
        ConfigError: the config is wrong, or its dataset no formula, or the formula has no finite value somewhere.
        CheckpointError: the run cannot be written.
    """
    require_flint()
    from nnintro.proofs.certificate import write

    _require_sense(error, neurons)
    loaded = load_config(config, [*overrides, *BY_HAND], name)
    certificate, model = _built(loaded, error, neurons)
    if compare_sizes and len(certificate["domain"]) == 2:
        raise UsageError("--compare is for one input")
    values = {**as_values(loaded.experiment), "model": model}
    run = launch(values, (), runs_dir, quiet=True, command=command, signals=signals, started=started).run
    require_agreement(run, certificate)
    with explained(f"cannot write {run.directory}"):
        write(run.directory, certificate)
        draw(run, certificate)
    rows = None
    if compare_sizes:
        rows = compare(run, loaded, lambda count: _built(loaded, None, count)[0]["bound"], Display(quiet=quiet).line)
    return Constructed(run, certificate, rows)


def _require_sense(error: float | None, neurons: int | None) -> None:
    if error is not None and neurons is not None:
        raise UsageError("expected an error or a number of neurons, got both")
    if error is not None and not (error > 0 and math.isfinite(error)):
        raise UsageError(f"the error must be a number above 0, got {error}")
    if neurons is not None and neurons < 0:
        raise UsageError(f"the number of neurons must be 0 or more, got {neurons}")


def _built(loaded: Config, error: float | None, neurons: int | None) -> tuple[Certificate, dict[str, Any]]:
    """The certificate, and the model section of the network."""
    from nnintro.proofs.balls import precision

    with loaded.locating(), precision():
        formula, domain = formula_of(loaded.experiment, "construct")
        if loaded.experiment.dataset.standardize != "none":
            raise ConfigError.at("dataset.standardize", "steps are placed in the input's own units; expected none")
        if loaded.experiment.dataset.formulas:
            raise ConfigError.at("dataset.basis", "steps are placed along the input itself; leave it out")
        wanted = DEFAULT_ERROR if error is None else error
        if len(domain) == 1:
            return _of_steps(formula, domain[0], wanted, neurons)
        if neurons is not None:
            raise UsageError("with two inputs give an error, not a number of neurons")
        return _of_towers(formula, domain, wanted)


def _of_steps(
    formula: Formula, side: tuple[float, float], error: float, neurons: int | None
) -> tuple[Certificate, dict[str, Any]]:
    from nnintro.proofs.certificate import of_pieces
    from nnintro.proofs.construction import construct_for_error, construct_with_neurons
    from nnintro.proofs.target import Target

    target = Target(formula, *side)
    found = construct_for_error(target, error) if neurons is None else construct_with_neurons(target, neurons)
    steps = [{"at": place, "height": height} for place, height in found.steps]
    section = {"kind": "steps", "steps": steps, "offset": found.values[0]}
    return of_pieces(formula, side, found), section


def _of_towers(formula: Formula, domain: list[tuple[float, float]], error: float) -> tuple[Certificate, dict[str, Any]]:
    from nnintro.proofs.certificate import of_boxes
    from nnintro.proofs.construction import construct_towers

    found = construct_towers(formula, domain, error)
    towers = [
        {"from": _before(box.low, domain), "to": list(box.high), "height": value}
        for box, value in zip(found.boxes, found.values, strict=True)
    ]
    section = {"kind": "steps", "steps": towers, "offset": 0.0}
    return of_boxes(formula, domain, found), section


def _before(low: tuple[float, ...], domain: list[tuple[float, float]]) -> list[float]:
    """The lower corner of a tower; on the domain's edge the number before, for a step is 0 at its own place."""
    return [
        math.nextafter(place, -math.inf) if place == edge else place
        for place, (edge, _) in zip(low, domain, strict=True)
    ]


def in_words(found: Constructed) -> str:
    """What was built and proved, in a few lines."""
    certificate = found.certificate
    noun = "piece" if len(certificate["domain"]) == 1 else "box"
    lines = [
        f"{found.run.directory}: {counted(certificate['neurons'], 'neuron')}, "
        f"{counted(len(certificate['pieces']), f'constant {noun}')}",
        f"proved: nowhere further than {certificate['bound']:.10g} from the formula",
    ]
    if "fewer" in certificate and certificate["fewer"]["pieces"] > 0:
        few = counted(certificate["fewer"]["pieces"], "piece")
        within = certificate["fewer"]["error"]
        lines.append(f"proved: {few} cannot come within {within:.10g}")
    if found.rows is not None:
        lines += ["", as_table(found.rows), ""]
    lines.append(f"to check the proof: nnintro certify --check {found.run.directory}/certificate.json")
    return "\n".join(lines)


def draw(run: Run, certificate: Certificate) -> None:
    """``figures/pieces.png``: the pieces and the error, or the boxes."""
    from nnintro.figures import render

    pieces, domain = certificate["pieces"], certificate["domain"]
    count, bound = len(pieces), certificate["bound"]
    starts, stops, values = (np.array([piece[key] for piece in pieces]) for key in ("from", "to", "value"))
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
