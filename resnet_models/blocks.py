"""The blocks of Figure 5, basic (two 3x3) and bottleneck (1x1, 3x3, 1x1), and their shortcuts."""

from abc import ABC, abstractmethod
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from resnet_models.spec import Block, Initialization, Lineage, Shortcut


class BatchNorm2d(nn.BatchNorm2d):
    """BatchNorm that leaves counting its batches to its network: one operation, not one each."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        assert self.momentum is not None, "a mean over all batches would need their count here"
        kept = self.track_running_stats or not self.training
        return F.batch_norm(
            x,
            self.running_mean if kept else None,
            self.running_var if kept else None,
            self.weight,
            self.bias,
            self.training,
            self.momentum,
            self.eps,
        )


class Conv3x3(nn.Conv2d):
    """3x3 convolution with padding 1, no bias.

    Where the output is a single pixel (a 1x1 map, or a 2x2 map with stride 2: the last stage on
    32x32 images behind the ImageNet stem), most taps see nothing but padding. After
    ``skip_padding`` training multiplies with the other taps only: the same sums, up to rounding,
    and half the time of a ResNet-18 step (batch 64, 2 CPU cores: 138 ms against 288).
    """

    def __init__(self, in_planes: int, out_planes: int, stride: int = 1) -> None:
        super().__init__(in_planes, out_planes, 3, stride=stride, padding=1, bias=False)
        self.skips_padding = False

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_planes, H, W) -> (N, out_planes, ceil(H / stride), ceil(W / stride))."""
        height, width = x.shape[-2:]
        if self.skips_padding and self.training and max(height, width) <= self.stride[0]:
            taps = self.weight[:, :, 1 : 1 + height, 1 : 1 + width]
            return F.linear(x.flatten(1), taps.flatten(1))[:, :, None, None]
        return super().forward(x)


def skip_padding(model: nn.Module) -> None:
    """Let the 3x3 convolutions of ``model`` leave out, in training, taps that see only padding.

    Evaluation runs the layers as defined, so that tools that count operations see the published
    network.
    """
    for module in model.modules():
        if isinstance(module, Conv3x3):
            module.skips_padding = True


def conv1x1(in_planes: int, out_planes: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(in_planes, out_planes, 1, stride=stride, bias=False)


class ZeroPadding(nn.Module):
    """Shortcut option A (section 3.3): every ``stride``-th pixel, zeros for the new channels.

    The paper does not say on which side the zeros go. Here half of them go on each, as in the
    public CIFAR-10 networks with this option; another place is the same network with its channels
    in another order.
    """

    def __init__(self, in_planes: int, out_planes: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.before = (out_planes - in_planes) // 2
        self.after = out_planes - in_planes - self.before

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_planes, H, W) -> (N, out_planes, ceil(H / stride), ceil(W / stride))."""
        picked = x[:, :, :: self.stride, :: self.stride]
        return F.pad(picked, (0, 0, 0, 0, self.before, self.after))


def make_shortcut(
    option: Shortcut, in_planes: int, out_planes: int, stride: int
) -> nn.Module | None:
    """What the shortcut does to x, by option (section 3.3); None: nothing.

    A: zero padding where shapes change. B: a projection there. C: a projection everywhere.
    """
    same_shape = stride == 1 and in_planes == out_planes
    if option == "none" or (same_shape and option != "C"):
        return None
    if option == "A":
        return ZeroPadding(in_planes, out_planes, stride)
    return nn.Sequential(conv1x1(in_planes, out_planes, stride), BatchNorm2d(out_planes))


class ResidualBlock(nn.Module, ABC):
    """y = ReLU(F(x) + shortcut(x)), equations 1 and 2; of a plain network y = ReLU(F(x))."""

    expansion: ClassVar[int]  # output channels per plane
    downsample: nn.Module | None  # None: the identity

    def __init__(
        self, in_planes: int, planes: int, stride: int, *, lineage: Lineage, shortcut: Shortcut
    ) -> None:
        super().__init__()
        self.has_shortcut = shortcut != "none"
        self.last_relu = lineage != "project2022"
        self.add_residual(in_planes, planes, stride, lineage)
        # Last, as in torchvision: optimizer states list parameters in this order.
        self.downsample = make_shortcut(shortcut, in_planes, planes * self.expansion, stride)

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
        if self.has_shortcut:
            shortcut = x if self.downsample is None else self.downsample(x)
            out = self.residual(x) + shortcut
        else:
            out = self.residual(x)
        return F.relu(out, inplace=True) if self.last_relu else out


class BasicBlock(ResidualBlock):
    """Two 3x3 convolutions (Figure 5, left): ResNet-18 and 34, and all networks of Table 6."""

    expansion = 1

    def add_residual(self, in_planes: int, planes: int, stride: int, _lineage: Lineage) -> None:
        self.conv1 = Conv3x3(in_planes, planes, stride)
        self.bn1 = BatchNorm2d(planes)
        self.conv2 = Conv3x3(planes, planes)
        self.bn2 = BatchNorm2d(planes)

    def residual(self, x: Tensor) -> Tensor:
        out: Tensor = F.relu(self.bn1(self.conv1(x)), inplace=True)
        out = self.bn2(self.conv2(out))
        return out

    def last_norm(self) -> nn.BatchNorm2d:
        return self.bn2


class Bottleneck(ResidualBlock):
    """1x1, 3x3 and 1x1 convolutions (Figure 5, right): ResNet-50, 101 and 152."""

    expansion = 4

    def add_residual(self, in_planes: int, planes: int, stride: int, lineage: Lineage) -> None:
        stride1x1, stride3x3 = (stride, 1) if lineage == "paper" else (1, stride)
        self.conv1 = conv1x1(in_planes, planes, stride1x1)
        self.bn1 = BatchNorm2d(planes)
        self.conv2 = Conv3x3(planes, planes, stride3x3)
        self.bn2 = BatchNorm2d(planes)
        self.conv3 = conv1x1(planes, planes * self.expansion)
        self.bn3 = BatchNorm2d(planes * self.expansion)

    def residual(self, x: Tensor) -> Tensor:
        out: Tensor = F.relu(self.bn1(self.conv1(x)), inplace=True)
        out = F.relu(self.bn2(self.conv2(out)), inplace=True)
        out = self.bn3(self.conv3(out))
        return out

    def last_norm(self) -> nn.BatchNorm2d:
        return self.bn3


BLOCKS: dict[Block, type[ResidualBlock]] = {"basic": BasicBlock, "bottleneck": Bottleneck}


def initialise(
    model: nn.Module, *, initialization: Initialization, zero_init_residual: bool
) -> None:
    """Initialise the convolutions; "he" (arXiv:1502.01852) is normal with variance 2 / fan_out.

    ``zero_init_residual`` starts the last BatchNorm gamma of each block at zero, so that every
    block starts as its shortcut (Goyal et al., arXiv:1706.02677, section 5.1).
    """
    for module in model.modules():
        if isinstance(module, nn.Conv2d) and initialization == "he":
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, ResidualBlock) and zero_init_residual:
            nn.init.zeros_(module.last_norm().weight)
