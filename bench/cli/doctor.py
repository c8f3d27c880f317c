"""``doctor``: what this machine can do, and whether the engine works on it."""

import statistics
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Exit, Option

from bench.cli.options import DataDir, Device, Json, Out
from bench.cli.shared import EXIT_FAILURE, refuse_unwritable, say
from bench.formats import significant
from bench.records.writing import write_atomic

if TYPE_CHECKING:
    import torch

    from bench.runner.selftest import Selftest
    from bench.runner.trial import Row


def doctor(
    *,
    selftest: Annotated[
        bool, Option("--selftest", help="Check the engine too, and time a few networks.")
    ] = False,
    device: Device = "auto",
    data_dir: DataDir = None,
    out: Out = Path("reports"),
    json: Json = None,
) -> None:
    """Say what this machine offers, what training will use and why; exit 1 if a check fails."""
    path = json or (out / "doctor.json" if selftest else None)
    if path is not None:
        refuse_unwritable("--json", path)
    from bench.runner.doctor import Report, examine, facts, find_problems
    from bench.training.environment import choose_device

    started_at, torch_device = datetime.now(UTC), choose_device(device)
    machine = examine(torch_device, out, data_dir)
    for name, text in facts(machine).items():
        say(f"{name + ':':<14} {text}")
    problems = tuple(find_problems(machine))
    for problem in problems:
        say(f"warning: {problem}")
    found = _test(torch_device) if selftest else None
    if path is not None:
        report = Report(started_at=started_at, machine=machine, problems=problems, selftest=found)
        write_atomic(path, report.model_dump_json(indent=1) + "\n")
        say(f"\nAll of it, with raw samples: {path.absolute()}")
    if found and found.failures:
        say(f"failed: {found.failures} of {len(found.checks) + len(found.speeds)}")
        raise Exit(EXIT_FAILURE)


def _test(device: "torch.device") -> "Selftest":
    """Each line is shown as soon as it is known."""
    from bench.runner.selftest import Selftest, run_checks
    from bench.runner.trial import measure_speeds

    checks, speeds = [], []
    say("\nChecks, on synthetic images:")
    for check in run_checks(device):
        checks.append(check)
        say(f"  {check.status:<8}{check.name}: {check.detail} ({check.seconds:.1f} s)")
    say("\nSpeed, on synthetic images; medians:")
    for row in measure_speeds(device):
        speeds.append(row)
        _show_row(row)
    return Selftest(checks=tuple(checks), speeds=tuple(speeds))


def _show_row(row: "Row") -> None:
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
