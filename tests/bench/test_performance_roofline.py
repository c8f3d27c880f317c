"""The roofline: work by formula equals what torch counts; the limit is by hand."""

import pytest
import torch

from bench.compare_loops import training_operations
from bench.performance.roofline import (
    Roof,
    Work,
    definition,
    layers_of,
    roof,
    roof_of,
    whole,
    work_by_layer,
)
from resnet_models import define
from tests.bench.factories import ENVIRONMENT
from tests.bench.speeds import make_limits, make_speed_record, make_workload

NETWORKS = [
    {"model": "resnet18", "stem": "imagenet", "shortcut": "B"},
    {"model": "resnet18", "stem": "cifar", "shortcut": "B"},
    {"model": "resnet34", "stem": "imagenet", "shortcut": "A", "resolution": 64},
    {"model": "resnet50", "stem": "imagenet", "shortcut": "B"},
    {"model": "resnet50", "stem": "imagenet", "shortcut": "C", "lineage": "torchvision"},
    {"model": "cifar_resnet20", "stem": "cifar", "shortcut": "A", "in_channels": 1},
]


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("batch_size", [2, 32])
def test_operations_of_training_are_those_that_torch_counts(network, batch_size):
    workload = make_workload(**network, batch_size=batch_size)
    counted = training_operations(definition(workload), workload.resolution)
    assert whole(work_by_layer(workload)).operations == batch_size * counted


@pytest.mark.parametrize("network", NETWORKS)
def test_operations_of_inference_are_twice_the_macs(network):
    workload = make_workload(**network, direction="inference", batch_size=5)
    macs = sum(layer.macs for layer in layers_of(workload))
    assert whole(work_by_layer(workload)).operations == 2 * 5 * macs


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


def test_the_roof_is_that_of_the_best_samples():
    assert roof(make_limits(), "float32") == Roof(operations_per_second=2e11, bytes_per_second=2e10)


def test_a_precision_that_is_only_emulated_has_no_roof():
    assert roof(make_limits(), "float16") is None


@pytest.mark.parametrize(
    "other", [{"device_name": "Another CPU"}, {"threads": 1}, {"torch": "3.0.0"}]
)
def test_limits_of_another_machine_say_nothing(other):
    record = make_speed_record()
    assert roof_of(record, make_limits()) is not None
    assert roof_of(record, None) is None
    environment = ENVIRONMENT.model_copy(update=other)
    assert roof_of(record, make_limits(environment=environment)) is None
