"""Speed and memory of a cell: raw samples after a warm-up, with the device synchronised."""

import ctypes
import gc
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from bench.data.batches import DeviceData, epoch_plan
from bench.records.schema import MemorySource, PeakMemory, Speed
from bench.speed.timing import Clock, burst_size, in_bursts, wall
from bench.training import evaluation
from bench.training.evaluation import predict
from bench.training.graphs import CALLS_TO_SETTLE
from bench.training.trainer import Trainer

WARMUP_REPETITIONS = 2
LATENCY_SAMPLES_PER_SAMPLE = 4  # a single image is quick: more of them cost nothing


def sample(
    repetition: Callable[[], object],
    device: torch.device,
    samples: int,
    *,
    warmup: int = WARMUP_REPETITIONS,
    clock: Clock = time.perf_counter,
    bursts: bool = False,
    on_sample: Callable[[], None] = lambda: None,
) -> tuple[float, ...]:
    """Seconds of a repetition, ``samples`` times, after ``warmup`` that are not counted.

    On a GPU, with ``bursts``, each sample is the mean of several that follow one another.
    ``on_sample`` is called after each, those of the warm-up included, and is not timed.
    """
    stopwatch = wall(device, clock)

    def timed() -> float:
        seconds = stopwatch(repetition)
        on_sample()
        return seconds

    before = [timed() for _ in range(warmup)]
    if bursts:
        stopwatch = in_bursts(stopwatch, burst_size(device, before[-1]))
    return tuple(timed() for _ in range(samples))


def sample_steps(
    trainer: Trainer,
    data: DeviceData,
    samples: int,
    *,
    warmup: int | None = None,
    clock: Clock = time.perf_counter,
    on_sample: Callable[[], None] = lambda: None,
) -> tuple[float, ...]:
    """Seconds of training steps, real ones from making the batch to the update.

    After ``warmup`` others; None: as many as it takes until they are captured, on a GPU.
    """
    device, recipe = trainer.device, trainer.recipe
    plan = epoch_plan(0, 0, len(data), recipe.batch_size, recipe.augmentation).to(device)
    settling = CALLS_TO_SETTLE if trainer.engine.cuda_graph else WARMUP_REPETITIONS
    return sample(
        lambda: trainer.step(data, plan, recipe.learning_rate),
        device,
        samples,
        warmup=settling if warmup is None else warmup,
        clock=clock,
        bursts=warmup is None,
        on_sample=on_sample,
    )


def measuring_images(samples: int, batch_size: int, device: torch.device) -> int:
    """What ``measure`` costs, in images of training: an inference takes about a quarter of one."""
    repetitions = samples + WARMUP_REPETITIONS
    return repetitions * (batch_size + _inference_cost(device))


def _inference_cost(device: torch.device) -> int:
    return evaluation.BATCH_SIZE[device.type] // 4


def measure(
    trainer: Trainer,
    data: DeviceData,
    samples: int,
    on_images: Callable[[int], None] = lambda _images: None,
) -> Speed:
    """Time training steps, inference batches and single images of ``trainer``'s network.

    Give it a trainer that is not needed afterwards. ``on_images`` is told after each repetition how
    much of ``measuring_images`` it was, and is not timed.
    """
    device, batch_size = trainer.device, trainer.recipe.batch_size
    inference_batch_size = min(evaluation.BATCH_SIZE[device.type], len(data))
    images, _ = data.batch(torch.arange(inference_batch_size, device=device))

    def infer(batch: Tensor) -> Tensor:
        return predict(trainer.model, batch, trainer.engine.precision)

    return Speed(
        batch_size=batch_size,
        train_step_seconds=sample_steps(
            trainer, data, samples, on_sample=lambda: on_images(batch_size)
        ),
        inference_batch_size=inference_batch_size,
        inference_batch_seconds=sample(
            lambda: infer(images),
            device,
            samples,
            warmup=1,
            on_sample=lambda: on_images(_inference_cost(device)),
        ),
        latency_seconds=sample(
            lambda: infer(images[:1]), device, samples * LATENCY_SAMPLES_PER_SAMPLE
        ),
    )


def reset_peak_memory(device: torch.device) -> MemorySource:
    """Give back what earlier cells left behind, count the peak anew, say what will be counted."""
    gc.collect()
    if device.type == "cuda":
        # cuBLAS keeps a workspace for every stream that it ever ran on, and they would count here.
        torch._C._cuda_clearCublasWorkspaces()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
        return "cuda allocator"
    try:
        # glibc keeps freed weights of the last network otherwise, and they would count here.
        ctypes.CDLL(None).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")
    except (OSError, AttributeError):
        return "process since launch"  # not Linux, not glibc, or not allowed
    return "process since cell start"


def peak_memory(device: torch.device, source: MemorySource) -> PeakMemory:
    """Largest memory use as ``source`` counts it: allocated on CUDA, resident elsewhere."""
    if source == "cuda allocator":
        size = torch.cuda.max_memory_allocated(device)
    elif source == "process since cell start":
        status = Path("/proc/self/status").read_text()
        size = 1024 * int(status.partition("VmHWM:")[2].split()[0])
    else:
        # macOS counts bytes, others kibibytes.
        unit = 1 if sys.platform == "darwin" else 1024
        size = unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return PeakMemory(size_bytes=size, source=source)
