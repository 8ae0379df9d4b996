"""The figures a run leaves behind: arrays in, a matplotlib ``Figure`` or its PNG out."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import matplotlib as mpl
import matplotlib.style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from nnintro.figures.canvas import Array
from nnintro.figures.classes import confusion_matrix, decision_regions
from nnintro.figures.constructed import certified_boxes, certified_pieces, error_against_neurons, neurons
from nnintro.figures.curves import learning_curves
from nnintro.figures.function import coefficients, curve_fit, predicted_against_actual, surface_fit
from nnintro.figures.maps import segmentation
from nnintro.figures.rates import learning_rates
from nnintro.figures.sweeps import objective_by_key, objective_map

FIGURES: dict[str, Callable[..., Figure]] = {
    "curve_fit": curve_fit,
    "neurons": neurons,
    "surface_fit": surface_fit,
    "predicted_against_actual": predicted_against_actual,
    "coefficients": coefficients,
    "decision_regions": decision_regions,
    "confusion_matrix": confusion_matrix,
    "segmentation": segmentation,
    "learning_curves": learning_curves,
    "learning_rates": learning_rates,
    "objective_by_key": objective_by_key,
    "objective_map": objective_map,
    "certified_pieces": certified_pieces,
    "certified_boxes": certified_boxes,
    "error_against_neurons": error_against_neurons,
}


def render(kind: str, arrays: Mapping[str, Array], texts: Mapping[str, str | list[str]]) -> bytes:
    """The PNG of ``FIGURES[kind]``, called with ``arrays`` and ``texts`` by name.

    An array called ``columns/train/loss`` becomes the entry ``train/loss`` of the argument
    ``columns``. A user's own matplotlib style is left aside, so that runs look alike everywhere.
    """
    with mpl.style.context("default"), warnings.catch_warnings():
        # A name in a script that the font lacks is drawn as boxes; nobody needs a warning of it.
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        figure = FIGURES[kind](**_arguments(arrays), **texts)
        png = io.BytesIO()
        # savefig would draw everything twice, first without an image.
        canvas = figure.canvas
        assert isinstance(canvas, FigureCanvasAgg)
        canvas.print_png(png)  # type: ignore[no-untyped-call]
    return png.getvalue()


def _arguments(arrays: Mapping[str, Array]) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    for name, array in arrays.items():
        argument, slash, entry = name.partition("/")
        if slash:
            arguments.setdefault(argument, {})[entry] = array
        else:
            arguments[argument] = array
    return arguments
