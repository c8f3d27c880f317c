"""What this machine offers, what the engine makes of it and why, and what stands in the way."""

import shutil
import subprocess
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

import torch
from pydantic import AwareDatetime, Field

from bench.config import profiles
from bench.data.datasets import SPECS, NotThereError, SourceError
from bench.data.sources import default_data_dir, read_cache
from bench.records.schema import Engine, Environment, Precision, Stored
from bench.runner.selftest import Selftest
from bench.training.engine import EngineOptions, choose_engine, fastest_precision, native_bfloat16
from bench.training.environment import (
    compile_problem,
    describe,
    gpu_memory_problem,
    load_average,
    load_problem,
    threads_problem,
)

SCHEMA_VERSION: Final = 1
# The quick profile's largest network, ResNet-152 on CIFAR-10, took 2.4 GB.
LEAST_MEMORY: Final = 3 * 10**9
# Three checkpoints of ResNet-152 with AdamW (two are kept while the next one is written), 2.1 GB,
# and the weights of the 15 cells of full, 1.9 GB.
LEAST_DISK: Final = 4 * 10**9


class Gpu(Stored):
    memory_bytes: int
    free_bytes: int
    compute_capability: tuple[int, int]
    driver: str | None
    cudnn: int | None


class Machine(Stored):
    environment: Environment
    gpu: Gpu | None
    gpu_driver_without_torch: bool = Field(description="a driver, but no GPU that torch can use")
    vector_instructions: str = Field(description="that torch uses on this CPU")
    cpu_limit: float | None = Field(description="CPUs that a container grants; None: no limit")
    load_average: float | None = Field(description="processes that want a CPU, over a minute")
    memory_free_bytes: int | None
    disk_free_bytes: int
    datasets: dict[str, str] = Field(description="what the cache holds: verified, missing or why")
    native_bfloat16: bool
    engine: Engine
    precision_reason: str
    precision_probe: dict[Precision, tuple[float, ...]] = Field(description="seconds")
    compile_problem: str | None = Field(description="why torch.compile cannot work here")
    profile: str = Field(description="that auto stands for")
    cells: int


class Report(Stored):
    """What ``--json`` writes."""

    schema_version: Literal[1] = SCHEMA_VERSION
    started_at: AwareDatetime
    machine: Machine
    problems: tuple[str, ...]
    selftest: Selftest | None


def examine(device: torch.device, out: Path, data_dir: Path | None) -> Machine:
    """Look at everything; takes a few seconds, fetches nothing.

    Raises:
        BenchError: the GPU does not answer.
    """
    load, environment = load_average(), describe(device)
    choice = fastest_precision(device)
    options = EngineOptions(precision=choice.precision)
    auto = profiles.make("auto", has_gpu=device.type == "cuda")
    driver = gpu_driver()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a driver that is too old; it becomes a problem below
        torch_has_gpu = torch.cuda.is_available()
    return Machine(
        environment=environment,
        gpu=gpu(device, driver) if device.type == "cuda" else None,
        gpu_driver_without_torch=driver is not None and not torch_has_gpu,
        vector_instructions=torch.backends.cpu.get_cpu_capability(),
        cpu_limit=cpu_limit(),
        load_average=load,
        memory_free_bytes=memory_free(),
        disk_free_bytes=disk_free(out),
        datasets={name: cached(name, data_dir or default_data_dir()) for name in SPECS},
        native_bfloat16=native_bfloat16(device),
        engine=choose_engine(device, options, auto.plans[0].recipe.batch_size),
        precision_reason=choice.reason,
        precision_probe=choice.probe,
        compile_problem=compile_problem(device),
        profile=auto.profile,
        cells=len(auto.plans),
    )


def gpu(device: torch.device, driver: str | None) -> Gpu:
    facts = torch.cuda.get_device_properties(device)
    free, _ = torch.cuda.mem_get_info(device)
    return Gpu(
        memory_bytes=facts.total_memory,
        free_bytes=free,
        compute_capability=(facts.major, facts.minor),
        driver=driver,
        cudnn=torch.backends.cudnn.version(),  # type: ignore[no-untyped-call]  # torch's gap
    )


def gpu_driver() -> str | None:
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return None
    return next(iter(done.stdout.split()), None)


def cpu_limit(file: Path = Path("/sys/fs/cgroup/cpu.max")) -> float | None:
    """CPUs that a Linux container may use, where it is limited by time and not by CPU."""
    try:
        quota, period = file.read_text().split()
        return int(quota) / int(period)
    except (OSError, ValueError):
        return None  # no container, or its quota is "max"


def memory_free(file: Path = Path("/proc/meminfo")) -> int | None:
    try:
        return 1024 * int(file.read_text().partition("MemAvailable:")[2].split()[0])
    except (OSError, IndexError, ValueError):
        return None


def disk_free(folder: Path) -> int:
    """Free space on the disk of ``folder``, which need not exist yet."""
    folder = folder.absolute()
    return shutil.disk_usage(next(path for path in (folder, *folder.parents) if path.exists())).free


def cached(name: str, data_dir: Path) -> str:
    """``verified``, ``missing``, or what is wrong with the cached data set."""
    try:
        read_cache(SPECS[name], data_dir.expanduser().absolute())
    except NotThereError:
        return "missing"
    except SourceError as error:
        return str(error)
    return "verified"


def find_problems(machine: Machine) -> Iterator[str]:
    """What stands in the way: each with its consequence and the remedy."""
    environment = machine.environment
    cpus = min(environment.cpu_count, machine.cpu_limit or environment.cpu_count)
    x86 = environment.os.rpartition(" ")[2] in ("x86_64", "AMD64")
    if x86 and not machine.vector_instructions.startswith("AVX"):
        yield (
            "this CPU has no AVX2, so training takes several times as long. Choose --profile "
            "smoke, or another machine."
        )
    if threads := threads_problem(environment.threads, cpus):
        yield threads
    if load := load_problem(machine.load_average, cpus):
        yield load
    free = machine.memory_free_bytes
    if free is not None and free < LEAST_MEMORY:
        yield (
            f"{_gb(free)} of memory are free, and ResNet-152 needs {_gb(LEAST_MEMORY)}; with less, "
            "cells fail or train in smaller micro-batches. Close other programs, or choose "
            "--models resnet18,resnet34."
        )
    if machine.disk_free_bytes < LEAST_DISK:
        yield (
            f"{_gb(machine.disk_free_bytes)} of disk are free, and checkpoints and weights take up "
            f"to {_gb(LEAST_DISK)}; a run stops when the disk is full. Free some, choose another "
            "folder with --out, or keep no weights with --no-weights."
        )
    if machine.gpu and (
        taken := gpu_memory_problem(machine.gpu.free_bytes, machine.gpu.memory_bytes)
    ):
        yield taken
    if machine.gpu_driver_without_torch:
        yield (
            f"NVIDIA's driver is here, but torch {environment.torch} finds no GPU, so everything "
            "runs on the CPU. Install a CUDA build of torch, or a newer driver."
        )
    for text in machine.datasets.values():
        if text not in ("verified", "missing"):
            yield f"{text}. Delete the file, and the next run fetches it again."


def facts(machine: Machine) -> dict[str, str]:
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
    return shown | {
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


def _gb(size_bytes: int | None) -> str:
    return "unknown" if size_bytes is None else f"{size_bytes / 1e9:.3g} GB"
