"""The machine and the software behind a record."""

import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import warnings
from pathlib import Path
from typing import Final

import torch
import torchvision

import bench
from bench.config.names import checked_device
from bench.errors import BenchError, UsageError
from bench.records.schema import Environment


def choose_device(name: str) -> torch.device:
    """Resolve ``auto``, ``cpu``, ``cuda`` (the first GPU) or ``cuda:1``; a GPU becomes torch's own.

    Raises:
        UsageError: another name, or there is no such GPU.
    """
    if checked_device(name) == "cpu":
        return torch.device("cpu")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")  # torch warns of a driver that is too old
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if count == 0 and name == "auto":
        return torch.device("cpu")
    if count == 0:
        build = f"built for CUDA {torch.version.cuda}" if torch.version.cuda else "a CPU build"
        why = "".join(f" ({str(each.message).splitlines()[0]})" for each in caught[:1])
        raise UsageError(
            f"--device {name}: torch {torch.__version__} ({build}) finds no GPU here{why}. "
            "Check the driver with nvidia-smi, or use --device cpu."
        )
    index = int(name.partition(":")[2] or 0)
    if index >= count:
        names = ", ".join(f"cuda:{n} ({torch.cuda.get_device_name(n)})" for n in range(count))
        raise UsageError(f"--device {name}: there is no such GPU here, only {names}")
    torch.cuda.set_device(index)  # or streams and graphs would be those of the first one
    return torch.device("cuda", index)


def device_option(device: torch.device) -> str:
    """What to ask for to get ``device`` again."""
    return str(device) if device.index else device.type


# As torch is imported: OMP_NUM_THREADS, or one for each core.
THREADS: Final = torch.get_num_threads()


def use_threads(count: int | None) -> None:
    """Let torch compute on the CPU with ``count`` threads; None: with as many as it does now.

    Raises:
        UsageError: the process has fewer CPUs.
    """
    if count is None:
        return
    if count > (cpus := available_cpus()):
        raise UsageError(
            f"--threads {count}: this process may use {cpus} CPUs, and more threads than that wait "
            "for one another"
        )
    torch.set_num_threads(count)


def threads_option() -> str:
    """What asks for as many threads as there are now, to stand behind a command; often nothing."""
    count = torch.get_num_threads()
    return "" if count == THREADS else f" --threads {count}"


def describe(device: torch.device) -> Environment:
    """The environment of a run on ``device``. No host or user name: records are published.

    Raises:
        BenchError: the GPU does not answer.
    """
    cpu = cpu_name()
    return Environment(
        device="cuda" if device.type == "cuda" else "cpu",
        device_name=gpu_name(device) if device.type == "cuda" else cpu,
        cpu=cpu,
        cpu_count=available_cpus(),
        threads=torch.get_num_threads(),
        memory_bytes=memory_bytes(),
        os=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=platform.python_version(),
        torch=torch.__version__,
        torchvision=torchvision.__version__,
        cuda=torch.version.cuda if device.type == "cuda" else None,
        resnet_bench=bench.__version__,
        commit=commit(),
    )


def gpu_name(device: torch.device) -> str:
    """Name of the GPU; the first call that needs it to answer."""
    try:
        return torch.cuda.get_device_name(device)
    except RuntimeError as error:
        raise BenchError(f"the GPU does not answer: {error}. Use --device cpu.") from error


def cpu_name() -> str:
    """Marketing name of the processor, with the vector instructions that torch uses on it."""
    name = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                name = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass  # not Linux: platform's answer is what there is
    return f"{name} ({torch.backends.cpu.get_cpu_capability()})"


def available_cpus() -> int:
    """CPUs that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory_bytes() -> int | None:
    """Physical memory, where the system tells."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None


def commit() -> str | None:
    """Commit of the checkout this runs from, '+changes' where it differs; None outside of one."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None
    try:
        head = _git(root, "rev-parse", "--short=12", "HEAD")
        changes = _git(root, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return None
    return f"{head}+changes" if changes else head


def _git(root: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True, timeout=10
    ).stdout.strip()


# Of the CPUs; what other programs may take before timings suffer.
MOST_LOAD: Final = 0.25
# Of the GPU's memory, before we use it: the rest is what its driver and a desktop take.
LEAST_FREE: Final = 0.8


def threads_problem(threads: int, cpus: float) -> str | None:
    """What more ``threads`` than ``cpus`` do."""
    if threads <= cpus:
        return None
    return (
        f"torch uses {threads} threads on {cpus:g} CPUs, which makes every step much slower. Set "
        f"OMP_NUM_THREADS={max(1, int(cpus))}."
    )


def load_problem(load: float | None, cpus: float) -> str | None:
    """What other programs do to timings, where they keep the CPUs busy."""
    if load is None or load <= MOST_LOAD * cpus:
        return None
    return (
        f"a load of {load:.1f} on {cpus:g} CPUs: other programs want them too, or did a moment "
        "ago, so timings come out too long and vary; accuracies do not change. Stop those "
        "programs, or wait."
    )


def gpu_problem(device: torch.device) -> str | None:
    """What other programs on the GPU ``device`` mean for a run."""
    return gpu_memory_problem(*torch.cuda.mem_get_info(device)) if device.type == "cuda" else None


def gpu_memory_problem(free_bytes: int, total_bytes: int) -> str | None:
    """What it means that other programs hold memory of the GPU."""
    if free_bytes >= LEAST_FREE * total_bytes:
        return None
    return (
        f"{(total_bytes - free_bytes) / 1e9:.0f} GB of the GPU's memory are taken, so other "
        "programs slow training down or leave it too little. nvidia-smi names them."
    )


def load_average() -> float | None:
    """Processes that wanted a CPU over the last minute, our own included."""
    try:
        return os.getloadavg()[0]
    except (OSError, AttributeError):
        return None  # Windows


def compile_problem(device: torch.device) -> str | None:
    """Why torch.compile cannot work for ``device``, or None: nothing is known against it."""
    mac = sys.platform == "darwin"
    if device.type == "cuda":
        if torch.cuda.get_device_capability(device) < (7, 0):
            return "Triton needs a GPU of compute capability 7.0"
        if importlib.util.find_spec("triton") is None:
            return "Triton is missing; pip install triton"
        compilers = [os.environ.get("CC", "cc"), "gcc", "clang"]
    else:
        compilers = [os.environ.get("CXX", "clang++" if mac else "g++")]
    if not any(map(shutil.which, compilers)):
        return f"there is no compiler ({compilers[0]}); install one, or name it in $CC and $CXX"
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        return "Python.h is missing; install the development files of Python (python3-dev)"
    return None
