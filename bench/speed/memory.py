"""Peak memory of one workload.

On CUDA the peak of torch's allocator. On a CPU, where a process has only one peak and keeps what it
once freed, the resident peak of a process of its own that does nothing else: ``python -m`` of this
module, which reads a workload and writes its peak, both as JSON.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import torch
from pydantic import ValidationError

import bench
from bench.records.schema import PeakMemory
from bench.records.speed import Workload
from bench.speed import cell
from bench.speed.measure import engine_of, prepare
from bench.training.engine import applied
from bench.training.graphs import CALLS_BEFORE_CAPTURE

# The first training step makes what all others use; the second one has its gradients beside that.
REPETITIONS: Final = 2
PATIENCE_SECONDS: Final = 300.0
CHILD: Final = "bench.speed.memory"


def peak_memory(workload: Workload, device: torch.device) -> tuple[PeakMemory | None, str | None]:
    """The peak, or None and the reason in words."""
    if device.type == "cpu":
        return in_a_child(workload)
    try:
        return in_this_process(workload, device), None
    except RuntimeError as error:
        return None, _not_measured(str(error).splitlines()[0])


def in_this_process(workload: Workload, device: torch.device) -> PeakMemory:
    """The peak of a few repetitions, from making the network on."""
    source = cell.reset_peak_memory(device)
    with applied(engine_of(workload, device)):
        repetition = prepare(workload, device)
        for _ in range(REPETITIONS + (CALLS_BEFORE_CAPTURE if workload.cuda_graph else 0)):
            repetition()
    return cell.peak_memory(device, source)


def in_a_child(
    workload: Workload, seconds: float = PATIENCE_SECONDS
) -> tuple[PeakMemory | None, str | None]:
    """The peak of a process that repeats ``workload`` on the CPU; a failure has no peak."""
    root = str(Path(bench.__file__).parents[1])
    paths = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    try:
        done = subprocess.run(
            [sys.executable, "-m", CHILD],
            input=workload.model_dump_json(),
            env=os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": str(torch.get_num_threads())},
            capture_output=True,
            text=True,
            timeout=seconds,
            check=True,
        )
        return PeakMemory.model_validate_json(done.stdout), None
    except subprocess.TimeoutExpired:
        why = f"it took more than {seconds:g} s"
    except subprocess.CalledProcessError as error:
        last = (error.stderr or "").strip().splitlines()[-1:]
        why = last[0] if last else f"it ended with {error.returncode}, for want of memory perhaps"
    except (OSError, ValidationError) as error:
        why = str(error).splitlines()[0]
    return None, _not_measured(why)


def _not_measured(why: str) -> str:
    return f"peak memory was not measured: {why}"


if __name__ == "__main__":
    measured = in_this_process(Workload.model_validate_json(sys.stdin.read()), torch.device("cpu"))
    print(measured.model_copy(update={"source": "child process"}).model_dump_json())
