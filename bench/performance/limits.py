"""What the machine can do at most: a large matrix product, and a large copy."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import torch
from torch import Tensor

from bench.engine import DTYPES, applied, native_bfloat16
from bench.performance.timing import best_stopwatch, sample
from bench.records import Engine, Precision

# The product is as large as it takes to reach the peak, the copy larger than any cache.
PRODUCT_SIZE: Final = {"cpu": 3072, "cuda": 8192}
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


@dataclass(slots=True)
class LimitSamples:
    """Seconds of products and copies, gathered over the rounds."""

    device: torch.device
    product_seconds: dict[Precision, tuple[float, ...]] = field(default_factory=dict)
    copy_seconds: tuple[float, ...] = ()

    @property
    def product_size(self) -> int:
        """Rows of the matrices."""
        return PRODUCT_SIZE[self.device.type]

    @property
    def copy_bytes(self) -> int:
        """Read and written by a copy."""
        return 2 * COPIED_BYTES[self.device.type]

    def add_round(self, seconds: float = SECONDS) -> None:
        """Measure everything once more, for ``seconds`` each, with TF32 as the workloads use it."""
        device = self.device
        tf32 = True if device.type == "cuda" else None
        with applied(Engine(precision="float32", micro_batch_size=1, tf32=tf32)):
            for precision in native_precisions(device):
                product = matrix_product(device, precision, self.product_size)
                more = self._sample(product, seconds)
                self.product_seconds[precision] = self.product_seconds.get(precision, ()) + more
        source = torch.ones(COPIED_BYTES[device.type], dtype=torch.uint8, device=device)
        target = torch.empty_like(source)
        self.copy_seconds += self._sample(lambda: target.copy_(source), seconds)

    def _sample(self, repetition: Callable[[], object], seconds: float) -> tuple[float, ...]:
        """The first one pays for memory and kernels, and is left out."""
        return sample(repetition, best_stopwatch(self.device), seconds=seconds, least=LEAST + 1)[1:]
