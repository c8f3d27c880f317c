"""What a researcher adds: networks in the catalog, networks and recipes in files."""

import dataclasses
from typing import Final

import pytest

from bench.report import sections
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
    sections._networks.cache_clear()
