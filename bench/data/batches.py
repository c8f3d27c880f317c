"""Batches made on the device: the whole split lies there as uint8, nothing is loaded by image.

All randomness of an epoch is drawn at once on the CPU as a function of (seed, epoch, index), so
that resuming, the device and the number of workers cannot change it.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil
from operator import itemgetter

import torch
import torch.nn.functional as F
from torch import Tensor

from bench.data.datasets import Augmentation, DatasetSpec, Split
from bench.errors import UsageError

PAD = 4
"""Zero pixels around the image before the random crop (paper, section 4.2)."""


@dataclass(frozen=True, slots=True)
class EpochPlan:
    """The images of one epoch in their order, and what augmentation does with each.

    indices: int64 (n,). offsets: int64 (n, 2), top and left of the crop in the padded image, each
    in [0, 2 * PAD]. flips: bool (n,), mirrored left to right. None without augmentation.
    """

    indices: Tensor
    offsets: Tensor | None
    flips: Tensor | None

    def __len__(self) -> int:
        return len(self.indices)

    def to(self, device: torch.device) -> "EpochPlan":
        """The plan on ``device``: one copy an epoch, none a batch."""
        return self._each(lambda tensor: tensor.to(device))

    def batch(self, number: int, batch_size: int) -> "EpochPlan":
        """Piece ``number`` (from 0) of ``batch_size`` images; the last one may be smaller."""
        return self._each(itemgetter(slice(number * batch_size, (number + 1) * batch_size)))

    def batches(self, batch_size: int) -> Iterator["EpochPlan"]:
        return (self.batch(number, batch_size) for number in range(ceil(len(self) / batch_size)))

    def clone(self) -> "EpochPlan":
        return self._each(Tensor.clone)

    def copy_(self, other: "EpochPlan") -> None:
        """Overwrite this plan with ``other``, which has the same size."""
        for mine, theirs in zip(self._parts, other._parts, strict=True):
            if mine is not None:
                assert theirs is not None
                mine.copy_(theirs)

    @property
    def _parts(self) -> tuple[Tensor | None, ...]:
        return self.indices, self.offsets, self.flips

    def _each(self, change: Callable[[Tensor], Tensor]) -> "EpochPlan":
        offsets, flips = (None if part is None else change(part) for part in self._parts[1:])
        return EpochPlan(change(self.indices), offsets, flips)


def epoch_plan(
    seed: int, epoch: int, size: int, images: int | None, augmentation: Augmentation
) -> EpochPlan:
    """The plan of one epoch over the first ``images`` (None: all) of a permutation of ``size``.

    Raises:
        UsageError: ``images`` is more than there are.
    """
    if images is not None and images > size:
        raise UsageError(f"an epoch of {images:,} images, but the training set has {size:,}")
    digest = hashlib.sha256(f"{seed}/{epoch}".encode()).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(digest[:8]) >> 1)
    indices = torch.randperm(size, generator=generator)[:images]
    if augmentation == "none":
        return EpochPlan(indices, None, None)
    # Drawn for every image by its index, then gathered: they do not depend on ``images``.
    offsets = torch.randint(0, 2 * PAD + 1, (size, 2), generator=generator)
    flips = torch.randint(0, 2, (size,), generator=generator) == 1
    return EpochPlan(indices, offsets[indices], flips[indices])


class DeviceData:
    """A split on the device: images uint8 (N, H, W, C), labels int64 (N,)."""

    def __init__(self, split: Split, spec: DatasetSpec, device: torch.device) -> None:
        self.spec = spec
        self.images = torch.from_numpy(split.images).to(device)
        self.labels = torch.from_numpy(split.labels).to(device, torch.int64)
        mean = torch.tensor(spec.channel_mean, dtype=torch.float64)
        std = torch.tensor(spec.channel_std, dtype=torch.float64)
        # (x / 255 - mean) / std as one multiplication and one addition
        self._scale = (1 / (255 * std)).to(device, torch.float32)
        self._shift = (-mean / std).to(device, torch.float32)

    def __len__(self) -> int:
        return len(self.labels)

    def batch(
        self, indices: Tensor, offsets: Tensor | None = None, flips: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Normalised images (B, C, H, W), channels_last, and labels (B,) of ``indices``.

        Nothing here waits for the device.
        """
        images = self.images[indices]
        if offsets is not None:
            images = self._crop(images, offsets)
        if flips is not None:
            images = torch.where(flips[:, None, None, None], images.flip(2), images)
        normalised = torch.addcmul(self._shift, images.to(torch.float32), self._scale)
        return normalised.permute(0, 3, 1, 2), self.labels[indices]

    def _crop(self, images: Tensor, offsets: Tensor) -> Tensor:
        """Crops (B, H, W, C) of the zero-padded images, their top left corner at ``offsets``."""
        height, width = images.shape[1:3]
        padded = F.pad(images, (0, 0, PAD, PAD, PAD, PAD))
        # A view of every possible crop, (B, tops, lefts, H, W, C); the gather takes one an image.
        crops = padded.unfold(1, height, 1).unfold(2, width, 1).permute(0, 1, 2, 4, 5, 3)
        image = torch.arange(len(images), device=images.device)
        return crops[image, offsets[:, 0], offsets[:, 1]]
