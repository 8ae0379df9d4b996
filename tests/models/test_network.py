"""What every kind of model says of itself is enough to build it again."""

from __future__ import annotations

import pytest
import torch

from nnintro.config.load import load_config
from nnintro.models import MODELS, Standardization, Standardized
from nnintro.models.build import Region, build_model, build_network, outline
from tests.models.test_unet import build as unet
from tests.support import config

SECTIONS = {
    "mlp": {"hidden": [3, 4], "activation": ["relu", "sine"], "output_activation": "tanh"},
    "steps": {"kind": "steps", "steps": [{"at": 0.5, "height": 2}], "activation": "sigmoid"},
}


def built(kind):
    if kind == "unet":
        return unet(image=(7, 9), normalization="group")
    setup = load_config(config(model=SECTIONS[kind])).setup()
    return build_model(setup, Region.unknown(setup))[0]


@pytest.mark.parametrize("kind", MODELS)
def test_an_architecture_is_enough_to_build_the_same_function(kind):
    network = built(kind)
    assert type(network) is MODELS[kind]
    assert network.kind == network.architecture()["kind"] == kind
    again = MODELS[kind].from_architecture(network.architecture()).double()
    again.load_state_dict(network.state_dict())
    shape = (2, 2, 7, 9) if network.takes == "images" else (5, 1)
    x = torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert torch.equal(again.eval()(x), network.eval()(x))
    assert again.architecture() == network.architecture()


def test_a_standardisation_is_part_of_it():
    columns = Standardization.none(1)
    inner = built("mlp")
    around = Standardized(inner, columns)
    both = Standardized(inner, columns, columns)
    found = [model.architecture()["standardize"] for model in (inner, around, both)]
    assert found == ["none", "inputs", "both"]
    assert list(both.architecture()) == list(inner.architecture())


def test_an_architecture_takes_no_memory():
    """4 TB of parameters: a run is compared with its config before anything is built."""
    wide = load_config(config(model={"hidden": [1_000_000, 1_000_000]})).setup()
    assert outline(wide).architecture()["hidden"] == [1_000_000, 1_000_000]


def test_parameters_are_rounded_to_the_precision():
    setup = load_config(config(model=SECTIONS["mlp"])).setup()
    box = torch.zeros(1), torch.ones(1)
    single, double = (
        build_network(setup.model, setup.task, box, dtype, torch.Generator().manual_seed(2))
        for dtype in (torch.float32, torch.float64)
    )
    for one, other in zip(single.parameters(), double.parameters(), strict=True):
        assert torch.equal(one, other.float())
