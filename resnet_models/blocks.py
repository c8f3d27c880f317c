"""The two residual blocks of Figure 5: basic (two 3x3) and bottleneck (1x1, 3x3, 1x1)."""

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

import torch.nn.functional as F
from torch import Tensor, nn

# Which published definition a network follows:
#   paper        stride on the first 1x1 of a bottleneck (He et al.; also called v1)
#   torchvision  stride on the 3x3 (v1.5)
#   project2022  stride on the 3x3 and no ReLU after the addition (the 2022 student project)
# A basic block has its stride on the first 3x3 in all of them.
Lineage = Literal["paper", "torchvision", "project2022"]


class Conv3x3(nn.Conv2d):
    """3x3 convolution with padding 1, no bias.

    Where the output is a single pixel (a 1x1 map, or a 2x2 map with stride 2: the last stage on
    32x32 images behind the ImageNet stem), most taps see nothing but padding. Training then
    multiplies with the other taps only: the same sums, up to rounding, and half the time of a
    ResNet-18 step (batch 64, 2 CPU cores: 138 ms against 288). Evaluation runs the layer as
    defined, so that tools that count operations see the published network.
    """

    def __init__(self, in_planes: int, out_planes: int, stride: int = 1) -> None:
        super().__init__(in_planes, out_planes, 3, stride=stride, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_planes, H, W) -> (N, out_planes, ceil(H / stride), ceil(W / stride))."""
        height, width = x.shape[-2:]
        if self.training and max(height, width) <= self.stride[0]:
            taps = self.weight[:, :, 1 : 1 + height, 1 : 1 + width]
            return F.linear(x.flatten(1), taps.flatten(1))[:, :, None, None]
        return super().forward(x)


def conv1x1(in_planes: int, out_planes: int, stride: int = 1) -> nn.Conv2d:
    """1x1 convolution."""
    return nn.Conv2d(in_planes, out_planes, 1, stride=stride, bias=False)


def projection(in_planes: int, out_planes: int, stride: int) -> nn.Sequential | None:
    """Shortcut option B (section 3.3): a projection where shapes change, else the identity."""
    if stride == 1 and in_planes == out_planes:
        return None
    return nn.Sequential(conv1x1(in_planes, out_planes, stride), nn.BatchNorm2d(out_planes))


class ResidualBlock(nn.Module, ABC):
    """y = ReLU(F(x) + shortcut(x)): equations 1 and 2."""

    expansion: ClassVar[int]  # output channels per plane
    downsample: nn.Sequential | None  # None: the identity

    def __init__(self, in_planes: int, planes: int, stride: int, lineage: Lineage) -> None:
        super().__init__()
        self.relu_after_addition = lineage != "project2022"
        self.add_residual(in_planes, planes, stride, lineage)
        # Last, as in torchvision: optimizer states list parameters in this order.
        self.downsample = projection(in_planes, planes * self.expansion, stride)

    @abstractmethod
    def add_residual(self, in_planes: int, planes: int, stride: int, lineage: Lineage) -> None:
        """Make the layers of F."""

    @abstractmethod
    def residual(self, x: Tensor) -> Tensor:
        """F(x): (N, in_planes, H, W) -> (N, planes * expansion, H / stride, W / stride)."""

    @abstractmethod
    def last_norm(self) -> nn.BatchNorm2d:
        """The BatchNorm that ends F."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_planes, H, W) -> (N, planes * expansion, H / stride, W / stride)."""
        shortcut = x if self.downsample is None else self.downsample(x)
        out = self.residual(x) + shortcut
        return F.relu(out, inplace=True) if self.relu_after_addition else out


class BasicBlock(ResidualBlock):
    """Two 3x3 convolutions (Figure 5, left): ResNet-18 and 34."""

    expansion = 1

    def add_residual(self, in_planes: int, planes: int, stride: int, _lineage: Lineage) -> None:
        """Two 3x3 convolutions, the first with the stride."""
        self.conv1 = Conv3x3(in_planes, planes, stride)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = Conv3x3(planes, planes)
        self.bn2 = nn.BatchNorm2d(planes)

    def residual(self, x: Tensor) -> Tensor:
        """Two 3x3 convolutions."""
        out: Tensor = F.relu(self.bn1(self.conv1(x)), inplace=True)
        out = self.bn2(self.conv2(out))
        return out

    def last_norm(self) -> nn.BatchNorm2d:
        """The second of two."""
        return self.bn2


class Bottleneck(ResidualBlock):
    """1x1, 3x3 and 1x1 convolutions (Figure 5, right): ResNet-50, 101 and 152."""

    expansion = 4

    def add_residual(self, in_planes: int, planes: int, stride: int, lineage: Lineage) -> None:
        """1x1, 3x3 and 1x1 convolutions; the lineage says which has the stride."""
        stride1x1, stride3x3 = (stride, 1) if lineage == "paper" else (1, stride)
        self.conv1 = conv1x1(in_planes, planes, stride1x1)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = Conv3x3(planes, planes, stride3x3)
        self.bn2 = nn.BatchNorm2d(planes)
        self.conv3 = conv1x1(planes, planes * self.expansion)
        self.bn3 = nn.BatchNorm2d(planes * self.expansion)

    def residual(self, x: Tensor) -> Tensor:
        """1x1 to reduce, 3x3, 1x1 to restore."""
        out: Tensor = F.relu(self.bn1(self.conv1(x)), inplace=True)
        out = F.relu(self.bn2(self.conv2(out)), inplace=True)
        out = self.bn3(self.conv3(out))
        return out

    def last_norm(self) -> nn.BatchNorm2d:
        """The third of three."""
        return self.bn3
