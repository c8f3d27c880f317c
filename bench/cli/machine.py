"""``compare-loops`` and ``doctor``: what this machine can do, and how much of it we use."""

import os
import statistics
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bench.cli.shared import EXIT_FAILURE, DataDir, DataSource, Device, Out, load, names
from bench.cli.terminal import say
from bench.errors import BenchError, UsageError
from bench.formats import significant
from bench.records.store import write_atomic
from resnet_models import Definition, define
from resnet_models.spec import Stem

if TYPE_CHECKING:
    from bench.records.schema import Engine, Environment
    from bench.runner.loops import Comparison, Turn
    from bench.runner.selftest import CheckResult
    from bench.runner.speed_matrix import Row

Json = Annotated[
    Path | None, typer.Option("--json", metavar="FILE", help="Write the raw samples here too.")
]


def compare_loops(
    *,
    models: Annotated[str, typer.Option(help="Comma-separated.")] = "resnet18,resnet50",
    stem: Annotated[
        Stem | None, typer.Option(help="First layers; the published ones where left out.")
    ] = None,
    batch_size: Annotated[int, typer.Option(min=2, metavar="N")] = 128,
    turns: Annotated[int, typer.Option(min=1, metavar="N", help="Counted ones.")] = 5,
    steps: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="In a turn; where left out, what takes about 5 s."),
    ] = None,
    device: Device = "auto",
    precision: Annotated[
        str, typer.Option(help="Of our loop: auto, float32, bfloat16 or float16.")
    ] = "auto",
    compile_: Annotated[
        Literal["on", "off"], typer.Option("--compile", help="torch.compile in our loop.")
    ] = "off",
    data_dir: DataDir = None,
    data_source: DataSource = "auto",
    json: Json = None,
) -> None:
    """Train with the loop that everybody copies and with ours, in turns; compare their speed."""
    definitions = [_define(name, stem) for name in names(models)]
    if not definitions:
        raise UsageError("--models needs at least one name, such as --models resnet18")
    if json is not None:
        refuse_unwritable(json)
    from bench.runner.loops import Comparisons, compare
    from bench.training.engine import EngineOptions, applied, choose_engine, out_of_memory
    from bench.training.environment import (
        choose_device,
        compile_problem,
        describe,
        load_average,
        load_problem,
    )

    torch_device = choose_device(device)
    if compile_ == "on" and (problem := compile_problem(torch_device)):
        raise UsageError(f"--compile on: {problem}")
    options = EngineOptions(precision=precision, compile=compile_)
    engine = choose_engine(torch_device, options, batch_size)
    dataset = load(["cifar10"], data_dir, data_source)["cifar10"]
    result = Comparisons(
        started_at=datetime.now(UTC), environment=describe(torch_device), comparisons=()
    )
    show_setting(result.environment, engine)
    if problem := load_problem(load_average(), result.environment.cpu_count):
        say(f"warning: {problem}")
    for definition in definitions:
        say(f"{definition.model}, {definition.stem} stem, batches of {batch_size} images:")
        try:
            with applied(engine):
                comparison = compare(
                    *(definition, dataset, torch_device, engine),
                    turns=turns,
                    steps=steps,
                    on_turn=show_turn,
                )
        except (MemoryError, RuntimeError) as error:
            if not out_of_memory(error):
                raise
            reason = str(error).splitlines()[0]
            raise BenchError(f"out of memory: {reason}. Choose a smaller --batch-size.") from error
        show_comparison(comparison)
        result = result.model_copy(update={"comparisons": (*result.comparisons, comparison)})
        if json is not None:
            write_atomic(json, result.model_dump_json(indent=1) + "\n")
    if json is not None:
        say(f"Raw samples: {json.absolute()}")


