"""Every network is the published one: counts, names, outputs, gradients."""

import pytest
import torch
import torch.nn.functional as F
import torchvision

from resnet_models import MODELS, build

CASES = [
    (name, stem, channels, classes, count)
    for name, spec in MODELS.items()
    for (stem, channels, classes), count in spec.parameters.items()
]


def test_catalog_names_the_depths_of_table_1():
    assert list(MODELS) == ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"]
    for name, spec in MODELS.items():
        convolutions = 2 if spec.block.expansion == 1 else 3
        assert spec.depth == convolutions * sum(spec.layers) + 2
        assert name == f"resnet{spec.depth}"
        assert {("imagenet", 3, 1000), ("imagenet", 3, 10), ("imagenet", 1, 10)} <= set(
            spec.parameters
        )


@pytest.mark.parametrize("lineage", ["paper", "torchvision", "project2022"])
@pytest.mark.parametrize(("name", "stem", "channels", "classes", "count"), CASES)
def test_parameter_count_is_exact(name, stem, channels, classes, count, lineage):
    with torch.device("meta"):
        model = build(name, lineage=lineage, stem=stem, in_channels=channels, num_classes=classes)
    assert sum(parameter.numel() for parameter in model.parameters()) == count


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"no model named 'resnet19'; there are resnet18, "):
        build("resnet19")


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_torchvision_lineage_equals_torchvision_bit_for_bit(name):
    torch.manual_seed(1)
    theirs = getattr(torchvision.models, name)(num_classes=10)
    ours = build(name, lineage="torchvision", num_classes=10)
    ours.load_state_dict(theirs.state_dict())
    images, labels = torch.randn(4, 3, 64, 64), torch.tensor([1, 2, 3, 4])
    for model in (ours.train(), theirs.train()):
        F.cross_entropy(model(images), labels).backward()
    for (key, mine), other in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        assert torch.equal(mine.grad, other.grad), key
    assert torch.equal(ours.eval()(images), theirs.eval()(images))


@pytest.mark.parametrize(
    ("lineage", "strides"),
    [("paper", (2, 1)), ("torchvision", (1, 2)), ("project2022", (1, 2))],
)
def test_lineage_decides_which_convolution_of_a_bottleneck_has_the_stride(lineage, strides):
    with torch.device("meta"):
        block = build("resnet50", lineage=lineage).layer2[0]
    assert (block.conv1.stride[0], block.conv2.stride[0]) == strides
    assert block.downsample[0].stride[0] == 2


def test_project2022_has_no_relu_after_the_addition():
    torch.manual_seed(0)
    images = torch.randn(2, 3, 64, 64)
    outputs = {}
    for lineage in ("torchvision", "project2022"):
        torch.manual_seed(1)
        outputs[lineage] = build("resnet18", lineage=lineage).layer1(
            images.repeat(1, 22, 1, 1)[:, :64]
        )
    assert outputs["torchvision"].min() == 0
    assert outputs["project2022"].min() < 0


def test_zero_init_makes_every_block_start_as_its_shortcut():
    torch.manual_seed(0)
    block = build("resnet50", zero_init_residual=True).layer1[1].eval()
    x = torch.rand(2, 256, 8, 8)
    assert torch.equal(block(x), x)


def test_convolutions_have_he_initialisation():
    torch.manual_seed(0)
    weight = build("resnet18").layer4[1].conv2.weight  # 512 outputs x 9 taps
    assert weight.std().item() == pytest.approx((2 / (512 * 9)) ** 0.5, rel=0.01)


@pytest.mark.parametrize(("size", "stride"), [(1, 1), (1, 2), (2, 2)])
def test_taps_that_see_only_padding_are_left_out_in_training_alone(size, stride):
    from resnet_models.blocks import Conv3x3

    torch.manual_seed(0)
    layer = Conv3x3(8, 16, stride).double()
    x = torch.randn(4, 8, size, size, dtype=torch.float64, requires_grad=True)
    results = {}
    for training in (True, False):
        out = layer.train(training)(x)
        grads = torch.autograd.grad(out.square().sum(), (layer.weight, x))
        results[training] = (out, *grads)
    for ours, defined in zip(results[True], results[False], strict=True):
        torch.testing.assert_close(ours, defined)
    assert results[False][0].shape == (4, 16, 1, 1)


@pytest.mark.parametrize(("stem", "side"), [("imagenet", 8), ("cifar", 32)])
def test_stem_decides_the_map_size_of_the_first_stage(stem, side):
    model = build("resnet18", stem=stem, num_classes=10).eval()
    x = torch.zeros(1, 3, 32, 32)
    assert model.maxpool(model.conv1(x)).shape == (1, 64, side, side)
    assert model(x).shape == (1, 10)
