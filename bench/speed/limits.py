"""What the machine can do at most: a large matrix product or convolution, and a large copy."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

from bench.records.schema import Engine, Environment, Precision
from bench.records.speed import Conditions, Limits
from bench.speed.timing import best_stopwatch, sample
from bench.training.engine import DTYPES, applied, native_bfloat16
from bench.training.environment import device_option, threads_option

# The product is as large as it takes to reach the peak, the copy larger than any cache.
PRODUCT_SIZE: Final = {"cpu": 3072, "cuda": 8192}
# A 3x3 convolution as inside a network, with enough of everything: images, planes, pixels a side.
IMAGES: Final = {"cpu": 32, "cuda": 256}
PLANES: Final = 256
SIDE: Final = 28
COPIED_BYTES: Final = {"cpu": 2**28, "cuda": 2**30}
# Of each measurement in each round.
SECONDS: Final = 0.7
LEAST: Final = 2


def native_precisions(device: torch.device) -> tuple[Precision, ...]:
    """What ``device`` multiplies itself; an emulated product says nothing of convolutions."""
    native: list[Precision] = ["float32"]
    if native_bfloat16(device):
        native.append("bfloat16")
    if device.type == "cuda":
        native.append("float16")
    return tuple(native)


def matrix_product(device: torch.device, precision: Precision, size: int) -> Callable[[], Tensor]:
    """A product of two square matrices of ``size`` rows."""
    shape = (2, size, size)
    left, right = torch.randn(shape, device=device).to(DTYPES.get(precision, torch.float32))
    return lambda: left @ right


def convolution(device: torch.device, precision: Precision) -> Callable[[], Tensor]:
    """A 3x3 convolution with padding 1, channels last."""
    dtype = DTYPES.get(precision, torch.float32)
    images = torch.randn(IMAGES[device.type], PLANES, SIDE, SIDE, device=device)
    weight = torch.randn(PLANES, PLANES, 3, 3, device=device)
    images, weight = (
        tensor.to(dtype).to(memory_format=torch.channels_last) for tensor in (images, weight)
    )
    return lambda: F.conv2d(images, weight, padding=1)


@dataclass(slots=True)
class LimitSamples:
    """Seconds of products, convolutions and copies, gathered over the rounds."""

    device: torch.device
    product_seconds: dict[Precision, tuple[float, ...]] = field(default_factory=dict)
    convolution_seconds: dict[Precision, tuple[float, ...]] = field(default_factory=dict)
    copy_seconds: tuple[float, ...] = ()

    @property
    def convolution_operations(self) -> int:
        """Of one convolution; each row and column of taps misses the image once, at its border."""
        return 2 * IMAGES[self.device.type] * PLANES**2 * (3 * SIDE - 2) ** 2

    def add_round(self, seconds: float = SECONDS) -> None:
        """Measure everything once more, for ``seconds`` each, with TF32 as the workloads use it."""
        device = self.device
        tf32 = True if device.type == "cuda" else None
        with applied(Engine(precision="float32", micro_batch_size=1, tf32=tf32)):
            for precision in native_precisions(device):
                product = matrix_product(device, precision, PRODUCT_SIZE[device.type])
                convolve = convolution(device, precision)
                for found, repetition in (
                    (self.product_seconds, product),
                    (self.convolution_seconds, convolve),
                ):
                    found[precision] = found.get(precision, ()) + self._sample(repetition, seconds)
        source = torch.ones(COPIED_BYTES[device.type], dtype=torch.uint8, device=device)
        target = torch.empty_like(source)
        self.copy_seconds += self._sample(lambda: target.copy_(source), seconds)

    def record(
        self, environment: Environment, conditions: Conditions, started_at: datetime
    ) -> Limits:
        """What was gathered so far."""
        kind = self.device.type
        return Limits(
            command=f"python -m bench speed --device {device_option(self.device)}"
            + threads_option(),
            started_at=started_at,
            finished_at=datetime.now(UTC),
            environment=environment,
            conditions=conditions,
            product_size=PRODUCT_SIZE[kind],
            product_seconds=self.product_seconds,
            convolution_operations=self.convolution_operations,
            convolution_seconds=self.convolution_seconds,
            copy_bytes=2 * COPIED_BYTES[kind],
            copy_seconds=self.copy_seconds,
        )

    def _sample(self, repetition: Callable[[], object], seconds: float) -> tuple[float, ...]:
        """The first one pays for memory and kernels, and is left out."""
        return sample(repetition, best_stopwatch(self.device), seconds=seconds, least=LEAST + 1)[1:]
