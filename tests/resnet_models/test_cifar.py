"""The networks of section 4.2."""

import subprocess
import sys

import pytest
import torch

from resnet_models import build


@pytest.mark.parametrize("name", ["cifar_resnet20", "cifar_plain56"])
def test_three_stages_on_maps_of_32_16_and_8_pixels(name):
    shapes = {}
    with torch.device("meta"):
        model = build(name)
        for stage, module in model.named_children():
            module.register_forward_hook(
                lambda _module, _x, out, stage=stage: shapes.update({stage: tuple(out.shape)})
            )
        assert model(torch.zeros(1, 3, 32, 32)).shape == (1, 10)
    expected = {"layer1": (1, 16, 32, 32), "layer2": (1, 32, 16, 16), "layer3": (1, 64, 8, 8)}
    assert {stage: shapes[stage] for stage in shapes if "layer" in stage} == expected


def test_networks_take_other_channels_classes_and_sizes():
    model = build("cifar_resnet20", in_channels=1, num_classes=7).eval()
    assert model(torch.zeros(2, 1, 28, 28)).shape == (2, 7)


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
