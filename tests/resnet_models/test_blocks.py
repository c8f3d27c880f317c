"""Blocks, shortcuts and initialisation are the published ones."""

import subprocess
import sys

import pytest
import torch
import torch.nn.functional as F

from resnet_models import build
from resnet_models.blocks import BasicBlock, Bottleneck, Conv3x3, ZeroPadding, skip_padding


@pytest.mark.parametrize("kind", [BasicBlock, Bottleneck])
def test_a_block_is_its_equation(kind):
    """Equations 1 and 2, and the plain network's: ReLU of F(x) plus shortcut, or of F(x) alone."""
    torch.manual_seed(0)
    x = torch.randn(2, 16, 8, 8)
    for shortcut in ("A", "B", "C", "none"):
        block = kind(16, 32, 2, lineage="paper", shortcut=shortcut).eval()
        expected = block.residual(x)
        if shortcut != "none":
            expected += block.downsample(x)
        assert torch.equal(block(x), F.relu(expected))


def test_project2022_has_no_relu_after_the_addition():
    torch.manual_seed(0)
    x = torch.randn(2, 16, 8, 8)
    block = BasicBlock(16, 16, 1, lineage="project2022", shortcut="B").eval()
    assert torch.equal(block(x), block.residual(x) + x)
    assert block(x).min() < 0


def test_option_a_takes_every_second_pixel_and_adds_empty_channels_on_both_sides():
    x = torch.randn(2, 16, 7, 7)
    out = ZeroPadding(16, 32, 2)(x)
    assert out.shape == (2, 32, 4, 4)
    assert torch.equal(out[:, 8:24], x[:, :, ::2, ::2])
    assert out[:, :8].count_nonzero() == out[:, 24:].count_nonzero() == 0
    assert not list(ZeroPadding(16, 32, 2).parameters())


def test_a_plain_network_is_the_residual_one_without_its_shortcuts():
    torch.manual_seed(0)
    residual = build("cifar_resnet20", shortcut="A").eval()
    plain = build("cifar_plain20").eval()
    plain.load_state_dict(residual.state_dict())
    for block in residual.modules():
        if isinstance(block, BasicBlock):
            block.has_shortcut = False
    x = torch.randn(2, 3, 32, 32)
    assert torch.equal(plain(x), residual(x))


def test_zero_init_makes_every_block_start_as_its_shortcut():
    torch.manual_seed(0)
    x = torch.rand(2, 256, 8, 8)
    block = build("resnet50", zero_init_residual=True).layer1[1].eval()
    assert torch.equal(block(x), x)
    block = build("cifar_resnet20", zero_init_residual=True).layer1[1].eval()
    assert torch.equal(block(x[:, :16]), x[:, :16])
    assert not torch.equal(build("resnet50").layer1[1].eval()(x), x)


@pytest.mark.parametrize("name", ["resnet18", "cifar_resnet110"])
def test_convolutions_have_he_initialisation(name):
    torch.manual_seed(0)
    convolutions = [m for m in build(name).modules() if isinstance(m, torch.nn.Conv2d)]
    for layer in convolutions:
        fan_out = layer.out_channels * layer.kernel_size[0] ** 2
        # A sample's deviation is off by about 1 / sqrt(2n).
        tolerance = 5 / (2 * layer.weight.numel()) ** 0.5
        assert layer.weight.std().item() == pytest.approx((2 / fan_out) ** 0.5, rel=tolerance)
        assert layer.bias is None


@pytest.mark.parametrize(("size", "stride"), [(1, 1), (1, 2), (2, 2)])
def test_taps_that_see_only_padding_can_be_left_out_in_training_alone(size, stride):
    torch.manual_seed(0)
    layer = Conv3x3(8, 16, stride).double()
    x = torch.randn(4, 8, size, size, dtype=torch.float64, requires_grad=True)

    def results():
        out = layer(x)
        return out, *torch.autograd.grad(out.square().sum(), (layer.weight, x))

    defined = results()
    assert defined[0].shape == (4, 16, 1, 1)
    skip_padding(layer)
    for shortened, expected in zip(results(), defined, strict=True):
        torch.testing.assert_close(shortened, expected)
    assert not torch.equal(results()[0], defined[0])  # or the shortened way was not taken
    assert torch.equal(layer.eval()(x), defined[0])


@pytest.mark.slow
def test_resnet1202_trains_in_3_gb():
    """Forward and backward at batch 8; the peak of a process of its own, torch included."""
    code = """
import resource, torch
from resnet_models import build
torch.manual_seed(0)
model = build("cifar_resnet1202")
logits = model(torch.randn(8, 3, 32, 32))
torch.nn.functional.cross_entropy(logits, torch.arange(8)).backward()
assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    unit = 1 if sys.platform == "darwin" else 1024
    assert int(done.stdout) * unit <= 3e9
