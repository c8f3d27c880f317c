"""The ``torchvision`` lineage is torchvision's network, bit for bit."""

import pytest
import torch
import torch.nn.functional as F
import torchvision

from resnet_models import build

DEPTHS = [18, 34, 50, 101, 152]


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


@pytest.mark.parametrize("size", [32, 64])
@pytest.mark.parametrize("depth", DEPTHS)
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


@pytest.mark.parametrize("depth", DEPTHS)
def test_state_dicts_map_one_to_one_both_ways(depth):
    ours, theirs = both(depth)
    theirs.load_state_dict(ours.state_dict())
    assert_equal(ours.state_dict(), theirs.state_dict())
    # Optimizer states list parameters by position.
    assert [key for key, _ in ours.named_parameters()] == [
        key for key, _ in theirs.named_parameters()
    ]
