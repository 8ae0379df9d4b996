"""Model kind ``mlp``: affine layers with activations between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from nnintro.config.section import (
    Complaint,
    Complaints,
    Fraction,
    ModelSection,
    NameOrMapping,
    Positive,
    Rule,
    Section,
    one_or_list,
)

ActivationName = Literal[
    "identity", "step", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu", "silu", "softplus", "sine"
]


class TorchInitialization(Section):
    """torch.nn.Linear's own: uniform with bound 1/sqrt(fan_in), weights and biases."""

    kind: Literal["torch"]


class XavierInitialization(Section):
    """Glorot and Bengio (2010): uniform weights, variance gain^2 2/(fan_in + fan_out); zero biases.

    The gain is that of the layer's activation in torch.nn.init: 5/3 for tanh, sqrt(2) for relu and
    about that for leaky_relu, else 1.
    """

    kind: Literal["xavier"]


class HeInitialization(Section):
    """He et al. (2015): normal weights of variance 2/fan_in; zero biases."""

    kind: Literal["he"]


class ZerosInitialization(Section):
    """All weights and biases zero."""

    kind: Literal["zeros"]


class SpreadInitialization(Section):
    """Units of the first hidden layer centred evenly across the data, each switching there."""

    kind: Literal["spread"]
    steepness: Positive = 40.0
    """Slope of a unit's argument: by how much it grows across the whole domain."""


class StepsInitialization(Section):
    """The network of steps that `nnintro construct` builds for the formula, as sigmoids.

    For one hidden layer of sigmoids on a function of one input. Units that the steps leave over are
    spread across the domain, with no weight in the output. Needs the extra `certify`.
    """

    kind: Literal["steps"]
    error: Positive | None = None
    """How far the steps may be from the formula; by default the best that the layer can do."""
    steepness: Positive = 200.0
    """Slope of a unit's argument: by how much it grows across the whole domain."""


class GivenLayer(Section):
    """The parameters of one layer, s(x W^T + b)."""

    W: Annotated[list[Annotated[list[float], Field(min_length=1)]], Field(min_length=1)]
    """A row for each neuron: its weight for every input."""
    b: Annotated[list[float], Field(min_length=1)]
    """One for each neuron."""


class GivenInitialization(Section):
    """Weights and biases by hand, for one layer after the other, the output's last."""

    kind: Literal["given"]
    layers: list[GivenLayer] = Field(default=[])
    """One entry for each layer."""


Initialization = Annotated[
    TorchInitialization
    | XavierInitialization
    | HeInitialization
    | ZerosInitialization
    | SpreadInitialization
    | StepsInitialization
    | GivenInitialization,
    Field(discriminator="kind"),
    NameOrMapping(),
]

Activation = Annotated[
    Annotated[ActivationName, Tag("one")] | Annotated[list[ActivationName], Tag("list")], Discriminator(one_or_list)
]

Width = Annotated[int, Field(ge=1, le=1_000_000)]


class MlpModel(ModelSection):
    """A fully connected network: affine layers with activations between them."""

    kind: Literal["mlp"]
    hidden: Annotated[list[Width], Field(max_length=256)] = Field(default=[64])
    """Widths of the hidden layers; [] is a single layer (one neuron when there is one output)."""
    activation: Activation = "sigmoid"
    """One name, or one name per hidden layer."""
    output_activation: ActivationName = "identity"
    """What the outputs go through; cross_entropy wants identity."""
    dropout: Fraction = 0.0
    """Probability with which a hidden unit is left out of an update."""
    initialization: Initialization = Field(
        default_factory=lambda: TorchInitialization(kind="torch"), json_schema_extra={"default": "torch"}
    )
    """The weights to begin with: a name, or a mapping with its kind and settings."""

    @property
    def activations(self) -> list[ActivationName]:
        """One activation per hidden layer."""
        if isinstance(self.activation, list):
            return self.activation
        return [self.activation] * len(self.hidden)

    @property
    def final_activation(self) -> str:
        return self.output_activation

    @property
    def is_random(self) -> bool:
        return self.dropout > 0

    def notes(self) -> list[str]:
        said = untrained_layers(self.activations, self.output_activation)
        if self.hidden and isinstance(self.initialization, ZerosInitialization):
            said.append(
                "all weights start at zero: the units of a hidden layer get the same gradient and "
                "stay equal to each other"
            )
        return said


def untrained_layers(hidden: Sequence[str], output: str) -> list[str]:
    """What a step among the activations keeps gradient descent from, in words."""
    if output == "step":
        return ["the output activation is step: its gradient is zero everywhere, so nothing is trained"]
    if "step" not in hidden:
        return []
    last = len(hidden) - hidden[::-1].index("step")
    return [
        f"hidden layer {last} has the activation step, whose gradient is zero everywhere: "
        f"only the layers behind it are trained"
    ]


def one_activation_per_hidden_layer(model: MlpModel) -> Complaints:
    """A list of activations is as long as the list of widths."""
    layers, names = len(model.hidden), model.activation
    if isinstance(names, list) and len(names) != layers:
        yield Complaint(
            "model.activation", f"expected one name, or one per hidden layer ({layers}), got a list of {len(names)}"
        )


def dropout_has_units_to_drop(model: MlpModel) -> Complaints:
    """Dropout needs a hidden layer."""
    if model.dropout > 0 and not model.hidden:
        yield Complaint("model.dropout", "the network has no hidden layer to drop units from; expected 0")


def spread_has_units_to_place(model: MlpModel) -> Complaints:
    """The spread initialization needs a hidden layer."""
    if not model.hidden and isinstance(model.initialization, SpreadInitialization):
        yield Complaint(
            "model.initialization",
            "spread places hidden units, but the network has no hidden layer; expected torch, xavier, he or zeros",
        )


MlpModel.rules = (
    Rule(one_activation_per_hidden_layer, ("model.hidden", "model.activation")),
    Rule(dropout_has_units_to_drop, ("model.hidden", "model.dropout")),
    Rule(spread_has_units_to_place, ("model.hidden", "model.initialization")),
)
