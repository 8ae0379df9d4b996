"""``model: {kind: steps}``: a network built by hand, and the neurons that its entries define."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag, model_validator

from nnintro.config.models.mlp import untrained_layers
from nnintro.config.section import Complaint, Complaints, ModelSection, Positive, Rule, Section, exactly, one_or_list
from nnintro.wording import shown

MOST_STEPS = 20_000
DEFAULT_STEEPNESS = 1000.0
Corner = Annotated[list[float], Field(min_length=2, max_length=2), exactly(2, "[x1, x2]")]
Edge = Annotated[Annotated[float, Tag("one")] | Annotated[Corner, Tag("list")], Discriminator(one_or_list)]


class StepOrBump(Section):
    """A step at a place; a bump between two, which is two steps; with two inputs, a tower."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["at"]}, {"required": ["from", "to"]}]})

    at: float | None = None
    """The place of a step: it is 0 up to there, and its height beyond."""
    from_: Edge | None = Field(default=None, alias="from")
    """Where a bump begins; with two inputs the lower corner [x1, x2] of a tower."""
    to: Edge | None = None
    """Where it ends; with two inputs the upper corner."""
    height: float
    """By how much the output is higher there: the neuron's weight in the layer behind it."""

    @model_validator(mode="after")
    def _is_one_of_the_two(self) -> StepOrBump:
        given = [key for key, value in self.values.items() if value is not None]
        if given not in (["at"], ["from", "to"]):
            got = " and ".join(given) or "neither"
            raise ValueError(f"expected at (a step), or from and to (a bump), got {got}")
        if self.at is None:
            _check_extent(self.from_, self.to)
        return self

    @property
    def values(self) -> dict[str, float | list[float] | None]:
        """The places, by their keys."""
        return {"at": self.at, "from": self.from_, "to": self.to}

    @property
    def is_tower(self) -> bool:
        return isinstance(self.from_, list)

    @property
    def sides(self) -> list[tuple[float, float]]:
        """(from, to) in each input; none for a step."""
        if self.from_ is None or self.to is None:
            return []
        return list(zip(_as_list(self.from_), _as_list(self.to), strict=True))


def _as_list(edge: float | list[float]) -> list[float]:
    return edge if isinstance(edge, list) else [edge]


def _check_extent(low: Any, high: Any) -> None:
    pairs = list(zip(_as_list(low), _as_list(high), strict=False))
    if isinstance(low, list) is not isinstance(high, list):
        raise ValueError(f"expected from and to alike, two numbers or two [x1, x2], got {shown(low)} and {shown(high)}")
    if not all(a < b for a, b in pairs):
        where = " in both inputs" if isinstance(low, list) else ""
        raise ValueError(f"expected from below to{where}, got {shown(low)} and {shown(high)}")


class StepsModel(ModelSection):
    """Two layers by hand: a neuron per step of the output, its place and height given."""

    kind: Literal["steps"]
    steps: Annotated[list[StepOrBump], Field(max_length=MOST_STEPS)] = Field(default=[])
    """Steps `{at: 0.35, height: 0.8}` and bumps `{from: 0.35, to: 0.7, height: 0.8}`; with two
    inputs towers `{from: [0, 0], to: [0.5, 1], height: 0.8}`."""
    offset: float = 0.0
    """The output's bias: what it is where no step has risen."""
    activation: Literal["step", "sigmoid"] = "step"
    """`step` is the lecture's I{z > 0}; `sigmoid` a steep slope in its place."""
    steepness: Positive | None = None
    """`sigmoid`: the weight of every hidden neuron, w in s(w (x - place)); 1000 by default."""

    @property
    def weight(self) -> float:
        """The weight of every hidden neuron."""
        if self.activation == "step":
            return 1.0
        return DEFAULT_STEEPNESS if self.steepness is None else self.steepness

    @property
    def towers(self) -> list[StepOrBump]:
        return [entry for entry in self.steps if entry.is_tower]

    @property
    def places(self) -> list[tuple[int, float]]:
        """(input, where it switches) of each neuron of the first layer.

        Towers share theirs: each place in each input is there once, in ascending order.  The
        neurons of steps and bumps are in the order of the file, equal places not merged.
        """
        if self.towers:
            sides = [enumerate(entry.sides) for entry in self.towers]
            return sorted({(i, place) for side in sides for i, ends in side for place in ends})
        return [
            (0, place) for entry in self.steps for place in ([entry.at] if entry.at is not None else entry.sides[0])
        ]

    @property
    def heights(self) -> list[float]:
        """The weights of the output: of each tower, or of each neuron of the first layer."""
        return [
            height
            for entry in self.steps
            for height in ([entry.height, -entry.height] if entry.sides and not entry.is_tower else [entry.height])
        ]

    @property
    def hidden(self) -> list[int]:
        """Widths of the hidden layers: towers have two of them."""
        return [len(self.places), *([len(self.towers)] if self.towers else [])]

    @property
    def activations(self) -> list[Literal["step", "sigmoid"]]:
        return [self.activation] * len(self.hidden)

    @property
    def output_activation(self) -> Literal["identity"]:
        return "identity"

    def resolved(self) -> dict[str, Any]:
        return {"steepness": self.weight} if self.activation == "sigmoid" else {}

    def notes(self) -> list[str]:
        if not self.steps:
            return [
                "the model has no steps, so training can learn a constant and nothing else: such a config is for "
                "`nnintro construct`, which places the steps; to train, list some under model.steps or take kind: mlp"
            ]
        return untrained_layers(self.activations, "identity")


MOST_WEIGHTS = 1 << 24
"""Of towers' second layer, which joins each of them with every place."""


def steepness_is_a_sigmoids(model: StepsModel) -> Complaints:
    """A step is as steep as can be."""
    if model.activation == "step" and model.steepness is not None:
        yield Complaint("model.steepness", "only activation: sigmoid has it, not step")


def towers_fit_into_memory(model: StepsModel) -> Complaints:
    """Every tower has a weight for every place."""
    if not model.towers:
        return
    places, towers = model.hidden
    if math.prod(model.hidden) > MOST_WEIGHTS:
        yield Complaint(
            "model.steps",
            f"{towers:,} towers with {places:,} places make {places * towers:,} weights; expected "
            f"at most {MOST_WEIGHTS:,}: put the towers on a grid, where they share their places",
        )


StepsModel.rules = (
    Rule(steepness_is_a_sigmoids, ("model.activation", "model.steepness")),
    Rule(towers_fit_into_memory, ("model.steps",)),
)
