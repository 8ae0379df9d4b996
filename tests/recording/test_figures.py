"""The figures: what they show is what they were given, also where that is hard to show."""

import io

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.collections import LineCollection, PathCollection, QuadMesh
from matplotlib.colors import to_rgb
from matplotlib.contour import ContourSet
from matplotlib.text import Text
from PIL import Image

from nnintro.figures import FIGURES, render
from nnintro.figures import maps as overlays
from nnintro.figures.canvas import COLORS, LARGEST, MARKERS, MOST_POINTS, short, some, span

RNG = np.random.default_rng(0)
GRID = np.linspace(-1, 2, 301)
AXIS = np.linspace(-3, 3, 21)
X1, X2 = np.meshgrid(AXIS, AXIS[::2])
INPUTS = RNG.uniform(-3, 3, (50, 2))
NASTY = r"$x^2$ and a_b^{c} \frac $ 100%"

CURVE = {
    "inputs": np.linspace(-1, 2, 40),
    "targets": RNG.normal(size=40),
    "grid": GRID,
    "prediction": np.sin(GRID),
    "truth": np.cos(GRID),
}
SURFACE = {"x1": AXIS, "x2": AXIS[::2], "prediction": np.sin(X1), "truth": np.sin(X1) + 0.1 * X2, "inputs": INPUTS}
REGIONS = {
    "x1": AXIS,
    "x2": AXIS[::2],
    "classes": (X1 > 0).astype(int) + (X2 > 0),
    "confidence": np.abs(np.sin(X1)),
    "inputs": INPUTS,
    "labels": np.arange(50) % 3,
}
COEFFICIENTS = {"trained": np.array([[0.5], [-2.0], [0.1]]), "optimal": np.array([[0.6], [-2.1], [0.0]])}
ACTUAL = {"targets": RNG.normal(size=60), "predictions": RNG.normal(size=60)}
NEURONS = {
    **CURVE,
    "places": np.array([0.0, 1.0]),
    "weights": np.array([0.5, -2.0]),
    "contributions": np.array([0.5 * (GRID > 0), -2.0 * (GRID > 1)]),
    "offset": np.array([0.25]),
}
PIECES = {
    "grid": GRID,
    "truth": np.sin(GRID),
    "starts": np.array([-1.0, 0.5]),
    "stops": np.array([0.5, 2.0]),
    "values": np.array([-0.2, 0.8]),
    "bound": np.array([0.7]),
}
BOXES = {
    "lows": np.array([[0.0, 0.0], [1.0, 0.0]]),
    "highs": np.array([[1.0, 2.0], [3.0, 2.0]]),
    "values": np.array([0.5, -0.5]),
}
SIZES = {
    "neurons": np.array([4, 8, 16]),
    "constructed": np.array([0.4, 0.2, 0.1]),
    "trained": np.array([0.3, 0.25, 0.2]),
    "handed_over": np.array([0.2, 0.1, 0.05]),
}
COUNTS = {"counts": np.array([[50, 0, 3], [1, 1000, 2], [0, 0, 0]])}
HISTORY = {
    "steps": np.arange(6) * 10,
    "columns/train/loss": np.array([8.0, 4, 2, 1, 0.5, 0.25]),
    "columns/validation/loss": np.array([9.0, np.nan, 3, 2, np.nan, np.inf]),
    "columns/validation/accuracy": np.linspace(0, 1, 6),
}
MAPS = {
    "images": np.random.default_rng(0).uniform(size=(2, 16, 12)),
    "truth": np.arange(2 * 16 * 12).reshape(2, 16, 12) // 100 % 3,
    "predicted": np.arange(2 * 16 * 12).reshape(2, 16, 12) // 90 % 3,
    "confidence": np.random.default_rng(1).uniform(size=(2, 16, 12)),
    "points_true": np.array([[0.0, 3, 4], [1, 8, 2.5]]),
    "points_found": np.empty((0, 3)),
}
RATES = {
    "test_rates": np.geomspace(1e-6, 1, 20),
    "test_losses": np.geomspace(1, 0.01, 20),
    "start": np.array([1.0]),
    "rates": np.array([0.01, 0.1, 1.0]),
    "losses": np.array([0.5, 0.001, np.nan]),
    "suggested": np.array([0.1, 0.001]),
}
TRIALS = {"objective": np.array([0.5, 0.1, np.nan, 0.2]), "diverged": np.array([0, 0, 1, 0])}
KEYS = {"columns/rate": np.array([1e-3, 1e-2, 0.1, 1e-3]), "columns/kind": np.array(["a", "b", NASTY, "b"])}
PLACES = {"x": np.array([1e-3, 1e-2, 1e-2, 1e-3]), "y": np.array(["a", "b", "a", "b"])}
NAMES = {"names": ["left_arm", "_hidden", "$right$"]}
EXAMPLES = {
    "curve_fit": (CURVE, {}),
    "surface_fit": (SURFACE, {}),
    "decision_regions": (REGIONS, NAMES),
    "predicted_against_actual": (ACTUAL, {}),
    "coefficients": (COEFFICIENTS, {"names": ["x1", "x*sin($15*x$)", "bias"]}),
    "confusion_matrix": (COUNTS, NAMES),
    "learning_curves": (HISTORY, {}),
    "segmentation": (MAPS, NAMES),
    "neurons": (NEURONS, {}),
    "certified_pieces": (PIECES, {}),
    "certified_boxes": (BOXES, {}),
    "error_against_neurons": (SIZES, {}),
    "learning_rates": (RATES, {}),
    "objective_by_key": ({**TRIALS, **KEYS}, {"best": ["1"]}),
    "objective_map": ({**TRIALS, **PLACES}, {"keys": ["rate", "kind"]}),
}
PIXELS = {
    "neurons": (800, 506),
    "certified_pieces": (800, 550),
    "certified_boxes": (640, 540),
    "segmentation": (1040, 500),
    "objective_by_key": (720, 380),
    "objective_map": (800, 560),
}
"""Of those that are not 800 by 450."""


