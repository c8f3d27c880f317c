"""The roofline: work by formula equals what torch counts; the limit is by hand."""

import pytest
import torch
import torch.nn.functional as F

from bench.analysis.roofline import Roof, Work, roof, roof_of, whole, work_by_layer, work_of
from bench.records.speed import definition, layers_of
from bench.training.cost import training_operations
from resnet_models import define
from tests.support.factories import ENVIRONMENT
from tests.support.speeds import make_limits, make_speed_record, make_workload

NETWORKS = [
    {"model": "resnet18", "stem": "imagenet", "shortcut": "B"},
    {"model": "resnet18", "stem": "cifar", "shortcut": "B"},
    {"model": "resnet34", "stem": "imagenet", "shortcut": "A", "resolution": 64},
    {"model": "resnet50", "stem": "imagenet", "shortcut": "B"},
    {"model": "resnet50", "stem": "imagenet", "shortcut": "C", "lineage": "torchvision"},
    {"model": "cifar_resnet20", "stem": "cifar", "shortcut": "A", "in_channels": 1},
]


def multiplications(layer):
    """Of one image, that see a pixel and not padding: counted by convolving ones with ones."""
    if layer.kind == "linear":
        return layer.macs
    ones, taps = torch.ones(1, 1, *layer.input_shape[1:]), torch.ones(1, 1, *[layer.kernel] * 2)
    seen = F.conv2d(ones, taps, stride=layer.stride, padding=layer.kernel // 2)
    assert seen.shape[2:] == layer.output_shape[1:]
    return layer.input_shape[0] * layer.output_shape[0] * int(seen.sum())


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("batch_size", [2, 32])
def test_operations_leave_out_padding_and_the_gradient_of_the_images(network, batch_size):
    changes = network | {"batch_size": batch_size}
    training, inference = (
        work_by_layer(make_workload(**changes, direction=direction))
        for direction in ("training", "inference")
    )
    layers = [layer for layer in layers_of(make_workload(**changes)) if layer.macs]
    expected = [2 * batch_size * multiplications(layer) for layer in layers]
    assert [work.operations for work in inference] == expected
    assert [work.operations for work in training] == [
        (2 if number == 0 else 3) * operations for number, operations in enumerate(expected)
    ]


@pytest.mark.parametrize("network", [NETWORKS[0], NETWORKS[4], NETWORKS[5]])
def test_torch_counts_the_same_but_for_padding(network):
    workload = make_workload(**network, batch_size=1)
    counted = training_operations(definition(workload), workload.resolution)
    ours = whole(work_by_layer(workload)).operations
    assert 0.6 * counted < ours < counted


def test_padding_hardly_counts_on_large_images():
    workload = make_workload(direction="inference", batch_size=1, resolution=1024)
    macs = sum(layer.macs for layer in layers_of(workload))
    assert 0.97 < whole(work_by_layer(workload)).operations / (2 * macs) < 1


def test_weights_that_see_only_padding_are_not_moved():
    last = make_workload(direction="inference", batch_size=1)
    convolutions = [layer for layer in layers_of(last) if layer.macs]
    work = dict(zip([layer.name for layer in convolutions], work_by_layer(last), strict=True))
    # 3x3, 512 -> 512 planes on a single pixel: the middle tap alone.
    assert work["layer4.1.conv2"].moved_bytes == 4 * (512 * 512 + 2 * 512)


@pytest.mark.parametrize(("precision", "size"), [("float32", 4), ("bfloat16", 2), ("float16", 2)])
def test_bytes_of_the_first_and_last_layer_by_hand(precision, size):
    changes = {"stem": "cifar", "batch_size": 8, "precision": precision}
    inference = work_by_layer(make_workload(direction="inference", **changes))
    # conv1: 3x3, 3 -> 64 planes on 32x32; fc: 512 -> 10 with bias.
    conv1 = size * (9 * 3 * 64 + 8 * (3 + 64) * 32 * 32)
    fc = size * (513 * 10 + 8 * (512 + 10))
    assert (inference[0].moved_bytes, inference[-1].moved_bytes) == (conv1, fc)
    training = work_by_layer(make_workload(**changes))
    assert (training[0].moved_bytes, training[-1].moved_bytes) == (2 * conv1, 3 * fc)


def test_the_optimizer_and_the_cast_are_one_more_layer_without_operations():
    """By hand: 11,181,642 parameters of ResNet-18, of which 9,600 are BatchNorm's."""
    changes = {"model": "resnet18", "batch_size": 32, "precision": "bfloat16"}
    workload = make_workload(**changes)
    *layers, weights = work_of(workload)
    assert layers == work_by_layer(workload)
    optimizer, cast = 5 * 4 * 11_181_642, (4 + 2) * (11_181_642 - 9_600)
    assert weights == Work(operations=0, moved_bytes=optimizer + cast)
    assert weights.moved_bytes / 1e6 == pytest.approx(291, abs=0.5)
    assert whole(layers).moved_bytes / 1e6 == pytest.approx(42, abs=0.5)
    (*_, float32) = work_of(make_workload(**changes | {"precision": "float32"}))
    assert float32.moved_bytes == optimizer
    (*_, inference) = work_of(make_workload(**changes, direction="inference"))
    assert inference.moved_bytes == cast
    plain = make_workload(model="resnet18", direction="inference")
    assert work_of(plain) == work_by_layer(plain)


def test_weights_are_moved_once_a_batch():
    one, many = (
        whole(work_by_layer(make_workload(direction="inference", batch_size=batch)))
        for batch in (1, 64)
    )
    assert many.operations == 64 * one.operations
    assert many.moved_bytes < 64 * one.moved_bytes
    assert many.intensity > one.intensity


def test_shapes_of_inputs_are_those_that_the_modules_see():
    network = define("resnet50", shortcut="C", num_classes=7)
    workload = make_workload(model="resnet50", shortcut="C", classes=7, resolution=33)
    with torch.device("meta"):
        model = network.build().eval()
    seen = {}
    for name, module in model.named_modules():
        if not list(module.children()):
            module.register_forward_hook(
                lambda _module, inputs, _out, name=name: seen.update(
                    {name: tuple(inputs[0].shape[1:])}
                )
            )
    model(torch.zeros(1, 3, 33, 33, device="meta"))
    for layer in layers_of(workload):
        if layer.macs:
            assert layer.input_shape == seen[layer.name], layer.name


def test_attainable_is_the_lower_of_the_two_roofs():
    machine = Roof(operations_per_second=100.0, bytes_per_second=10.0)
    bound_by_memory = Work(operations=50, moved_bytes=10)
    bound_by_products = Work(operations=5000, moved_bytes=10)
    assert machine.attainable(bound_by_memory) == 50
    assert machine.attainable(bound_by_products) == 100
    # One after the other: 1 s of moving, 50 s of multiplying.
    assert machine.least_seconds([bound_by_memory, bound_by_products]) == 51
    # Taken as one, the first could hide behind the second: the bound by layer is stricter.
    total = whole([bound_by_memory, bound_by_products])
    assert total.operations / machine.attainable(total) < 51


def test_the_roof_is_that_of_the_best_samples_of_product_and_convolution():
    assert roof(make_limits(), "float32") == Roof(operations_per_second=2e11, bytes_per_second=2e10)
    assert roof(make_limits(), "float16") is None  # only emulated
    limits = make_limits(
        convolution_operations=10**9,
        convolution_seconds={"float32": (0.01, 0.004), "bfloat16": (0.02,)},
    )
    assert roof(limits, "float32").operations_per_second == 2.5e11
    assert roof(limits, "bfloat16").operations_per_second == 4e11


@pytest.mark.parametrize(
    "other", [{"device_name": "Another CPU"}, {"threads": 1}, {"torch": "3.0.0"}]
)
def test_limits_of_another_machine_say_nothing(other):
    record = make_speed_record()
    assert roof_of(record, make_limits()) is not None
    assert roof_of(record, None) is None
    environment = ENVIRONMENT.model_copy(update=other)
    assert roof_of(record, make_limits(environment=environment)) is None
