"""The U-Net against the lecture's definition in plain torch."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from benchmarks.lecture_unet import LectureUnet, copied, layers_in_order
from nnintro.config.models.unet import UnetModel
from nnintro.config.task import Task
from nnintro.errors import ConfigError
from nnintro.models import MODELS, Unet, parameter_count, precision_of
from nnintro.models.build import build_network
from tests.models.small_unet import SmallUnet

FULL = [64, 128, 256, 512, 1024]
NORMS = {"batch": nn.BatchNorm2d, "group": lambda c: nn.GroupNorm(math.gcd(8, c), c), "none": lambda _: nn.Identity()}
every_normalization = pytest.mark.parametrize("normalization", NORMS)


def section(channels, normalization="batch"):
    return UnetModel(kind="unet", channels=channels, normalization=normalization)


def build(channels=(4, 6, 10), inputs=2, outputs=3, normalization="batch", dtype=torch.float64, seed=0, image=None):
    task = Task("segmentation", inputs, outputs, ("no", "yes"), image=image)
    corner = torch.ones(inputs)
    generator = torch.Generator().manual_seed(seed)
    model = section(list(channels), normalization)
    return build_network(model, task, (-corner, corner), dtype, generator)


def images(*shape, dtype=torch.float64, seed=1):
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def pair(normalization="batch"):
    """Our small network and the one written out, with the same parameters."""
    ours = build(normalization=normalization)
    theirs = SmallUnet(NORMS[normalization]).double()
    copied(ours, theirs)
    return ours, theirs


class TestTheLecture:
    def test_has_as_many_parameters(self):
        ours, theirs = build(FULL, 3, 1, dtype=torch.float32), LectureUnet()
        assert parameter_count(ours) == parameter_count(theirs) == 31_310_145
        assert sum(row.parameters for row in ours.rows()) == 31_310_145
        shapes = [[tuple(p.shape) for p in m.parameters(recurse=False)] for m in layers_in_order(ours)]
        wanted = [
            [tuple(p.shape) for p in m.parameters(recurse=False)]
            for m in theirs.modules()
            if list(m.parameters(recurse=False))
        ]
        assert shapes == wanted
        assert len(shapes) == 20 * 2 + 4 + 1

    def test_full_size_maps_layer_by_layer_and_outputs(self):
        ours, theirs = build(FULL, 3, 1, dtype=torch.float32), LectureUnet()
        copied(ours, theirs)
        x = images(1, 3, 32, 32, dtype=torch.float32)
        ours.eval(), theirs.eval()
        with torch.no_grad():
            found, wanted = traced(ours, x), traced(theirs, x)
            assert sorted(found) == sorted(wanted)
            assert len(found) == 45
            assert (1, 1024, 2, 2) in found
            torch.testing.assert_close(ours(x), theirs(x))

    def test_one_full_size_training_step(self):
        network = build(FULL, 3, 1, dtype=torch.float32)
        x = images(1, 3, 32, 32, dtype=torch.float32)
        y = (x[:, :1] > 0).float()
        optimizer = torch.optim.SGD(network.parameters(), 0.1)
        losses = []
        for _ in range(2):
            loss = functional.binary_cross_entropy_with_logits(network(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(float(loss.detach()))
        assert losses[1] < losses[0]


def traced(network, x):
    """Shapes of the outputs of all layers with parameters."""
    found = []
    layers = [m for m in network.modules() if list(m.parameters(recurse=False))]
    hooks = [m.register_forward_hook(lambda _, __, y: found.append(tuple(y.shape))) for m in layers]
    network(x)
    for hook in hooks:
        hook.remove()
    return found


@every_normalization
class TestEqualsPlainTorch:
    def test_outputs_gradients_and_statistics_in_training(self, normalization):
        ours, theirs = pair(normalization)
        x, g = images(3, 2, 12, 8), images(3, 3, 12, 8, seed=2)
        for _ in range(2):
            ours.zero_grad()
            theirs.zero_grad()
            found, wanted = ours(x), theirs(x)
            torch.testing.assert_close(found, wanted, rtol=1e-11, atol=1e-12)
            (found * g).sum().backward()
            (wanted * g).sum().backward()
        compared = 0
        modules = [m for m in theirs.modules() if list(m.parameters(recurse=False))]
        for one, other in zip(layers_in_order(ours), modules, strict=True):
            for p, q in zip(one.parameters(), other.parameters(), strict=True):
                torch.testing.assert_close(p.grad, q.grad, rtol=1e-9, atol=1e-11)
                compared += 1
            for p, q in zip(one.buffers(), other.buffers(), strict=True):
                torch.testing.assert_close(p, q)
        assert compared == len(list(theirs.parameters())) == (54 if normalization != "none" else 30)

    def test_outputs_in_evaluation(self, normalization):
        ours, theirs = pair(normalization)
        for network in (ours, theirs):
            network(images(2, 2, 8, 8))  # statistics that are not 0 and 1
            network.eval()
        x = images(5, 2, 4, 8)
        torch.testing.assert_close(ours(x), theirs(x), rtol=1e-11, atol=1e-12)


class TestAnySize:
    @pytest.mark.parametrize("size", [(1, 1), (3, 5), (5, 8), (8, 9), (13, 1)])
    def test_is_padded_by_its_outermost_pixels_and_cropped(self, size):
        ours, theirs = pair()
        ours.eval(), theirs.eval()
        (height, width), x = size, images(2, 2, *size)
        above, beside = -height % 4, -width % 4
        top, left = above // 2, beside // 2
        rows = (torch.arange(height + above) - top).clamp(0, height - 1)
        columns = (torch.arange(width + beside) - left).clamp(0, width - 1)
        wanted = theirs(x[:, :, rows][..., columns])
        wanted = wanted[..., top : top + height, left : left + width]
        found = ours(x)
        assert found.shape == (2, 3, *size)
        torch.testing.assert_close(found, wanted, rtol=1e-11, atol=1e-12)

    def test_one_that_fits_is_not_padded(self):
        network = build()
        assert network.divisor == 4
        assert network.padding(8, 12) == (0, 0, 0, 0)
        assert network.padding(7, 9) == (1, 2, 0, 1)


def test_no_images_give_no_maps():
    assert build().eval()(images(0, 2, 8, 8)).shape == (0, 3, 8, 8)


class TestStandardization:
    def test_is_done_channel_by_channel(self):
        network = build().eval()
        mean, scale = torch.tensor([2.0, -1.0]), torch.tensor([3.0, 0.5])
        x = images(2, 2, 8, 8)
        wanted = network(x)
        network.standardize_(mean, scale)
        raw = x * scale[:, None, None] + mean[:, None, None]
        torch.testing.assert_close(network(raw), wanted, rtol=1e-11, atol=1e-12)

    def test_is_kept_with_the_parameters(self):
        network, other = build(), build(seed=3)
        network.standardize_(torch.tensor([2.0, -1.0]), torch.tensor([3.0, 0.5]))
        other.load_state_dict(network.state_dict())
        assert other.mean.tolist() == [2.0, -1.0]
        assert [n for n, _ in other.named_parameters() if n in ("mean", "scale")] == []

    def test_takes_bytes(self):
        network = build(dtype=torch.float32).eval()
        x = torch.randint(256, (1, 2, 8, 8), dtype=torch.uint8)
        assert torch.equal(network(x), network(x.float()))


class TestParameters:
    def test_are_torchs_own_to_the_bits(self):
        network = build(seed=7)
        generator = torch.Generator().manual_seed(7)
        drawn = 0
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                weight, bias = torch.empty(layer.weight.shape).double(), layer.bias
                fan_in = weight.shape[1] * weight.shape[2] * weight.shape[3]
                bound = 1 / math.sqrt(fan_in)
                nn.init.kaiming_uniform_(weight, a=math.sqrt(5), generator=generator)
                assert torch.equal(layer.weight, weight)
                assert torch.equal(bias, bias.clone().uniform_(-bound, bound, generator=generator))
                assert float(weight.abs().max()) <= bound
                drawn += 1
        assert drawn == 15

    def test_have_the_spread_of_torchs_constructors(self):
        """Of a layer each, against what torch draws by itself."""
        network = build([16, 32, 64], 3, 1)
        for layer in (network.down[1][0], network.upsample[0]):
            weight = layer.weight.detach()
            with torch.random.fork_rng():
                torch.manual_seed(1)  # the largest of few biases is not always near the bound
                if isinstance(layer, nn.Conv2d):
                    twin = nn.Conv2d(weight.shape[1], weight.shape[0], 3)
                else:
                    twin = nn.ConvTranspose2d(*weight.shape[:2], 2, stride=2)
            torchs, bias, torchs_bias = (p.detach() for p in (twin.weight, layer.bias, twin.bias))
            assert float(weight.std()) == pytest.approx(float(torchs.std()), rel=0.05)
            assert float(weight.max()) == pytest.approx(float(torchs.max()), rel=0.01)
            wanted = pytest.approx(float(torchs_bias.abs().max()), rel=0.2)
            assert float(bias.abs().max()) == wanted

    def test_leave_torchs_global_stream_alone(self):
        before = torch.random.get_rng_state()
        build()
        assert torch.equal(torch.random.get_rng_state(), before)

    def test_are_the_same_in_both_precisions(self):
        single, double = build(dtype=torch.float32), build()
        for p, q in zip(single.parameters(), double.parameters(), strict=True):
            assert torch.equal(p, q.float())
        assert (precision_of(single), single.mean.dtype) == (torch.float32, torch.float32)

    def test_follow_from_the_stream(self):
        one, same, other = build(seed=1), build(seed=1), build(seed=2)
        assert torch.equal(one.readout.weight, same.readout.weight)
        assert not torch.equal(one.readout.weight, other.readout.weight)


def test_group_normalization_has_8_groups_or_what_divides():
    network = build([16, 12], normalization="group")
    groups = [m.num_groups for m in network.modules() if isinstance(m, nn.GroupNorm)]
    assert groups == [8, 8, 4, 4, 8, 8, 8, 8]


class TestSinglePixel:
    def test_is_refused_with_a_normalization(self):
        for normalization in ("batch", "group"):
            with pytest.raises(ConfigError) as error:
                build([4, 6, 8], image=(4, 3), normalization=normalization)
            assert str(error.value) == (
                "model.channels: 2 halvings leave a single pixel of 4 x 3, which cannot be "
                "normalized; expected fewer channels, or normalization: none"
            )

    def test_is_fine_without_one(self):
        network = build([4, 6, 8], image=(4, 3), normalization="none")
        assert network(images(1, 2, 4, 3)).shape == (1, 3, 4, 3)

    def test_two_are_enough(self):
        network = build([4, 6, 8], image=(4, 5))
        assert network(images(1, 2, 4, 5)).shape == (1, 3, 4, 5)


def test_the_table_of_layers():
    network = build([4, 8], 1, 2, image=(10, 7))
    assert str(network).splitlines() == [
        "layer       shape               activation  parameters",
        "down 1      1 -> 4, 10 x 8      relu               204",
        "down 2      4 -> 8, 5 x 4       relu               912",
        "middle      8 -> 4, 5 x 4       relu               456",
        "upsample 1  4 -> 4, 10 x 8      identity            68",
        "up 1        4 + 4 -> 4, 10 x 8  relu               456",
        "output      4 -> 2, 10 x 8      identity            10",
        "total                                            2,106",
    ]
    network.standardize_(torch.tensor([0.5]), torch.tensor([2.0]))
    assert network.rows()[0].layer == "standardize"
    assert parameter_count(network) == 2106


def test_the_table_without_an_image():
    shapes = [row.shape for row in build([4, 8, 16], 1, 2).rows()]
    assert shapes == [
        "1 -> 4",
        "4 -> 8",
        "8 -> 16",
        "16 -> 8",
        "8 -> 8",
        "8 + 8 -> 4",
        "4 -> 4",
        "4 + 4 -> 4",
        "4 -> 2",
    ]


def test_is_in_the_table_of_models():
    assert MODELS["unet"] is Unet
    assert isinstance(build(), Unet)


def test_no_convolution_has_to_convert():
    """Channels last but for the coarsest maps: what they are fastest in."""
    network = build(dtype=torch.float32)
    seen = []

    def look(layer, arguments):
        pair = (arguments[0], layer.weight)
        seen.append(tuple(t.is_contiguous(memory_format=torch.channels_last) for t in pair))

    for layer in layers_in_order(network):
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            layer.register_forward_pre_hook(look)
    network(images(2, 2, 9, 8, dtype=torch.float32))
    assert seen == [(True, True)] * 4 + [(False, False)] * 4 + [(True, True)] * 7


def test_autocast_keeps_parameters_and_statistics():
    network = build(dtype=torch.float32)
    x = images(2, 2, 8, 8, dtype=torch.float32)
    exact = network(x)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rounded = network(x)
    assert rounded.dtype == torch.bfloat16
    assert {p.dtype for p in network.parameters()} == {torch.float32}
    assert float((rounded.float() - exact).detach().abs().max()) < 0.1
    rounded.float().square().mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())
