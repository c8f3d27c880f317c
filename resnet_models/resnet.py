"""The networks: a stem, three or four stages of residual blocks, a linear head.

Module names are torchvision's, so that state dicts can be exchanged.
"""

from typing import Any

import torch
from torch import Tensor, nn

from resnet_models.blocks import BLOCKS, BatchNorm2d, Conv3x3, initialise
from resnet_models.definition import Definition
from resnet_models.spec import PLANES, STRIDES, Initialization


class ResNet(nn.Module):
    """A network of Table 1 (four stages) or of Table 6 (three), or the plain one of its depth."""

    def __init__(
        self, definition: Definition, *, initialization: Initialization, zero_init_residual: bool
    ) -> None:
        super().__init__()
        spec, in_channels = definition.spec, definition.in_channels
        block, all_planes = BLOCKS[spec.block], PLANES[spec.family]
        planes = all_planes[0]
        pool: nn.Module = nn.Identity()
        if definition.stem == "imagenet":
            self.conv1 = nn.Conv2d(in_channels, planes, 7, stride=2, padding=3, bias=False)
            pool = nn.MaxPool2d(3, stride=2, padding=1)
        elif spec.family == "table6":
            self.conv1 = Conv3x3(in_channels, planes)  # Figure 7 shows its response too
        else:
            self.conv1 = nn.Conv2d(in_channels, planes, 3, padding=1, bias=False)
        self.bn1 = BatchNorm2d(planes)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = pool
        self.stages = [f"layer{number}" for number in range(1, len(spec.layers) + 1)]
        in_planes = planes
        options: Any = {"lineage": definition.lineage, "shortcut": definition.shortcut}
        for name, planes, count, stride in zip(
            self.stages, all_planes, spec.layers, STRIDES[spec.family], strict=True
        ):
            blocks = []
            for step in (stride, *(1,) * (count - 1)):  # the first changes width and size
                blocks.append(block(in_planes, planes, step, **options))
                in_planes = planes * block.expansion
            self.add_module(name, nn.Sequential(*blocks))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(in_planes, definition.num_classes)
        initialise(self, initialization=initialization, zero_init_residual=zero_init_residual)
        self._norms = [module for module in self.modules() if isinstance(module, BatchNorm2d)]

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) images -> (N, num_classes) logits."""
        if self.training:
            counts = [
                norm.num_batches_tracked
                for norm in self._norms
                if norm.track_running_stats and norm.num_batches_tracked is not None
            ]
            if counts:
                torch._foreach_add_(counts, 1)
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for name in self.stages:
            x = getattr(self, name)(x)
        logits: Tensor = self.fc(torch.flatten(self.avgpool(x), 1))
        return logits
