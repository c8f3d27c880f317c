"""``python -m bench.speed.memory_child``: a workload in, its peak memory on a CPU out."""

import sys

import torch

from bench.records.speed import Workload
from bench.speed.memory import in_this_process


def main() -> None:
    """Read a workload from standard input, write the peak to standard output, both as JSON."""
    workload = Workload.model_validate_json(sys.stdin.read())
    peak = in_this_process(workload, torch.device("cpu"))
    print(peak.model_copy(update={"source": "child process"}).model_dump_json())


if __name__ == "__main__":
    main()
