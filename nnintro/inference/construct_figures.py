"""The figures that ``construct`` adds to its run."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from nnintro.formula import parse, torch_function
from nnintro.recording.directory import write_whole
from nnintro.training.run import Run

POINTS = 4001


def draw(run: Run, certificate: dict[str, Any]) -> None:
    """``figures/pieces.png``: the pieces and the error, or the boxes."""
    from nnintro.recording.figures import render

    pieces, domain = certificate["pieces"], certificate["domain"]
    count, bound = len(pieces), certificate["bound"]
    starts, stops, values = (
        np.array([piece[key] for piece in pieces]) for key in ("from", "to", "value")
    )
    noun = "pieces" if len(domain) == 1 else "boxes"
    title = f"{run.experiment.name}: {count:,} {noun}, proved within {bound:.4g}"
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
