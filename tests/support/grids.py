"""A small grid, run on the CPU."""

import io

import torch
from rich.console import Console

from bench.runner import grid
from bench.runner.options import RunOptions
from bench.runner.progress import GridProgress
from tests.support.small import small_config, small_dataset

CPU = torch.device("cpu")
DATASETS = {"mnist": small_dataset()}


def run(folder, config=None, *, out=None, fresh=False, **options):
    config = config or small_config()
    console = Console(file=out or io.StringIO(), width=400)
    return grid.run(
        config,
        DATASETS,
        folder=folder,
        options=RunOptions(device=CPU, **options),
        done={} if fresh else grid.completed(folder, config, RunOptions(device=CPU)),
        fresh=fresh,
        make_progress=lambda work: GridProgress(console, work),
    )
