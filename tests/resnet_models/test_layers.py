"""The layer table is the network: names, shapes, parameters, MACs; and Table 1 follows from it."""

import warnings
from itertools import product
from typing import get_args

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from bench.reference.loader import load_paper
from resnet_models import MODELS, build, define
from resnet_models.blocks import ZeroPadding
from resnet_models.layers import layer_table, stages
from resnet_models.spec import Lineage

pytestmark = pytest.mark.heavy

KINDS = {
    nn.Conv2d: "convolution",
    nn.BatchNorm2d: "batch norm",
    nn.MaxPool2d: "max pool",
    nn.AdaptiveAvgPool2d: "average pool",
    nn.Linear: "linear",
    ZeroPadding: "zero padding",
}
# The lineage decides nothing in a basic block but its last ReLU, which is no module.
VARIANTS = [
    (name, {"shortcut": shortcut, "lineage": lineage, "stem": stem})
    for name in ("resnet18", "resnet50", "plain18", "cifar_resnet20", "cifar_plain20")
    for shortcut, lineage, stem in product(
        MODELS[name].shortcuts,
        get_args(Lineage) if name == "resnet50" else ["paper"],
        ["cifar"] if "cifar" in name else ["imagenet", "cifar"],
    )
]


def executed_modules(definition):
    """For images of 32 and of 33 pixels: what is known of the leaf modules, as they run."""
    with torch.device("meta"):
        model = definition.build().eval()
    names = {module: name for name, module in model.named_modules()}
    rows = []

    def note(module, _x, out):
        kind = next((kind for type_, kind in KINDS.items() if isinstance(module, type_)), None)
        if kind is not None:
            count = sum(parameter.numel() for parameter in module.parameters())
            rows.append((names[module], kind, tuple(out.shape[1:]), count))

    for module in names:
        module.register_forward_hook(note)
    for pixels in (32, 33):
        model(torch.zeros(1, definition.in_channels, pixels, pixels, device="meta"))
    return rows


