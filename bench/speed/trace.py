"""What happens in a few steps of a workload, as a trace that Chrome and Perfetto show."""

import os
import tempfile
from pathlib import Path
from typing import Final

import torch
from torch.profiler import ProfilerActivity, profile, record_function

from bench.errors import BenchError
from bench.records.speed import Workload
from bench.records.writing import write_atomic
from bench.speed import timing
from bench.speed.measure import engine_of, prepare
from bench.training.engine import applied, out_of_memory
from bench.training.graphs import CALLS_TO_SETTLE

STEPS: Final = 5
# Or the profiler tells, where there is no GPU, that it found none.
os.environ.setdefault("KINETO_LOG_LEVEL", "5")


def write(workload: Workload, device: torch.device, path: Path) -> None:
    """Trace STEPS repetitions of ``workload``, after a warm-up, and write them to ``path``.

    Each is a span ``step 1`` and so on. Tracing costs time: nothing is to be timed by it.

    Raises:
        BenchError: the memory does not suffice.
        StorageError: ``path`` cannot be written.
    """
    activities = [ProfilerActivity.CPU]
    activities += [ProfilerActivity.CUDA] if device.type == "cuda" else []
    try:
        with applied(engine_of(workload, device)):
            repetition = prepare(workload, device)
            for _ in range(CALLS_TO_SETTLE if workload.cuda_graph else timing.LEAST_WARMUP):
                repetition()
            with profile(activities=activities) as found:
                for number in range(1, STEPS + 1):
                    with record_function(f"step {number}"):
                        repetition()
                if device.type == "cuda":
                    torch.cuda.synchronize(device)
    except (MemoryError, RuntimeError) as error:
        if not out_of_memory(error):
            raise
        raise BenchError(f"{workload.id} has too little memory; choose a smaller batch") from error
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder, "trace.json")
        found.export_chrome_trace(str(whole))
        write_atomic(path, whole.read_text(encoding="utf-8"))
