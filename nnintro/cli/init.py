"""``nnintro init``: write a commented starter config."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from nnintro.cli import emit, say
from nnintro.errors import UsageError
from nnintro.files import make_folder
from nnintro.wording import cause

SCHEMA = "nnintro.schema.json"
STARTER = """\
# yaml-language-server: $schema={schema}
#
# A first experiment: learn a function of one variable.
#
#   nnintro train {name}
#
# Every key but dataset.kind, dataset.formula and model.kind may be left out; the values below
# marked (default) are what nnintro uses then. Change one at a time, and look at what happens:
#
#   nnintro dashboard

seed: 0                       # every random number follows from it (default)
device: auto                  # auto (default), cpu, cuda

dataset:
  kind: function
  # Also try: lecture, which names 0.2 + 0.4*x**2 + 0.3*x*sin(15*x) + 0.1*cos(50*x)
  formula: sin(2*pi*x) * exp(-x)
  domain: [[0, 2]]            # one [low, high] per input
  samples: 200                # training samples on an even grid
  noise: 0.0                  # standard deviation of noise on the targets (default)

model:
  kind: mlp
  hidden: [32]                # one hidden layer of 32 neurons; [] is a single neuron
  activation: tanh            # sigmoid (default), tanh, relu, sine, ...
  initialization: {{kind: spread, steepness: 20}}   # neurons spread over the domain

descent:
  variant: mini-batch         # batch, mini-batch (default), stochastic
  batch_size: 32              # (default)
  learning_rate: 0.003        # the lecture's eta (default 0.1)
  optimizer: adam             # sgd (default), adagrad, rmsprop, adam, adamw, lbfgs
  schedule: cosine            # constant (default), step, exponential, cosine

training:
  epochs: 400                 # (default 200)
"""


def init(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="Where to write it.")] = Path("experiment.yaml"),
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Write a commented starter config."""
    target = path / "experiment.yaml" if path.is_dir() else path
    if target.exists() and not force:
        raise UsageError(f"{target} exists already; choose another name, or --force to replace it")

    try:
        make_folder(target.parent)
        schema = _schema_for(target)
        target.write_text(STARTER.format(name=shlex.quote(str(target)), schema=schema or SCHEMA), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {target}: {cause(error)}") from error
    emit(str(target))
    say(f"next: nnintro train {shlex.quote(str(target))}")
    if schema is None:
        place = shlex.quote(str(target.parent / SCHEMA))
        say(f"for an editor that completes and checks it: nnintro schema > {place}")


def _schema_for(target: Path) -> str | None:
    """The schema's path as seen from the config: beside it or above it, as in a clone; None without one."""
    folder = target.parent.absolute()
    for count, above in enumerate([folder, *folder.parents]):
        if (above / SCHEMA).is_file():
            return "../" * count + SCHEMA
    return None
