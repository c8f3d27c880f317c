"""Layer responses and gradient norms, held against sums that are worked out another way."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F

from bench.data.batches import DeviceData
from bench.data.datasets import SPECS
from bench.records.schema import Signals
from bench.training import signals
from resnet_models import build
from tests.support.small import small_dataset

pytestmark = pytest.mark.heavy

CPU = torch.device("cpu")
IMAGES = 8


@pytest.fixture(scope="module")
def data():
    return DeviceData(small_dataset("cifar10").train, SPECS["cifar10"], CPU)


def network(name="cifar_resnet20", **options):
    torch.manual_seed(0)
    return build(name, **{"num_classes": 10, **options})


def state(model):
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def test_responses_are_those_after_batch_norm_and_before_relu(data):
    model = network()
    with torch.no_grad():
        model.layer2[0].bn2.weight.fill_(3)
        model.layer2[0].bn2.bias.fill_(5)
        model.bn1.weight.fill_(0.25)
    found = signals.measure(model, data, IMAGES, "initial")
    responses = dict(zip(found.layers, found.response_std, strict=True))
    assert len(responses) == 19  # 6n + 1 convolutions
    assert list(responses)[:3] == ["conv1", "layer1.0.conv1", "layer1.0.conv2"]
    # BatchNorm gives unit deviation, times its weight; a bias for all channels moves nothing.
    assert responses.pop("layer2.0.conv2") == pytest.approx(3, rel=1e-3)
    assert responses.pop("conv1") == pytest.approx(0.25, rel=1e-3)
    assert list(responses.values()) == pytest.approx([1] * 17, rel=1e-2)


def test_gradients_are_those_of_the_mean_loss(data):
    model = network()
    found = signals.measure(model, data, IMAGES, "final")
    model.train()
    inputs, labels = data.batch(torch.arange(IMAGES))
    x = F.relu(model.bn1(model.conv1(inputs)))
    at = {"layer1.0": x}
    x = model.layer1(x)
    at["layer2.0"] = x
    at["layer3.0"] = x = model.layer2(x)
    logits = model.fc(model.avgpool(model.layer3(x)).flatten(1))
    for kept in at.values():
        kept.retain_grad()
    F.cross_entropy(logits, labels).backward()
    norms = dict(zip(found.blocks, found.input_gradient_norm, strict=True))
    assert len(norms) == 9
    for name, kept in at.items():
        assert norms[name] == pytest.approx(float(kept.grad.norm()), rel=1e-4)
    weights = dict(zip(found.layers, found.weight_gradient_norm, strict=True))
    assert weights["layer3.2.conv2"] == pytest.approx(
        float(model.layer3[2].conv2.weight.grad.norm()), rel=1e-4
    )
    assert (found.moment, found.images) == ("final", IMAGES)


def test_behind_an_identity_the_gradient_passes_unchanged(data):
    """Equation 1: where F is 0, dH/dx = F'(x) + 1 is 1."""
    found = signals.measure(network(zero_init_residual=True), data, IMAGES, "initial")
    norms = dict(zip(found.blocks, found.input_gradient_norm, strict=True))
    for stage in (1, 2, 3):  # the first block of a stage changes the shape
        same = [norms[f"layer{stage}.{block}"] for block in (1, 2)]
        assert same[0] == pytest.approx(same[1], rel=1e-5)


def test_a_gradient_vanishes_in_a_plain_net_and_not_in_a_residual_one(data):
    drops = {}
    for name in ("cifar_plain56", "cifar_resnet56"):
        norms = signals.measure(network(name), data, IMAGES, "initial").input_gradient_norm
        drops[name] = norms[0] / norms[-1]
    # A plain net's gradient changes by powers of ten on its way, in one direction or the other.
    plain, residual = drops.values()
    assert max(plain, 1 / plain) > 5 * max(residual, 1 / residual)


@pytest.mark.parametrize("name", ["cifar_plain20", "resnet18", "resnet50"])
def test_measuring_leaves_no_trace(data, name):
    model = network(name).eval()
    before, random = state(model), torch.get_rng_state()
    found = signals.measure(model, data, IMAGES, "initial")
    assert torch.equal(torch.get_rng_state(), random)
    assert all(torch.equal(tensor, before[key]) for key, tensor in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not model.training
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
    assert signals.measure(model, data, IMAGES, "initial") == found


def test_only_3x3_convolutions_have_a_response(data):
    """As in Figure 7: the 7x7 stem, 1x1 convolutions and projections have none."""
    found = signals.measure(network("resnet50"), data, IMAGES, "initial")
    assert len(found.layers) == len(found.blocks) == 16
    assert {name.rpartition(".")[2] for name in found.layers} == {"conv2"}


@pytest.mark.parametrize(("micro", "images"), [(128, 64), (1000, 64), (32, 16), (4, 2), (2, 2)])
def test_no_more_memory_than_a_step_of_training(micro, images):
    assert signals.images_for(micro) == images


@pytest.mark.parametrize("field", ["response_std", "weight_gradient_norm", "input_gradient_norm"])
def test_a_value_too_few_is_refused(field):
    values: dict[str, Any] = {
        "moment": "final", "images": 2, "layers": ("a", "b"), "response_std": (1.0, 2.0),
        "weight_gradient_norm": (1.0, 2.0), "blocks": ("a", "b"), "input_gradient_norm": (1.0, 2.0),
    }  # fmt: skip
    Signals(**values)
    with pytest.raises(ValueError, match="not one value for each layer and block"):
        Signals(**values | {field: (1.0,)})