@pytest.mark.parametrize(("name", "options"), VARIANTS)
def test_rows_are_the_modules_of_the_network_in_order(name, options):
    definition = define(name, in_channels=1, num_classes=7, **options)
    rows = [
        (layer.name, layer.kind, layer.output_shape, layer.parameters)
        for pixels in (32, 33)
        for layer in layer_table(definition, pixels)
        if layer.kind not in ("relu", "addition")
    ]
    assert rows == executed_modules(definition)


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "plain18", "cifar_resnet20"])
def test_relus_and_additions_are_those_that_run(name):
    """A dispatch mode sees the functional ones, which are no modules."""
    from torch.utils._python_dispatch import TorchDispatchMode

    seen = []

    class Watch(TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            out = function(*args, **(kwargs or {}))
            operator = function.overloadpacket.__name__.rstrip("_")
            if operator in ("relu", "add") and out.dim() == 4:
                kind = {"relu": "relu", "add": "addition"}[operator]
                seen.append((kind, tuple(out.shape[1:])))
            return out

    with torch.device("meta"), torch.no_grad(), Watch():
        build(name).eval()(torch.zeros(1, 3, 64, 64))
    rows = [
        (layer.kind, layer.output_shape)
        for layer in layer_table(define(name), 64)
        if layer.kind in ("relu", "addition")
    ]
    assert rows == seen


def test_operations_apart_are_those_of_fvcore():
    """fvcore counts BatchNorm and average pooling too, in the same convention."""
    with warnings.catch_warnings(action="ignore"):
        from fvcore.nn import FlopCountAnalysis

    counted = FlopCountAnalysis(build("resnet18").eval(), torch.zeros(1, 3, 64, 64))
    operators = counted.unsupported_ops_warnings(False).by_operator()
    layers = layer_table(define("resnet18"), 64)
    for kind, operator in [("batch norm", "batch_norm"), ("average pool", "adaptive_avg_pool2d")]:
        ours = sum(layer.operations for layer in layers if layer.kind == kind)
        assert ours == operators[operator]


def test_operations_of_a_relu_an_addition_and_a_pool():
    layers = {layer.name: layer for layer in layer_table(define("resnet18"), 224)}
    assert layers["relu"].operations == 64 * 112 * 112
    assert layers["maxpool"].operations == 9 * 64 * 56 * 56
    assert layers["layer4.1.addition"].operations == 512 * 7 * 7
    assert layers["layer4.1.relu2"].operations == 512 * 7 * 7
    assert all((layer.macs == 0) != (layer.operations == 0) for layer in layers.values())


def test_a_basic_block_costs_18_hwc2_and_a_bottleneck_17():
    """With C planes on HxW maps, and 4C channels between bottlenecks (Figure 5).

    Basic: two 3x3 convolutions C -> C, 2 * 9 * HWC^2. Bottleneck: 1x1 from 4C to C, 3x3, and 1x1
    back to 4C, (4 + 9 + 4) * HWC^2.
    """
    for name, factor in [("resnet34", 18), ("resnet50", 17)]:
        layers = layer_table(define(name), 224)
        for stage, (planes, side) in enumerate([(64, 56), (128, 28), (256, 14), (512, 7)], 1):
            block = [layer for layer in layers if layer.name.startswith(f"layer{stage}.1.")]
            assert sum(layer.macs for layer in block) == factor * side**2 * planes**2


def test_stages_are_those_that_table_1_prints():
    table1 = load_paper().tables.table1
    for depth, column in table1.depths.items():
        rows = {stage.name: stage for stage in stages(define(f"resnet{depth}"), 224)}
        sizes = {name: stage.output_size for name, stage in rows.items()}
        names = ["conv1", "conv2_x", "conv3_x", "conv4_x", "conv5_x", "head"]
        assert sizes == dict(zip(names, [112, 56, 28, 14, 7, 1], strict=True))
        assert rows["conv1"].text == "7×7, 64, stride 2"
        assert rows["head"].text == "average pool; 1000-d fc"
        for number, count in enumerate(column.blocks, start=2):
            planes = 64 * 2 ** (number - 2)
            text = {
                "basic": f"[3×3, {planes}; 3×3, {planes}] × {count}",
                "bottleneck": f"[1×1, {planes}; 3×3, {planes}; 1×1, {4 * planes}] × {count}",
            }[column.block]
            pool = "3×3 max pool, stride 2; " if number == 2 else ""
            assert rows[f"conv{number}_x"].text == pool + text


def test_stages_of_a_network_for_small_images():
    rows = stages(define("cifar_resnet20"), 32)
    assert [(row.name, row.output_size, row.text) for row in rows] == [
        ("conv1", 32, "3×3, 16"),
        ("conv2_x", 32, "[3×3, 16; 3×3, 16] × 3"),
        ("conv3_x", 16, "[3×3, 32; 3×3, 32] × 3"),
        ("conv4_x", 8, "[3×3, 64; 3×3, 64] × 3"),
        ("head", 1, "average pool; 10-d fc"),
    ]


@pytest.mark.parametrize(
    ("name", "options", "pixels"),
    [
        ("resnet18", {}, 32),
        ("resnet18", {}, 28),
        ("resnet34", {"shortcut": "A"}, 33),
        ("resnet50", {}, 32),
        ("resnet50", {"lineage": "torchvision"}, 32),
        ("resnet18", {}, 64),
        ("resnet18", {"stem": "cifar"}, 7),
        ("cifar_resnet20", {}, 32),
        ("cifar_resnet20", {}, 5),
    ],
)
def test_live_is_what_has_a_gradient_and_multiplies_a_pixel(name, options, pixels):
    """Of every convolution alone, on ones: exactly the taps on padding have none."""
    for layer in layer_table(define(name, **options), pixels):
        if layer.kind != "convolution":
            assert (layer.live_parameters, layer.live_macs) == (layer.parameters, layer.macs)
            continue
        assert layer.kernel is not None
        assert layer.stride is not None
        # All pairs of an input plane and an output plane are alike.
        weight = torch.ones(1, 1, layer.kernel, layer.kernel, requires_grad=True)
        ones = torch.ones(1, 1, *layer.input_shape[1:])
        seen = F.conv2d(ones, weight, stride=layer.stride, padding=layer.kernel // 2)
        seen.sum().backward()
        pairs = layer.input_shape[0] * layer.output_shape[0]
        live = int((weight.grad != 0).sum()), int(weight.grad.sum())
        assert (layer.live_parameters, layer.live_macs) == tuple(pairs * count for count in live)


@pytest.mark.parametrize(
    ("depth", "dead_percent"), [(18, 62.1), (34, 52.3), (50, 26.7), (101, 14.8), (152, 10.8)]
)
def test_most_parameters_see_only_padding_behind_the_imagenet_stem(depth, dead_percent):
    """The figures of docs/methodology.md."""
    layers = layer_table(define(f"resnet{depth}", num_classes=10), 32)
    live = sum(layer.live_parameters for layer in layers)
    dead = 1 - live / sum(layer.parameters for layer in layers)
    assert round(100 * dead, 1) == dead_percent


def test_gradients_of_the_whole_network_are_zero_where_weights_are_dead():
    """With all positive inputs and weights, nothing else can be zero."""
    model = build("resnet18", num_classes=10)
    for parameter in model.parameters():
        parameter.detach().fill_(1e-3)
    model.eval()(torch.ones(1, 3, 32, 32)).sum().backward()
    grown = {name: int((p.grad != 0).sum()) for name, p in model.named_parameters()}
    for layer in layer_table(define("resnet18", num_classes=10), 32):
        if layer.kind == "convolution":
            assert grown[f"{layer.name}.weight"] == layer.live_parameters, layer.name


def test_every_parameter_of_table_6_is_live():
    for name in ("cifar_resnet20", "cifar_resnet110", "cifar_plain20"):
        layers = layer_table(define(name), 32)
        assert [layer.live_parameters for layer in layers] == [layer.parameters for layer in layers]