def doctor(
    *,
    selftest: Annotated[
        bool, typer.Option("--selftest", help="Check the engine too, and time a few networks.")
    ] = False,
    device: Device = "auto",
    data_dir: DataDir = None,
    out: Out = Path("reports"),
    json: Json = None,
) -> None:
    """Say what this machine offers, what training will use and why; exit 1 if a check fails."""
    path = json or (out / "doctor.json" if selftest else None)
    if path is not None:
        refuse_unwritable(path)
    from bench.runner import diagnosis, speed_matrix
    from bench.runner.doctor import Report, Selftest, examine
    from bench.runner.selftest import run_checks
    from bench.training.environment import choose_device

    started_at, torch_device = datetime.now(UTC), choose_device(device)
    machine = examine(torch_device, out, data_dir)
    for name, text in diagnosis.facts(machine).items():
        say(f"{name + ':':<14} {text}")
    problems = diagnosis.problems(machine)
    for problem in problems:
        say(f"warning: {problem}")
    found = None
    if selftest:
        say("\nChecks, on synthetic images:")
        checks = run_checks(torch_device, show_check)
        say("\nSpeed, on synthetic images; medians:")
        speeds = speed_matrix.measure(torch_device, show_row)
        found = Selftest(checks=tuple(checks), speeds=tuple(speeds))
    if path is not None:
        report = Report(
            started_at=started_at, machine=machine, problems=tuple(problems), selftest=found
        )
        write_atomic(path, report.model_dump_json(indent=1) + "\n")
        say(f"\nAll of it, with raw samples: {path.absolute()}")
    if found and found.failures:
        say(f"failed: {found.failures} of {len(found.checks) + len(found.speeds)}")
        raise typer.Exit(EXIT_FAILURE)


def show_check(check: "CheckResult") -> None:
    """One line."""
    say(f"  {check.status:<8}{check.name}: {check.detail} ({check.seconds:.1f} s)")


def show_row(row: "Row") -> None:
    """One line."""
    captured = " captured" if row.engine.cuda_graph else ""
    start = f"  {row.model:<15} {row.stem:<9} {row.engine.precision}{captured}:"
    if row.speed is None:
        say(f"{start} failed: {row.problem}")
        return
    speed = row.speed
    training = speed.batch_size / statistics.median(speed.train_step_seconds)
    inference = speed.inference_batch_size / statistics.median(speed.inference_batch_seconds)
    say(
        f"{start} training {significant(training)} images/s (batches of {speed.batch_size}), "
        f"inference {significant(inference)} ({speed.inference_batch_size})"
    )


def _define(name: str, stem: Stem | None) -> Definition:
    try:
        return define(name, stem=stem, num_classes=10)
    except ValueError as error:
        raise UsageError(str(error)) from None


def refuse_unwritable(path: Path) -> None:
    """Make the folder of ``path``, before anything is measured that could not be written.

    Raises:
        UsageError: it cannot be made or written to, or ``path`` is a folder.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--json {path}: {error.strerror or error}") from None
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise UsageError(f"--json {path}: no file can be written there")


def show_setting(environment: "Environment", engine: "Engine") -> None:
    """Machine and software, one line; how either loop uses them, another."""
    compiled = "with torch.compile" if engine.compiled else "without torch.compile"
    graph = ", one CUDA graph a step" if engine.cuda_graph else ""
    say(
        f"{environment.device_name}, {environment.cpu_count} CPUs, torch {environment.torch} "
        f"with {environment.threads} threads"
    )
    say(
        "usual loop: float32, torchvision's data set, PIL transforms, DataLoader with 2 workers; "
        f"ours: {engine.precision}, {compiled}{graph}"
    )


def show_turn(turn: "Turn", images: int) -> None:
    """One line."""
    say(
        f"  usual {images / turn.theirs_seconds:8,.0f} images/s, "
        f"ours {images / turn.ours_seconds:8,.0f} images/s: {turn.ratio:.2f} times as fast "
        f"({turn.first} first)"
    )


def show_comparison(comparison: "Comparison") -> None:
    """What came of all turns."""
    ratios = comparison.ratios
    spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
    say(
        f"  medians: usual {comparison.theirs_per_second:,.0f} images/s, "
        f"ours {comparison.ours_per_second:,.0f} images/s; "
        f"ours is {statistics.median(ratios):.2f} times as fast "
        f"({spread} in {len(ratios)} turns of {comparison.steps} steps)"
    )
    side, shares = comparison.peak_size, comparison.shares_of_peak
    peak = statistics.median(comparison.peaks_per_second)
    say(
        f"  ours reaches {statistics.median(shares):.0%} ({min(shares):.0%} to {max(shares):.0%}) "
        f"of a {side}×{side} matrix product in {comparison.engine.precision}, "
        f"{significant(peak / 1e12)} TFLOP/s here"
    )
