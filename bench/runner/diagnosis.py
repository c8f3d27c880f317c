"""What ``bench.runner.doctor`` found, in words: the facts, and what stands in the way."""

from typing import Final

from bench.records.schema import Environment
from bench.runner.doctor import Machine
from bench.training.environment import load_problem, threads_problem

# The quick profile's largest network, ResNet-152 on CIFAR-10, took 2.4 GB.
LEAST_MEMORY: Final = 3 * 10**9
# Three checkpoints of ResNet-152 with AdamW: two are kept while the next one is written.
LEAST_DISK: Final = 3 * 10**9


def problems(machine: Machine) -> list[str]:
    """What stands in the way: each with its consequence and the remedy."""
    environment = machine.environment
    found = []
    cpus = min(environment.cpu_count, machine.cpu_limit or environment.cpu_count)
    if _is_x86(environment) and not machine.vector_instructions.startswith("AVX"):
        found.append(
            "this CPU has no AVX2, so training takes several times as long. Choose --profile "
            "smoke, or another machine."
        )
    if threads := threads_problem(environment.threads, cpus):
        found.append(threads)
    if load := load_problem(machine.load_average, cpus):
        found.append(load)
    free = machine.memory_free_bytes
    if free is not None and free < LEAST_MEMORY:
        found.append(
            f"{_gb(free)} of memory are free, and ResNet-152 needs {_gb(LEAST_MEMORY)}; with less, "
            "cells fail or train in smaller micro-batches. Close other programs, or choose "
            "--models resnet18,resnet34."
        )
    if machine.disk_free_bytes < LEAST_DISK:
        found.append(
            f"{_gb(machine.disk_free_bytes)} of disk are free, and checkpoints take up to "
            f"{_gb(LEAST_DISK)}; a run stops when the disk is full. Free some, or choose another "
            "folder with --out."
        )
    if machine.gpu and machine.gpu.free_bytes < 0.8 * machine.gpu.memory_bytes:
        used = machine.gpu.memory_bytes - machine.gpu.free_bytes
        found.append(
            f"{_gb(used)} of the GPU's memory are taken, so other programs slow training down or "
            "leave it too little. nvidia-smi names them."
        )
    if machine.gpu_driver_without_torch:
        found.append(
            f"NVIDIA's driver is here, but torch {environment.torch} finds no GPU, so everything "
            "runs on the CPU. Install a CUDA build of torch, or a newer driver."
        )
    found += [
        f"{text}. Delete the file, and the next run fetches it again."
        for text in machine.datasets.values()
        if text not in ("verified", "missing")
    ]
    return found


def facts(machine: Machine) -> dict[str, str]:
    """What was found, in words, in the order in which it is shown."""
    environment, engine, graphics = machine.environment, machine.engine, machine.gpu
    probe = ", ".join(
        f"{precision} {1000 * min(seconds):.3g} ms (best of {len(seconds)})"
        for precision, seconds in machine.precision_probe.items()
    )
    shown = {"device": f"{environment.device}: {environment.device_name}"}
    if graphics:
        major, minor = graphics.compute_capability
        shown["GPU"] = (
            f"{_gb(graphics.memory_bytes)}, {_gb(graphics.free_bytes)} free; compute capability "
            f"{major}.{minor}; driver {graphics.driver or 'unknown'}"
        )
        shown["CPU"] = environment.cpu
    shown |= {
        "CPUs": f"{environment.cpu_count} usable, {environment.threads} threads of torch"
        + (f", limited to the time of {machine.cpu_limit:g}" if machine.cpu_limit else "")
        + (f", load {machine.load_average:.1f}" if machine.load_average is not None else ""),
        "memory": f"{_gb(environment.memory_bytes)}, {_gb(machine.memory_free_bytes)} free",
        "disk": f"{_gb(machine.disk_free_bytes)} free for results",
        "software": f"Python {environment.python}, torch {environment.torch}"
        + (f", CUDA {environment.cuda}, cuDNN {graphics.cudnn}" if graphics else ""),
        "data": ", ".join(f"{name} {text}" for name, text in machine.datasets.items())
        + ("; a run fetches what is missing" if "missing" in machine.datasets.values() else ""),
        "bfloat16": "native" if machine.native_bfloat16 else "emulated",
        "precision": f"{engine.precision}: {machine.precision_reason}"
        + (f"; {probe}" if probe else ""),
        "TF32": {True: "on for float32 products, unless --deterministic", None: "only on GPUs"}.get(
            engine.tf32, "off"
        ),
        "CUDA graphs": "one a step" if engine.cuda_graph else "only on GPUs",
        "torch.compile": f"cannot work: {machine.compile_problem}"
        if machine.compile_problem
        else "can work; a run tries it where it is long enough to gain",
        "profile auto": f"{machine.profile}, {machine.cells} cells",
    }
    return shown


def _is_x86(environment: Environment) -> bool:
    return environment.os.rpartition(" ")[2] in ("x86_64", "AMD64")


def _gb(size_bytes: int | None) -> str:
    return "unknown" if size_bytes is None else f"{size_bytes / 1e9:.3g} GB"
