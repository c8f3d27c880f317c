"""``run``: from cells to records, and to the page. ``data``: the images alone."""

import math
import signal
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from typer import Exit, Option

from bench.cli import ahead
from bench.cli.options import DataDir, DataSource, Device, Names, Out, count
from bench.cli.shared import EXIT_FAILURE, PAGE, console, load, names, say
from bench.config import recipe_files
from bench.config.plan import Changes
from bench.config.profiles import DATASETS, PROFILES, make
from bench.errors import UsageError
from bench.records.store import RECORD_FILE, RUNS
from resnet_models import custom
from resnet_models.spec import Lineage, Shortcut, Stem

if TYPE_CHECKING:
    from bench.config.cell import Cell
    from bench.records.schema import Record
    from bench.runner.options import RunOptions

Profile = Annotated[
    str,
    Option(help=f"{', '.join(PROFILES)}, or auto: full with a GPU, quick without."),
]
Cells = Annotated[str, Option(metavar="IDS", help="Only these, by the names of their folders.")]
Seeds = Annotated[int | None, count("--seeds", "Train N seeds: 0, 1, ... Without: seed 0.")]
Seed = Annotated[int | None, count("--seed", "Train seed N alone.", least=0)]
Network = Annotated[
    str | None,
    Option(
        metavar="MODULE:FACTORY",
        help="Train your own network, factory(in_channels, num_classes); alone without --models.",
    ),
]
RecipeFile = Annotated[
    Path | None, Option(metavar="FILE", help="Train by the recipe in this TOML file.")
]
RunLineage = Annotated[Lineage | None, Option(help="Which definition networks of Table 1 follow.")]
RunStem = Annotated[Stem | None, Option(help="First layers of the networks.")]
RunShortcut = Annotated[Shortcut | None, Option(help="Shortcuts of the networks.")]
BatchSize = Annotated[int | None, count("--batch-size", "Train on N images a step.")]
Rate = Annotated[
    float | None, Option("--learning-rate", metavar="R", help="Highest rate of the schedule.")
]
Epochs = Annotated[int | None, count("--epochs", "Train N epochs instead of the profile's.")]
Iterations = Annotated[
    int | None,
    count("--iterations", "Train N steps instead of the profile's, with drops to scale."),
]
Fraction = Annotated[
    float | None, Option(metavar="F", help="Train this share of the iterations, say 0.1.")
]
Images = Annotated[
    int | None, count("--images-per-epoch", "Draw N training images for each epoch.")
]
HeldOut = Annotated[
    int | None, count("--held-out", "Keep the last N training images for validation.")
]
NormBatch = Annotated[
    int | None, count("--norm-batch", "Let BatchNorm see N images of a batch at a time.")
]
Precision = Annotated[
    Literal["auto", "float32", "bfloat16", "float16"],
    Option(help="auto (what is fastest here), float32, bfloat16 or float16."),
]
Compile = Annotated[
    Literal["auto", "on", "off"],
    Option("--compile", help="torch.compile; auto: where a long run gains from it."),
]
Deterministic = Annotated[
    bool, Option("--deterministic", help="The same bits in every run, on a GPU too; slower.")
]
Seconds = Annotated[
    float, Option(min=0, metavar="S", help="Least time between checkpoints of a cell.")
]
DryRun = Annotated[
    bool, Option("--dry-run", help="Say which cells would run, and how long; run none.")
]
Yes = Annotated[bool, Option("--yes", help="Do not ask before a run of an hour or more.")]
Fresh = Annotated[bool, Option("--fresh", help="Start every cell over and replace its record.")]


