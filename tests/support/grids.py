"""A small grid, run on the CPU."""

import io

import torch
from rich.console import Console

from bench.runner import grid
from bench.runner.options import RunOptions
from bench.training.engine import EngineOptions
from tests.support.factories import ENVIRONMENT
from tests.support.small import small_config, small_dataset

CPU = torch.device("cpu")
DATASETS = {"mnist": small_dataset()}


def make_options(folder, config=None, **options):
    options = {"device": CPU, "environment": ENVIRONMENT, **options}
    return RunOptions(config=config or small_config(), folder=folder, **options)


def run(folder, config=None, *, out=None, renew=lambda _: None, **options):
    # What auto stands for is found by a probe, which a busy machine may let come out either way.
    engine = EngineOptions(precision="float32")
    made = make_options(folder, config, **{"engine": engine, **options})
    done = {} if made.fresh else grid.completed(made)
    return grid.run(made, DATASETS, done, Console(file=out or io.StringIO(), width=400), renew)
