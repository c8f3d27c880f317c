"""``run``: from cells to records, and to the page. ``data``: the images alone."""

import math
import signal
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from typer import Context, Exit

from bench.cli import ahead
from bench.cli import run_options as asked
from bench.cli.options import DataDir, DataSource, Device, Names, Out, Threads
from bench.cli.shared import EXIT_FAILURE, PAGE, console, given, load, names, say
from bench.config import experiments, recipe_files
from bench.config.plan import Changes
from bench.config.profiles import DATASETS, RunConfig, make
from bench.errors import UsageError
from bench.records.store import RECORD_FILE, RUNS
from resnet_models import custom

if TYPE_CHECKING:
    from bench.config.cell import Cell
    from bench.records.schema import Record
    from bench.runner.options import RunOptions

BESIDE_EXPERIMENT: Final = (
    "experiment", "models", "seed", "device", "data_dir", "data_source", "out", "threads",
    "checkpoint_seconds", "fresh", "no_weights", "dry_run", "yes",
)  # fmt: skip
"""What may be chosen of an experiment: a part of it, and where and when it runs."""


def run(
    context: Context,
    *,
    profile: asked.Profile = "auto",
    experiment: asked.PlannedExperiment = None,
    minutes: asked.Minutes = None,
    models: Names = "",
    datasets: Names = "",
    cells: asked.Cells = "",
    seeds: asked.Seeds = None,
    seed: asked.Seed = None,
    network: asked.Network = None,
    lineage: asked.RunLineage = None,
    stem: asked.RunStem = None,
    shortcut: asked.RunShortcut = None,
    recipe: asked.RecipeFile = None,
    batch_size: asked.BatchSize = None,
    learning_rate: asked.Rate = None,
    epochs: asked.Epochs = None,
    iterations: asked.Iterations = None,
    fraction: asked.Fraction = None,
    start: asked.Start = None,
    images_per_epoch: asked.Images = None,
    held_out: asked.HeldOut = None,
    norm_batch: asked.NormBatch = None,
    device: Device = "auto",
    data_dir: DataDir = None,
    data_source: DataSource = "auto",
    out: Out = Path("reports"),
    precision: asked.Precision = "auto",
    compile_: asked.Compile = "auto",
    deterministic: asked.Deterministic = False,
    checkpoint_seconds: asked.Seconds = 60.0,
    fresh: asked.Fresh = False,
    no_weights: asked.NoWeights = False,
    threads: Threads = None,
    dry_run: asked.DryRun = False,
    yes: asked.Yes = False,
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
        start=start,
        images_per_epoch=images_per_epoch,
        held_out=held_out,
        norm_batch=norm_batch,
    )
    seeds_of_run = range(seeds or 1) if seed is None else (seed,)
    request = partial(make, models=names(models), datasets=names(datasets), seeds=seeds_of_run)
    # Wrong words are told before torch is loaded, which takes seconds; what auto stands for and
    # custom cells are known only then.
    planned = None
    if experiment:
        planned = _planned(experiment, context, names(models), seed)
        precision, compile_ = experiments.PRECISION, experiments.COMPILE
    elif profile == "auto":
        request(profile="quick", has_gpu=False)
    else:
        there = () if network else names(cells)
        request(profile=profile, has_gpu=False, cells=there, changes=changes)
    from bench.runner.options import RunOptions
    from bench.training.engine import EngineOptions
    from bench.training.environment import choose_device, describe, gpu_problem, use_threads

    torch_device = choose_device(device)
    use_threads(threads)
    if problem := gpu_problem(torch_device):
        say(f"warning: {problem}")
    config = planned or request(
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
        weights=not no_weights,
    )
    if minutes is not None:
        options = _within(minutes, options, request)
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


def _planned(name: str, context: Context, models: Sequence[str], seed: int | None) -> RunConfig:
    """The cells of the experiment ``name``, or those of some of its networks or of one seed.

    Raises:
        UsageError: there is none, or something was given that it fixes.
    """
    experiment = experiments.find(name)
    if beside := given(context, but=BESIDE_EXPERIMENT):
        raise UsageError(
            f"--experiment {name} fixes what is trained, and how: leave out {', '.join(beside)}"
        )
    return experiment.config(models=tuple(models), seed=seed)


def _within(minutes: int, options: "RunOptions", request: Callable[..., RunConfig]) -> "RunOptions":
    """``options`` of the profile quick, as long as ``minutes`` allow.

    Raises:
        UsageError: it is another profile, or quick with changes or some cells only.
    """
    from bench.runner.estimate import fitting_share

    whole = request(profile="quick", has_gpu=False)
    if options.config != whole:
        raise UsageError("--minutes is about the whole profile quick, which auto is without a GPU")
    say("Timing a step of every network that has no record made here ...")
    share = fitting_share(options, 60.0 * minutes)
    return replace(options, config=request(profile="quick", has_gpu=False, share=share))


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
    machines = Counter(record.environment.device_name for record in done.values())
    for machine in sorted(set(machines) - {options.environment.device_name}):
        say(f"{machines[machine]} of them were made on another machine: {machine}")
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