def run(
    *,
    profile: Profile = "auto",
    models: Names = "",
    datasets: Names = "",
    cells: Cells = "",
    seeds: Seeds = None,
    seed: Seed = None,
    network: Network = None,
    lineage: RunLineage = None,
    stem: RunStem = None,
    shortcut: RunShortcut = None,
    recipe: RecipeFile = None,
    batch_size: BatchSize = None,
    learning_rate: Rate = None,
    epochs: Epochs = None,
    iterations: Iterations = None,
    fraction: Fraction = None,
    images_per_epoch: Images = None,
    held_out: HeldOut = None,
    norm_batch: NormBatch = None,
    device: Device = "auto",
    data_dir: DataDir = None,
    data_source: DataSource = "auto",
    out: Out = Path("reports"),
    precision: Precision = "auto",
    compile_: Compile = "auto",
    deterministic: Deterministic = False,
    checkpoint_seconds: Seconds = 60.0,
    fresh: Fresh = False,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Train and measure every cell that is not finished yet, then render the report."""
    if seed is not None and (seeds or cells):
        raise UsageError("--seed is one seed alone: leave out --seeds and --cells, or --seed")
    changes = Changes(
        lineage=lineage,
        stem=stem,
        shortcut=shortcut,
        recipe=recipe_files.read(recipe) if recipe else None,
        batch_size=batch_size,
        learning_rate=_rate(learning_rate),
        epochs=epochs,
        iterations=iterations,
        fraction=fraction,
        images_per_epoch=images_per_epoch,
        held_out=held_out,
        norm_batch=norm_batch,
    )
    request = partial(
        make, models=names(models), datasets=names(datasets), seeds=seeds or 1, seed=seed
    )
    # Wrong words are told before torch is loaded, which takes seconds; what auto stands for and
    # custom cells are known only then.
    if profile == "auto":
        request(profile="quick", has_gpu=False)
    else:
        there = () if network else names(cells)
        request(profile=profile, has_gpu=False, cells=there, changes=changes)
    from bench.runner.options import RunOptions
    from bench.training.engine import EngineOptions
    from bench.training.environment import choose_device, describe, gpu_problem

    torch_device = choose_device(device)
    if problem := gpu_problem(torch_device):
        say(f"warning: {problem}")
    config = request(
        profile=profile,
        has_gpu=torch_device.type == "cuda",
        cells=names(cells),
        changes=replace(changes, network=_find(network)),
    )
    options = RunOptions(
        config=config,
        folder=out / RUNS,
        device=torch_device,
        environment=describe(torch_device),
        engine=EngineOptions(precision=precision, compile=compile_, deterministic=deterministic),
        checkpoint_seconds=checkpoint_seconds,
        fresh=fresh,
    )
    if dry_run:
        done = _finished(options)
        ahead.show([plan for plan in options.config.plans if plan.cell not in done], options)
    else:
        _train(options, data_dir, data_source, out / PAGE, yes=yes)


def data(
    *, datasets: Names = "", data_dir: DataDir = None, data_source: DataSource = "auto"
) -> None:
    """Fetch and verify the datasets; train nothing."""
    load(names(datasets) or list(DATASETS), data_dir, data_source)


def _find(network: str | None) -> custom.Factory | None:
    sys.path.append("")  # where the command is called, which ``python -m`` looks in by itself
    try:
        return None if network is None else custom.find(network)
    except ValueError as error:
        raise UsageError(f"--network {error}") from None


def _rate(rate: float | None) -> float | None:
    if rate is not None and not 0 < rate < math.inf:
        raise UsageError(f"--learning-rate {rate}: a number above 0 is needed")
    return rate


def _finished(options: "RunOptions") -> "dict[Cell, Record]":
    """The records that are kept, after a line that says how many."""
    from bench.runner import grid

    done = {} if options.fresh else grid.completed(options)
    say(
        f"profile {options.config.profile} on {options.environment.device_name}: "
        f"{len(options.config.plans)} cells, {len(done)} finished before, in {options.folder}"
    )
    return done


def _train(
    options: "RunOptions", data_dir: Path | None, data_source: str, page: Path, *, yes: bool
) -> None:
    from bench.report.headlines import conclusion
    from bench.report.live import Renewal
    from bench.report.page import write
    from bench.runner import grid

    planned = [plan.cell for plan in options.config.plans]
    with grid.lock(options.folder):
        done = _finished(options)
        say(conclusion(options.config.profile, {cell.recipe for cell in planned}))
        left = [plan for plan in options.config.plans if plan.cell not in done]
        ahead.ask(left, options, yes=yes)
        missing = sorted({plan.cell.dataset for plan in left})
        options.stop.install()
        try:
            images = load(missing, data_dir, data_source)
            renewal = Renewal(options.folder, page, options.config.profile)
            records = grid.run(options, images, done, console, renewal)
        except KeyboardInterrupt:
            kept = sum((options.folder / cell.id / RECORD_FILE).exists() for cell in planned)
            same = "The same command" + (" without --fresh" if options.fresh else "")
            say(
                f"\nStopped: {kept} of {len(planned)} cells have a record and keep it. "
                f"{same} goes on."
            )
            raise Exit(128 + signal.SIGINT) from None
        for problem in write(options.folder, page, options.config.profile):
            say(f"left out: {problem}")
    failed = [record for record in records if record.status == "failed"]
    say(
        f"{len(records) - len(failed)} cells run, {len(done)} reused, {len(failed)} failed. "
        f"Report: {page.absolute()}"
    )
    for record in failed:
        say(f"failed: {record.cell.id}: {record.reason}")
    if failed:
        raise Exit(EXIT_FAILURE)
