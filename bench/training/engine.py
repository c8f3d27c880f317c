"""How the machine is used: precision, determinism, compilation, CUDA graphs; and why.

What is decided here is stored with every record and every checkpoint.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, cast, get_args

import torch
import torch.nn.functional as F

from bench.errors import UsageError
from bench.records.schema import Engine, Precision

Compile = Literal["auto", "on", "off"]

DTYPES: dict[Precision, torch.dtype] = {"bfloat16": torch.bfloat16, "float16": torch.float16}
# A lower precision must gain this much in the probe to be worth its rounding.
WORTHWHILE = 1.1
PROBE_SAMPLES = 5
# On a GPU enough is asked for at once that it is never waiting for the next launch.
PROBE_IMAGES = {"cpu": 64, "cuda": 256}
PROBE_REPETITIONS = {"cpu": 1, "cuda": 20}


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOptions:
    """What a user asks for on the command line."""

    precision: str = "auto"
    compile: Compile = "auto"
    deterministic: bool = False

    def fixed(self) -> dict[str, str | bool]:
        """Those fields of an Engine that leave nothing to be chosen."""
        fields: dict[str, str | bool] = {"deterministic": self.deterministic}
        if self.precision != "auto":
            fields["precision"] = self.precision
        if self.compile != "auto":
            fields["compiled"] = self.compile == "on"
        return fields


def choose_engine(device: torch.device, options: EngineOptions, batch_size: int) -> Engine:
    """The engine for ``device`` as far as it does not depend on the cell.

    Raises:
        UsageError: a precision that does not exist or that the device cannot train in.
    """
    cuda = device.type == "cuda"
    precision = choose_precision(device, options.precision)
    return Engine(
        precision=precision,
        micro_batch_size=batch_size,
        compiled=options.compile == "on",
        cuda_graph=cuda,
        deterministic=options.deterministic,
        tf32=not options.deterministic if cuda else None,
    )


def choose_precision(device: torch.device, wanted: str = "auto") -> Precision:
    """``wanted``, or what ``device`` does fastest.

    Raises:
        UsageError: no such precision.
    """
    if wanted in get_args(Precision):
        return cast(Precision, wanted)
    if wanted != "auto":
        known = ", ".join(get_args(Precision))
        raise UsageError(f"no precision named {wanted!r}; there are auto, {known}")
    return fastest_precision(device).precision


@dataclass(frozen=True, slots=True)
class PrecisionChoice:
    """A precision, the reason for it, and the samples of the probe (seconds) where it ran."""

    precision: Precision
    reason: str
    probe: dict[Precision, tuple[float, ...]] = field(default_factory=dict)


def fastest_precision(device: torch.device) -> PrecisionChoice:
    """What ``auto`` stands for on ``device``."""
    lower: Precision = "bfloat16"
    if device.type == "cuda":
        major, minor = torch.cuda.get_device_capability(device)
        if native_bfloat16(device):
            reason = f"compute capability {major}.{minor} has tensor cores for bfloat16"
            return PrecisionChoice("bfloat16", reason)
        lower = "float16"  # since Volta there are tensor cores for it
    elif not native_bfloat16(device):
        return PrecisionChoice("float32", "bfloat16 would be emulated here, which is slow")
    precisions: tuple[Precision, ...] = ("float32", lower)
    probe = {precision: probe_seconds(device, precision) for precision in precisions}
    gain = min(probe["float32"]) / min(probe[lower])
    reason = f"{lower} is {gain:.2f} times as fast in a convolution like the networks'"
    return PrecisionChoice(lower if gain >= WORTHWHILE else "float32", reason, probe)


def native_bfloat16(device: torch.device) -> bool:
    """Whether ``device`` multiplies bfloat16 itself; emulation is everywhere, and slow."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def autocast(device: torch.device, precision: Precision) -> torch.autocast:
    """Context in which convolutions and products run in ``precision``.

    Without the cache of cast weights, which a captured CUDA graph must not hold; every weight is
    used once in a forward pass anyway.
    """
    dtype = DTYPES.get(precision, torch.bfloat16)
    enabled = precision != "float32"
    return torch.autocast(device.type, dtype, enabled=enabled, cache_enabled=False)


def synchronize(device: torch.device) -> None:
    """Wait until the device has done all that was asked of it."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


@contextmanager
def applied(engine: Engine) -> Iterator[None]:
    """Set torch's global switches to ``engine``, and back at the end."""
    before = (
        torch.are_deterministic_algorithms_enabled(),
        torch.backends.cudnn.benchmark,
        torch.backends.cudnn.allow_tf32,
        torch.backends.cuda.matmul.allow_tf32,
    )
    if engine.deterministic:
        # cuBLAS needs a workspace of fixed size for the same sums every time.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    _switch(engine.deterministic, not engine.deterministic, bool(engine.tf32), bool(engine.tf32))
    try:
        yield
    finally:
        _switch(*before)


def _switch(deterministic: bool, benchmark: bool, cudnn_tf32: bool, matmul_tf32: bool) -> None:
    torch.use_deterministic_algorithms(deterministic)
    torch.backends.cudnn.benchmark = benchmark
    torch.backends.cudnn.allow_tf32 = cudnn_tf32
    torch.backends.cuda.matmul.allow_tf32 = matmul_tf32


def probe_seconds(
    device: torch.device, precision: Precision, clock: Callable[[], float] = time.perf_counter
) -> tuple[float, ...]:
    """Times of a 3x3 convolution like those of the networks, forward and backward."""
    images = torch.randn(PROBE_IMAGES[device.type], 128, 16, 16, device=device)
    images = images.to(memory_format=torch.channels_last)
    weight = torch.randn(128, 128, 3, 3, device=device, requires_grad=True)
    repetitions = PROBE_REPETITIONS[device.type]
    samples = []
    for _ in range(1 + PROBE_SAMPLES):
        synchronize(device)
        start = clock()
        for _ in range(repetitions):
            with autocast(device, precision):
                out = F.conv2d(images, weight, padding=1)
            out.float().sum().backward()  # type: ignore[no-untyped-call]  # torch's gap
        synchronize(device)
        samples.append((clock() - start) / repetitions)
    return tuple(samples[1:])


# In the words of torch's CPU allocator, of the system, and of CUDA and its libraries.
OUT_OF_MEMORY = ("not enough memory", "can't allocate memory", "out of memory", "ALLOC_FAILED")


def out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out; on CPUs torch says so in a RuntimeError of no class of its own."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or (
        any(words in str(error) for words in OUT_OF_MEMORY)
    ):
        return True
    # A capture that memory ended complains of the capture, in the course of the first error.
    return error.__context__ is not None and out_of_memory(error.__context__)
