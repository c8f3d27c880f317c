"""``compare-loops``: our training loop beside the one that everybody copies."""

import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from typer import Option

from bench.cli.options import AnyPrecision, DataDir, DataSource, Device, FirstLayers, Json, OnOff
from bench.cli.shared import load, names, refuse_unwritable, say
from bench.errors import BenchError, UsageError
from bench.formats import significant
from bench.records.writing import write_atomic
from resnet_models import define

if TYPE_CHECKING:
    from bench.records.schema import Engine, Environment
    from bench.runner.loops import Comparison, Turn

Steps = Annotated[
    int | None,
    Option(min=1, metavar="N", help="In a turn; where left out, what takes about 5 s."),
]
Compile = Annotated[OnOff, Option("--compile", help="torch.compile in our loop.")]


def compare_loops(
    *,
    models: Annotated[str, Option(help="Comma-separated.")] = "resnet18,resnet50",
    stem: FirstLayers = None,
    batch_size: Annotated[int, Option(min=2, metavar="N")] = 128,
    turns: Annotated[int, Option(min=1, metavar="N", help="Counted ones.")] = 5,
    steps: Steps = None,
    device: Device = "auto",
    precision: Annotated[
        AnyPrecision, Option(help="Of our loop: auto, float32, bfloat16 or float16.")
    ] = "auto",
    compile_: Compile = "off",
    data_dir: DataDir = None,
    data_source: DataSource = "auto",
    json: Json = None,
) -> None:
    """Train with the loop that everybody copies and with ours, in turns; compare their speed."""
    try:
        definitions = [define(name, stem=stem, num_classes=10) for name in names(models)]
    except ValueError as error:
        raise UsageError(str(error)) from None
    if not definitions:
        raise UsageError("--models needs at least one name, such as --models resnet18")
    if json is not None:
        refuse_unwritable("--json", json)
    from bench.runner.loops import Comparisons, compare
    from bench.training import environment as machine
    from bench.training.engine import EngineOptions, applied, choose_engine

    torch_device = machine.choose_device(device)
    if compile_ == "on" and (problem := machine.compile_problem(torch_device)):
        raise UsageError(f"--compile on: {problem}")
    options = EngineOptions(precision=precision, compile=compile_)
    engine = choose_engine(torch_device, options, batch_size)
    dataset = load(["cifar10"], data_dir, data_source)["cifar10"]
    result = Comparisons(
        started_at=datetime.now(UTC), environment=machine.describe(torch_device), comparisons=()
    )
    _show_setting(result.environment, engine)
    if problem := machine.load_problem(machine.load_average(), result.environment.cpu_count):
        say(f"warning: {problem}")
    for definition in definitions:
        say(f"{definition.model}, {definition.stem} stem, batches of {batch_size} images:")
        setting = definition, dataset, torch_device, engine
        with _memory_named(), applied(engine):
            found = compare(*setting, turns=turns, steps=steps, on_turn=_show_turn)
        _show_comparison(found)
        result = result.model_copy(update={"comparisons": (*result.comparisons, found)})
        if json is not None:
            write_atomic(json, result.model_dump_json(indent=1) + "\n")
    if json is not None:
        say(f"Raw samples: {json.absolute()}")


@contextmanager
def _memory_named() -> Iterator[None]:
    """What needs too much memory is told with the option that asks for less."""
    from bench.training.engine import out_of_memory

    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not out_of_memory(error):
            raise
        reason = str(error).splitlines()[0]
        raise BenchError(f"out of memory: {reason}. Choose a smaller --batch-size.") from error


def _show_setting(environment: "Environment", engine: "Engine") -> None:
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
    lower = engine.precision != "float32"
    say(
        f"for ours: {f'{engine.precision} against float32, ' if lower else ''}multiplications with "
        "padding left out; for theirs: TF32 and cudnn.benchmark as in ours, up to four batches "
        "ready at the start of a turn"
    )


def _show_turn(turn: "Turn", images: int) -> None:
    same = f", {turn.cast_ratio:.2f} in the same precision" if turn.cast_seconds else ""
    say(
        f"  usual {images / turn.theirs_seconds:8,.0f} images/s, "
        f"ours {images / turn.ours_seconds:8,.0f} images/s: {turn.ratio:.2f} times as fast"
        f"{same} ({turn.first} first)"
    )


def _show_comparison(comparison: "Comparison") -> None:
    ratios, (theirs, ours) = comparison.ratios, comparison.images_per_second
    spread, same = f"{min(ratios):.2f} to {max(ratios):.2f}", ""
    if comparison.engine.precision != "float32":
        cast = comparison.cast_ratios
        same = (
            f", {statistics.median(cast):.2f} times ({min(cast):.2f} to {max(cast):.2f}) in the "
            f"same precision ({comparison.engine.precision} by autocast)"
        )
    say(
        f"  medians: usual {theirs:,.0f} images/s, ours {ours:,.0f} images/s; "
        f"ours is {statistics.median(ratios):.2f} times as fast "
        f"({spread} in {len(ratios)} turns of {comparison.steps} steps){same}"
    )
    side, shares = comparison.peak_size, comparison.shares_of_peak
    peak = statistics.median(comparison.peaks_per_second)
    say(
        f"  ours reaches {statistics.median(shares):.0%} ({min(shares):.0%} to {max(shares):.0%}) "
        f"of a {side}×{side} matrix product in {comparison.engine.precision}, "
        f"{significant(peak / 1e12)} TFLOP/s here"
    )