def lines(axes):
    return [np.column_stack(line.get_data()) for line in axes.get_lines()]


def texts(figure):
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def dots(axes):
    found = [marks for marks in axes.collections if isinstance(marks, PathCollection)]
    return [np.asarray(marks.get_offsets()) for marks in found]


def legend(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


class TestEveryFigure:
    def test_each_has_an_example(self):
        assert EXAMPLES.keys() == FIGURES.keys()

    @pytest.mark.parametrize("kind", FIGURES)
    def test_png_of_its_size(self, kind):
        arrays, words = EXAMPLES[kind]
        png = render(kind, arrays, {"title": "a title", **words})
        picture = Image.open(io.BytesIO(png))
        assert picture.format == "PNG"
        assert picture.size == PIXELS.get(kind, (800, 450))
        assert len(picture.convert("RGB").getcolors(800 * 550)) > 10

    @pytest.mark.parametrize("kind", FIGURES)
    def test_no_text_is_read_as_mathematics(self, kind):
        arrays, words = EXAMPLES[kind]
        nasty = {name: [NASTY, *names[1:]] for name, names in words.items() if name != "best"}
        words = {"title": NASTY, **words, **nasty}
        if kind == "learning_curves":
            arrays = {**arrays, f"columns/{NASTY}": np.ones(6)}
        assert render(kind, arrays, words)
        arguments = {key: value for key, value in arrays.items() if "/" not in key}
        if kind == "learning_curves":
            arguments["columns"] = {NASTY: np.ones(6)}
        if kind == "objective_by_key":
            arguments["columns"] = {NASTY: KEYS["columns/kind"]}
        figure = FIGURES[kind](**arguments, **words)
        figure.draw_without_rendering()
        users = [t for t in figure.findobj(Text) if "$x^2$" in t.get_text() or "$r" in t.get_text()]
        assert users
        assert not any(text.get_parse_math() for text in users)

    def test_a_users_style_is_left_aside(self):
        plain = render("learning_curves", HISTORY, {"title": "a"})
        with mpl.rc_context({"text.usetex": True, "lines.linewidth": 9, "axes.facecolor": "red"}):
            assert render("learning_curves", HISTORY, {"title": "a"}) == plain

    def test_letters_the_font_lacks(self):
        assert render("learning_curves", HISTORY, {"title": "日本語"})

    def test_an_unknown_kind(self):
        with pytest.raises(KeyError, match="nonsense"):
            render("nonsense", {}, {})


HARD = [
    ("curve_fit", {"inputs": np.ones(1), "targets": np.ones(1)}),
    ("curve_fit", {"inputs": np.empty(0), "targets": np.empty(0)}),
    ("curve_fit", {"prediction": np.full(301, np.nan)}),
    ("curve_fit", {"prediction": np.full(301, -np.inf), "truth": np.zeros(301)}),
    ("curve_fit", {"prediction": np.full(301, 1e308)}),
    ("curve_fit", {"prediction": np.zeros(301), "truth": np.zeros(301)}),
    ("curve_fit", {name: np.ones(1) for name in ("grid", "prediction", "truth")}),
    ("neurons", {"weights": np.full(2, np.nan), "contributions": np.full((2, 301), np.nan)}),
    ("neurons", {"places": np.array([np.inf, np.nan]), "offset": np.array([1e308])}),
    ("neurons", {"contributions": None, "weights": np.array([1e308, -np.inf])}),
    ("neurons", {"contributions": None, "places": np.empty(0), "weights": np.empty(0)}),
    (
        "neurons",
        {name: np.empty((0, 301) if name == "contributions" else 0) for name in ("contributions", "places", "weights")},
    ),
    ("surface_fit", {"prediction": np.full((11, 21), np.nan)}),
    ("surface_fit", {"prediction": np.ones((11, 21)), "truth": np.ones((11, 21))}),
    ("surface_fit", {"prediction": np.full((11, 21), 1e308), "inputs": np.empty((0, 2))}),
    ("decision_regions", {"classes": np.zeros((11, 21), int)}),
    ("decision_regions", {"confidence": np.full((11, 21), np.nan)}),
    ("decision_regions", {"inputs": np.empty((0, 2)), "labels": np.empty(0, int)}),
    ("predicted_against_actual", {"predictions": np.full(60, np.nan)}),
    ("predicted_against_actual", {"targets": np.full(60, 2.0), "predictions": np.full(60, 2.0)}),
    ("predicted_against_actual", {"targets": np.ones(1), "predictions": np.full(1, 1e308)}),
    ("coefficients", {"trained": np.full((3, 1), np.nan)}),
    ("coefficients", {"trained": np.zeros((3, 1)), "optimal": np.zeros((3, 1))}),
    ("confusion_matrix", {"counts": np.zeros((3, 3), int)}),
    ("learning_curves", {"columns/train/loss": np.full(6, np.nan)}),
    ("learning_curves", {"columns/train/loss": np.geomspace(1e-308, 1e308, 6)}),
    ("learning_curves", {"columns/train/loss": np.array([1.0, 0, -1, 0, 0, 0])}),
    ("learning_curves", {"columns/train/loss": np.full(6, 0.5)}),
]


@pytest.mark.parametrize(("kind", "changes"), HARD)
def test_hard_inputs_are_drawn_without_a_warning(kind, changes):
    arrays, words = EXAMPLES[kind]
    assert render(kind, {**arrays, **changes}, {"title": "hard", **words})


class TestCurveFit:
    def test_it_shows_the_arrays(self):
        figure = FIGURES["curve_fit"](**CURVE, title="fit")
        upper, lower = figure.axes
        truth, network = lines(upper)
        np.testing.assert_array_equal(truth, np.column_stack([GRID, CURVE["truth"]]))
        np.testing.assert_array_equal(network, np.column_stack([GRID, CURVE["prediction"]]))
        (samples,) = dots(upper)
        np.testing.assert_array_equal(samples, np.column_stack([CURVE["inputs"], CURVE["targets"]]))
        assert legend(upper) == ["target", "samples", "network"]
        assert (lower.get_xlabel(), upper.get_ylabel(), lower.get_ylabel()) == ("x", "y", "|error|")
        assert figure.get_suptitle() == "fit"

    def test_the_largest_error_is_marked_and_written(self):
        error, top = lines(FIGURES["curve_fit"](**CURVE).axes[1])
        expected = np.abs(np.sin(GRID) - np.cos(GRID))
        np.testing.assert_allclose(error[:, 1], expected)
        place = expected.argmax()
        np.testing.assert_allclose(top, [[GRID[place], expected[place]]])
        written = f"largest: {expected[place]:.3g} at x = {GRID[place]:.3g}"
        assert written in texts(FIGURES["curve_fit"](**CURVE))

    def test_without_truth_there_is_one_panel(self):
        arrays = {name: array for name, array in CURVE.items() if name != "truth"}
        (axes,) = FIGURES["curve_fit"](**arrays).axes
        assert legend(axes) == ["samples", "network"]
        assert axes.get_xlabel() == "x"

    def test_a_prediction_far_away_leaves_the_scale_alone(self):
        figure = FIGURES["curve_fit"](**{**CURVE, "prediction": 1e6 + GRID})
        low, high = figure.axes[0].get_ylim()
        assert -10 < low < high < 10
        assert "the network's output is far outside this picture" in texts(figure)

    def test_gaps_of_a_prediction_are_said(self):
        figure = FIGURES["curve_fit"](**{**CURVE, "prediction": np.where(GRID > 0, GRID, np.inf)})
        assert np.isnan(lines(figure.axes[0])[1][0, 1])
        assert "the network's output is not finite everywhere" in texts(figure)

    def test_many_samples_are_thinned_the_same_way_each_time(self):
        arrays = {**CURVE, "inputs": np.arange(9000.0), "targets": np.arange(9000.0)}
        first, second = (dots(FIGURES["curve_fit"](**arrays).axes[0])[0] for _ in range(2))
        assert first.shape == (MOST_POINTS, 2)
        np.testing.assert_array_equal(first, second)


class TestNeurons:
    def test_each_has_a_row_with_what_it_adds_and_the_sum_so_far(self):
        upper, first, second = FIGURES["neurons"](**NEURONS).axes
        assert legend(upper) == ["target", "samples", "network"]
        assert legend(first) == ["the neuron adds", "takes away", "sum up to it"]
        sums = [0.25 + 0.5 * (GRID > 0), 0.25 + 0.5 * (GRID > 0) - 2.0 * (GRID > 1)]
        for axes, so_far in zip((first, second), sums, strict=True):
            np.testing.assert_allclose(lines(axes)[-1], np.column_stack([GRID, so_far]))
            assert axes.get_xlim() == upper.get_xlim()
        assert [t.get_text() for axes in (first, second) for t in axes.texts] == ["at 0\nweight 0.5", "at 1\nweight -2"]
        assert (upper.get_xlabel(), second.get_xlabel()) == ("", "x")

    def test_many_have_their_weights_at_their_places(self):
        arrays = {name: array for name, array in NEURONS.items() if name != "contributions"}
        _, lower = FIGURES["neurons"](**arrays).axes
        (stems,) = [c for c in lower.collections if isinstance(c, LineCollection)]
        np.testing.assert_array_equal(stems.get_segments(), [[[0, 0], [0, 0.5]], [[1, 0], [1, -2]]])
        assert lower.get_ylabel() == "weight"

    def test_it_grows_with_the_neurons(self):
        arrays = {**NEURONS, "places": np.arange(12.0), "weights": np.ones(12), "contributions": np.ones((12, 301))}
        figure = FIGURES["neurons"](**arrays)
        assert len(figure.axes) == 13
        rows = [axes.get_position().height * figure.get_figheight() for axes in figure.axes[1:]]
        assert min(rows) > 0.5


class TestSurfaceFit:
    def test_three_surfaces_on_two_scales(self):
        figure = FIGURES["surface_fit"](**SURFACE, title="surface")
        meshes = [axes.findobj(QuadMesh)[0] for axes in figure.axes[:3]]
        error = np.abs(SURFACE["prediction"] - SURFACE["truth"])
        for mesh, values in zip(meshes, (SURFACE["truth"], SURFACE["prediction"], error), strict=True):
            np.testing.assert_allclose(mesh.get_array().reshape(11, 21), values)
        truth = SURFACE["truth"]
        assert meshes[0].get_clim() == meshes[1].get_clim() == (truth.min(), truth.max())
        assert meshes[2].get_clim() == (0, error.max())
        names = [axes.get_title() for axes in figure.axes[:3]]
        assert names == ["target", "network", f"|error|, largest {error.max():.3g}"]
        np.testing.assert_array_equal(dots(figure.axes[0])[0], INPUTS)

    def test_the_first_index_is_x2(self):
        mesh = FIGURES["surface_fit"](**SURFACE).axes[0].findobj(QuadMesh)[0]
        corners = mesh.get_coordinates()
        assert corners.shape == (12, 22, 2)
        assert corners[0, -1, 0] > 3 > -3 > corners[0, -1, 1]

    def test_without_truth(self):
        arrays = {name: array for name, array in SURFACE.items() if name != "truth"}
        figure = FIGURES["surface_fit"](**arrays)
        assert [axes.get_title() for axes in figure.axes] == ["network", ""]  # and its colours


class TestDecisionRegions:
    def test_colours_follow_class_and_confidence(self):
        figure = FIGURES["decision_regions"](**REGIONS, **NAMES)
        mesh = figure.axes[0].findobj(QuadMesh)[0]
        tints = np.asarray(mesh.get_array()).reshape(11, 21, 3)
        strength = 0.1 + 0.5 * REGIONS["confidence"][..., None]
        palette = np.array([to_rgb(color) for color in COLORS])
        np.testing.assert_allclose(tints, 1 - strength * (1 - palette[REGIONS["classes"]]))

    def test_samples_by_class(self):
        axes = FIGURES["decision_regions"](**REGIONS, **NAMES).axes[0]
        found = [c for c in axes.collections if isinstance(c, PathCollection)]
        assert len(found) == 3
        for label, marks in enumerate(found):
            np.testing.assert_array_equal(marks.get_offsets(), INPUTS[REGIONS["labels"] == label])
            np.testing.assert_allclose(marks.get_facecolor()[0, :3], to_rgb(COLORS[label]))
        assert legend(axes) == NAMES["names"]

    def test_where_the_formula_changes_its_sign(self):
        truth = np.linspace(-1, 1, 11)[:, None] + np.zeros(21)
        axes = FIGURES["decision_regions"](**REGIONS, **NAMES, truth=truth).axes[0]
        assert legend(axes) == [*NAMES["names"], "formula = 0"]
        (boundary,) = [c for c in axes.collections if isinstance(c, ContourSet) and c.get_linestyle()[0][1] is not None]
        assert list(boundary.levels) == [0.0]

    def test_a_formula_that_does_not(self):
        axes = FIGURES["decision_regions"](**REGIONS, **NAMES, truth=np.full((11, 21), np.nan)).axes[0]
        assert "formula = 0" not in legend(axes)

    def test_ten_classes_differ_in_colour_and_shape(self):
        assert len(set(COLORS)) == len(set(MARKERS)) == 10
        names = [f"a rather long name of class {number}" for number in range(10)]
        axes = FIGURES["decision_regions"](**REGIONS, names=names).axes[0]
        assert len(set(legend(axes))) == 10


class TestCoefficients:
    def test_a_ring_and_a_dot_for_each(self):
        axes = FIGURES["coefficients"](**COEFFICIENTS, names=["a", "b", "bias"]).axes[0]
        rings, trained = dots(axes)
        np.testing.assert_array_equal(rings, np.column_stack([COEFFICIENTS["optimal"][:, 0], [2, 1, 0]]))
        np.testing.assert_array_equal(trained, np.column_stack([COEFFICIENTS["trained"][:, 0], [2, 1, 0]]))
        assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b", "bias"]

    def test_many_have_no_names(self):
        many = {name: np.arange(40.0)[:, None] for name in COEFFICIENTS}
        axes = FIGURES["coefficients"](**many, names=[f"x{k}" for k in range(40)]).axes[0]
        assert [label.get_text() for label in axes.get_yticklabels()] == []


class TestPredictedAgainstActual:
    def test_points_and_diagonal(self):
        axes = FIGURES["predicted_against_actual"](**ACTUAL).axes[0]
        np.testing.assert_array_equal(dots(axes)[0], np.column_stack(list(ACTUAL.values())))
        (diagonal,) = lines(axes)
        np.testing.assert_array_equal(diagonal[:, 0], diagonal[:, 1])
        assert axes.get_xlim() == axes.get_ylim() == tuple(diagonal[:, 0])
        assert axes.get_aspect() == 1
        assert (axes.get_xlabel(), axes.get_ylabel()) == ("actual", "predicted")


class TestConfusionMatrix:
    def test_counts_stand_in_their_cells(self):
        axes = FIGURES["confusion_matrix"](**COUNTS, **NAMES).axes[0]
        cells = {text.get_position()[::-1]: int(text.get_text()) for text in axes.texts}
        assert cells == dict(np.ndenumerate(COUNTS["counts"]))
        assert (axes.get_ylabel(), axes.get_xlabel()) == ("true class", "predicted class")
        assert [text.get_text() for text in axes.get_yticklabels()] == NAMES["names"]
        fractions = np.asarray(axes.images[0].get_array())
        np.testing.assert_allclose(fractions[0], np.array([50, 0, 3]) / 53)
        np.testing.assert_array_equal(fractions[2], 0)

    def test_numbers_contrast_with_their_cells(self):
        counts = np.array([[a, 100 - a] for a in range(0, 101, 5)])
        square = np.zeros((21, 21), int)
        square[:, :2] = counts
        axes = FIGURES["confusion_matrix"](square, [str(n) for n in range(21)]).axes[0]
        image = axes.images[0]
        cells = image.cmap(image.norm(image.get_array()))[..., :3]
        for text in axes.texts:
            column, row = text.get_position()
            least = 4.5 if square[row, column] else 3
            assert contrast(to_rgb(text.get_color()), cells[row, column]) >= least

    def test_twenty_classes_fit(self):
        names = [f"comp.sys.some_long_name.{number}" for number in range(20)]
        figure = FIGURES["confusion_matrix"](np.full((20, 20), 12345), names)
        figure.draw_without_rendering()
        axes = figure.axes[0]
        width = axes.get_window_extent().width / 20
        assert all(text.get_window_extent().width <= width for text in axes.texts)
        assert len({text.get_text() for text in axes.get_xticklabels()}) == 20


def contrast(first, second):
    """The contrast ratio of WCAG 2, from 1 to 21."""
    light = [luminance(np.asarray(color)) for color in (first, second)]
    return (max(light) + 0.05) / (min(light) + 0.05)


def luminance(color):
    linear = np.where(color <= 0.04045, color / 12.92, ((color + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


class TestLearningCurves:
    def figure(self, **columns):
        steps = HISTORY["steps"]
        return FIGURES["learning_curves"](steps, columns, title="curves")

    def test_losses_above_and_metrics_below(self):
        columns = {name.partition("/")[2]: array for name, array in HISTORY.items() if "/" in name}
        upper, lower = FIGURES["learning_curves"](HISTORY["steps"], columns).axes
        assert legend(upper) == ["train/loss", "validation/loss"]
        assert legend(lower) == ["validation/accuracy"]
        train, validation = lines(upper)
        np.testing.assert_array_equal(train[:, 0], HISTORY["steps"])
        np.testing.assert_array_equal(train[:, 1], columns["train/loss"])
        np.testing.assert_array_equal(validation[:, 1], [9, np.nan, 3, 2, np.nan, np.nan])
        assert (upper.get_yscale(), lower.get_yscale()) == ("log", "linear")
        assert lower.get_xlabel() == "updates"

    def test_a_value_between_gaps_is_a_dot(self):
        (axes,) = self.figure(loss=np.array([9.0, np.nan, 3, 2, np.nan, 1])).axes
        assert axes.get_lines()[0].get_markevery() == [0, 5]

    def test_losses_that_are_not_positive_are_linear(self):
        assert self.figure(loss=np.array([3.0, 2, 1, 0, 1, 1])).axes[0].get_yscale() == "linear"

    def test_no_column(self):
        assert "nothing was measured" in texts(self.figure())


class TestDrawing:
    def test_short_keeps_both_ends(self):
        assert short("as it is", 8) == "as it is"
        assert short("two\n lines\t", 20) == "two lines"
        assert short("0123456789" * 3, 10) == "012345…789"

    def test_some(self):
        np.testing.assert_array_equal(some(5), np.arange(5))
        indices = some(100_000)
        assert len(set(indices.tolist())) == MOST_POINTS
        assert (np.diff(indices) > 0).all()

    def test_span(self):
        assert span(np.array([0.0, 10.0])) == (-0.5, 10.5)
        assert span(np.array([np.nan, np.inf])) == span() == span(None) == (0, 1)
        assert span(np.array([5.0]), margin=0) == (4.5, 5.5)
        assert span(np.array([0])) == (-1, 1)
        assert span(np.array([1e308]), margin=0)[0] < LARGEST


class TestSegmentation:
    def test_found_missed_and_false_are_told_apart(self):
        truth = np.array([[True, True], [False, False]])
        predicted = np.array([[True, False], [True, False]])
        shown = overlays.overlay(np.zeros((2, 2)), truth, predicted)
        tints = {tuple(pixel) for pixel in shown.reshape(-1, 3)}
        assert len(tints) == 4
        assert tuple(shown[1, 1]) == (0, 0, 0)
        grey = overlays.marked(np.full((2, 2, 3), 0.5), np.array([[0, 1], [2, 0]]))
        assert np.allclose(grey[0, 0], 0.5)
        assert not np.allclose(grey[0, 1], grey[1, 0])

    def test_points_stand_where_they_are(self):
        figure = FIGURES["segmentation"](**MAPS, names=["a", "b", "c"])
        first, second = (figure.axes[index] for index in (0, 4))
        assert dots(first)[0].tolist() == [[4, 3]]
        assert dots(second)[0].tolist() == [[2.5, 8]]
        assert legend(figure.axes[3]) == ["a", "b", "c", "true point", "found point"]
