"""Model kind ``mlp``: affine layers with activations between them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from nnintro.config.section import Fraction, NameOrMapping, Positive, Section, one_or_list

ActivationName = Literal[
    "identity",
    "step",
    "sigmoid",
    "tanh",
    "relu",
    "leaky_relu",
    "elu",
    "gelu",
    "silu",
    "softplus",
    "sine",
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


Initialization = Annotated[
    TorchInitialization
    | XavierInitialization
    | HeInitialization
    | ZerosInitialization
    | SpreadInitialization
    | StepsInitialization,
    Field(discriminator="kind"),
    NameOrMapping(),
]


Activation = Annotated[
    Annotated[ActivationName, Tag("one")] | Annotated[list[ActivationName], Tag("list")],
    Discriminator(one_or_list),
]

Width = Annotated[int, Field(ge=1, le=1_000_000)]


class MlpModel(Section):
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
        default_factory=lambda: TorchInitialization(kind="torch"),
        json_schema_extra={"default": "torch"},
    )
    """The weights to begin with: a name, or a mapping with its kind and settings."""

    @property
    def activations(self) -> list[ActivationName]:
        """One activation per hidden layer."""
        if isinstance(self.activation, list):
            return self.activation
        return [self.activation] * len(self.hidden)
