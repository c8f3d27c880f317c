"""What a researcher adds: networks in the catalog, networks and recipes in files."""

import dataclasses
import sys
from pathlib import Path
from typing import Final

import pytest

from bench.report import chapters
from resnet_models import MODELS

ADDED: Final = {
    "cifar_resnet26": ("cifar_resnet20", (4, 4, 4)),
    "resnet26": ("resnet50", (2, 2, 2, 2)),
}
"""Networks of 26 layers, which the paper does not have: what they are like, blocks per stage."""


def add_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put ``ADDED`` into the catalog."""
    for name, (like, layers) in ADDED.items():
        spec = dataclasses.replace(MODELS[like], depth=26, layers=layers, parameters={})
        monkeypatch.setitem(MODELS, name, spec)
    chapters._networks.cache_clear()


NETWORKS: Final = '''
"""Networks of a user's own."""
from torch import nn


def Tiny(in_channels, num_classes):
    pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    convolution = nn.Conv2d(in_channels, 8, 3, stride=2)
    return nn.Sequential(convolution, nn.ReLU(), pool, nn.Linear(8, num_classes))


def fails(in_channels, num_classes):
    raise RuntimeError("no\\nsuch thing")


def three(in_channels, num_classes):
    return 3


def flat(in_channels, num_classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(5, num_classes))


def wide(in_channels, num_classes):
    return nn.Sequential(nn.Flatten(), nn.LazyLinear(num_classes + 1))


def frozen(in_channels, num_classes):
    return nn.Flatten()


def __(in_channels, num_classes):
    return nn.Flatten()
'''


def write_networks(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str = "own_nets") -> Path:
    """The module ``name`` with ``NETWORKS``, where Python finds it."""
    path = folder / f"{name}.py"
    path.write_text(NETWORKS)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, name, raising=False)
    return path
