"""The ``torchvision`` lineage is torchvision's network, bit for bit."""

from itertools import product

import pytest
import torch
import torch.nn.functional as F
import torchvision

from resnet_models import build

pytestmark = pytest.mark.heavy

# One network of each kind of block; the names and shapes of all five are compared below.
FAST = {(18, 32), (18, 64), (50, 32)}
CASES = [
    pytest.param(*case, marks=() if case in FAST else pytest.mark.slow)
    for case in product((18, 34, 50, 101, 152), (32, 64))
]


def both(depth):
    """Theirs with its own random weights, and ours with the same."""
    torch.manual_seed(depth)
    theirs = getattr(torchvision.models, f"resnet{depth}")()
    ours = build(f"resnet{depth}", lineage="torchvision")
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def assert_equal(ours, theirs):
    assert list(ours) == list(theirs)
    for key, value in theirs.items():
        assert torch.equal(ours[key], value), key


@pytest.mark.parametrize(("depth", "size"), CASES)
def test_outputs_gradients_and_buffers_are_identical(depth, size):
    ours, theirs = both(depth)
    images, labels = torch.randn(3, 3, size, size), torch.tensor([1, 20, 300])
    assert torch.equal(ours.eval()(images), theirs.eval()(images))
    trained = [model.train()(images) for model in (ours, theirs)]
    assert torch.equal(*trained)
    for model, logits in zip((ours, theirs), trained, strict=True):
        optimizer = torch.optim.SGD(model.parameters(), 1e-3, momentum=0.9, weight_decay=1e-4)
        F.cross_entropy(logits, labels).backward()
        optimizer.step()
    gradients = [
        {key: parameter.grad for key, parameter in model.named_parameters()}
        for model in (ours, theirs)
    ]
    assert_equal(*gradients)
    assert_equal(ours.state_dict(), theirs.state_dict())  # weights, running statistics, counters


@pytest.mark.parametrize("depth", [18, 34, 50, 101, 152])
def test_names_shapes_and_order_are_the_same(depth):
    with torch.device("meta"):
        theirs = getattr(torchvision.models, f"resnet{depth}")()
        ours = build(f"resnet{depth}", lineage="torchvision")

    def shapes(model):
        named = *model.named_parameters(), *model.state_dict().items()
        return [(name, tensor.shape) for name, tensor in named]

    assert shapes(ours) == shapes(theirs)  # optimizer states list parameters by position
