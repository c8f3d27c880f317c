"""A small grid, run on the CPU."""

import io

import torch
from rich.console import Console

from bench import grid
from bench.context import RunOptions
from bench.progress import GridProgress
from tests.bench.small import small_config, small_dataset

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
