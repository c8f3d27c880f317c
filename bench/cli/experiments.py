"""``experiments``: what is planned, what is done, what is left."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from typer import Argument, Option

from bench.cli.options import Device, Form, Output
from bench.cli.output import print_rows, written_to
from bench.cli.shared import folders, plain_table, refuse_absent, runs_in, say, wide
from bench.config.experiments import COMPILE, PRECISION, Experiment, find, load_experiments
from bench.config.plan import Plan
from bench.formats import listed
from bench.records import store

if TYPE_CHECKING:
    from bench.claims.schema import Claim
    from bench.records.schema import Record

USUAL: Final = (Path("reports"), Path("reports/published"), Path("results"))

Left = Mapping[str, Sequence[Plan]]
"""By experiment, what has no record yet."""


def experiments(
    name: Annotated[str | None, Argument(help="Only this one, with its cells and claims.")] = None,
    *,
    results: Annotated[
        list[str] | None,
        Option(
            metavar="DIR",
            help="Results folders, or folders of such, with what is done, comma-separated; "
            "reports, reports/published and results where left out.",
        ),
    ] = None,
    hours: Annotated[
        bool, Option("--hours/--no-hours", help="Measure what the rest takes here; seconds each.")
    ] = True,
    device: Device = "auto",
    form: Form = "table",
    output: Output = None,
) -> None:
    """List the planned experiments: their cells, the claims they decide, hours that are left."""
    chosen = load_experiments() if name is None else {name: find(name)}
    given = folders(results)
    for folder in given:
        refuse_absent("--results", folder)
    records = list(_records(given or USUAL))
    plans = {each.name: each.config().plans for each in chosen.values()}
    done = {each: [plan for plan in plans[each] if _is_done(plan, records)] for each in plans}
    left = {each: [plan for plan in plans[each] if plan not in done[each]] for each in plans}
    seconds = _seconds(left, records, device) if hours else {}
    rows = [_row(each, plans[each.name], left[each.name], seconds) for each in chosen.values()]
    with written_to(output):
        if form != "table":
            import pandas as pd

            print_rows(pd.DataFrame(rows), form)
        elif name is None:
            _show_all(rows)
        else:
            _show(rows[0], left[name], _claims(plans[name]))


def _records(given: Sequence[Path]) -> "Iterator[Record]":
    problems: list[str] = []
    for folder in (each for results in given for each in runs_in(results)):
        yield from store.load_each(folder, problems)
    for problem in problems:
        typer.echo(f"left out: {problem}", err=True)


def _is_done(plan: Plan, records: "Sequence[Record]") -> bool:
    return any(
        record.cell == plan.cell
        and record.recipe == plan.recipe
        and record.engine.precision == PRECISION
        and record.status == "completed"
        for record in records
    )


def _seconds(left: Left, records: "Sequence[Record]", device: str) -> dict[str, float]:
    """What is left of each takes so long here; a cell of two experiments counts in both."""
    from bench.config.profiles import RunConfig
    from bench.runner.estimate import estimate
    from bench.runner.options import RunOptions
    from bench.training.engine import EngineOptions
    from bench.training.environment import choose_device, describe

    plans = [plan for each in left.values() for plan in each]
    if not plans:
        return dict.fromkeys(left, 0.0)
    torch_device = choose_device(device)
    typer.echo("Timing a step of every network that has no record made here ...", err=True)
    options = RunOptions(
        config=RunConfig(profile="experiments", plans=tuple(plans), speed_samples=20),
        folder=Path("reports") / store.RUNS,
        device=torch_device,
        environment=describe(torch_device),
        engine=EngineOptions(precision=PRECISION, compile=COMPILE),
    )
    found = iter(estimate(plans, options, records))
    return {name: sum(next(found).seconds for _ in each) for name, each in left.items()}


def _claims(plans: Sequence[Plan]) -> "list[Claim]":
    from bench.claims.experiments import decided_by

    return decided_by(plans)


def _row(
    experiment: Experiment,
    plans: Sequence[Plan],
    left: Sequence[Plan],
    seconds: Mapping[str, float],
) -> dict[str, Any]:
    return {
        "experiment": experiment.name,
        "cells": len(plans),
        "done": len(plans) - len(left),
        "seeds": len(experiment.seeds),
        "claims": len(_claims(plans)),
        "hours_left": seconds[experiment.name] / 3600 if seconds else None,
        "question": experiment.question,
    }


def _show_all(rows: Sequence[Mapping[str, Any]]) -> None:
    table = plain_table(
        ["Experiment", "Cells", "Done", "Claims", "Hours left", "Question"], "lrrrrl"
    )
    for row in rows:
        numbers = (str(row[name]) for name in ("cells", "done", "claims"))
        table.add_row(row["experiment"], *numbers, _hours(row), row["question"])
    wide.print(table)
    say(
        "python -m bench experiments NAME shows its claims and their power; "
        "python -m bench run --experiment NAME runs it."
    )


def _show(row: Mapping[str, Any], left: Sequence[Plan], claims: "Sequence[Claim]") -> None:
    say(f"{row['experiment']}: {row['question']}")
    say(
        f"{row['done']} of {row['cells']} cells done, {row['seeds']} seeds; "
        f"{_hours(row)} hours left."
    )
    networks = Counter(plan.cell.id.rsplit("-", 1)[0] for plan in left)
    for network, count in networks.items():
        seeds = sorted(
            plan.cell.seed for plan in left if plan.cell.id.startswith(f"{network}-seed")
        )
        say(f"  {network}: {count} left, seeds {listed(list(map(str, seeds)))}")
    say(f"Decides {len(claims)} claims; power is the chance to reproduce one if it is true:")
    for claim in claims:
        power = f"{claim.power[0]:.0%}" if claim.power else "not known"
        say(f"  {claim.id}: {claim.text} (power {power})")


def _hours(row: Mapping[str, Any]) -> str:
    return "–" if row["hours_left"] is None else f"{row['hours_left']:.1f}"
