"""Speed and memory of a cell: raw samples after a warm-up, with the device synchronised."""

import ctypes
import gc
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

from bench.data.batches import DeviceData, epoch_plan
from bench.records import PeakMemory, Speed
from bench.train import EVALUATION_BATCH_SIZE, Trainer, synchronize

WARMUP_REPETITIONS = 2
LATENCY_SAMPLES_PER_SAMPLE = 4  # a single image is quick: more of them cost nothing


def sample(
    repetition: Callable[[], object],
    device: torch.device,
    samples: int,
    *,
    warmup: int = WARMUP_REPETITIONS,
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[float, ...]:
    """Seconds of each of ``samples`` repetitions, after ``warmup`` more that are not counted."""
    seconds = []
    for index in range(warmup + samples):
        synchronize(device)
        start = clock()
        repetition()
        synchronize(device)
        if index >= warmup:
            seconds.append(clock() - start)
    return tuple(seconds)


def measure(trainer: Trainer, data: DeviceData, samples: int) -> Speed:
    """Time training steps, inference batches and single images of ``trainer``'s network.

    The steps are real ones, from making the batch to updating the weights, so give it a trainer
    that is not needed afterwards.
    """
    device, recipe = trainer.device, trainer.recipe
    plan = epoch_plan(0, 0, len(data), recipe.batch_size, recipe.augmentation).to(device)

    def train_step() -> None:
        images, labels = data.batch(plan.indices, plan.offsets, plan.flips)
        trainer.step(images, labels, recipe.learning_rate)

    inference_batch_size = min(EVALUATION_BATCH_SIZE[device.type], len(data))
    images, _ = data.batch(torch.arange(inference_batch_size, device=device))
    return Speed(
        batch_size=recipe.batch_size,
        train_step_seconds=sample(train_step, device, samples),
        inference_batch_size=inference_batch_size,
        inference_batch_seconds=sample(lambda: trainer.logits(images), device, samples, warmup=1),
        latency_seconds=sample(
            lambda: trainer.logits(images[:1]), device, samples * LATENCY_SAMPLES_PER_SAMPLE
        ),
    )


def reset_peak_memory(device: torch.device) -> None:
    """Start counting the peak anew and give back what earlier cells left behind."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
    elif sys.platform == "linux":
        # glibc keeps freed weights of the last network otherwise, and they would count here.
        ctypes.CDLL(None).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")


def peak_memory(device: torch.device) -> PeakMemory:
    """Largest memory use since ``reset_peak_memory``: the allocator's on CUDA, else resident."""
    if device.type == "cuda":
        size = torch.cuda.max_memory_allocated(device)
        return PeakMemory(size_bytes=size, source="cuda allocator")
    if sys.platform == "linux":
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                kibibytes = int(line.split()[1])
                return PeakMemory(size_bytes=kibibytes * 1024, source="process since cell start")
    # Elsewhere the peak cannot be reset; macOS counts bytes, others kibibytes.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    unit = 1 if sys.platform == "darwin" else 1024
    return PeakMemory(size_bytes=peak * unit, source="process since launch")
