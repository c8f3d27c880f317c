"""The small files beside the page: for an issue, for a program, for a spreadsheet. No torch here.

docs/summary.md tells what is in them. The same records give the same bytes.
"""

import math
from collections.abc import Sequence
from statistics import fmean
from typing import Any, Final, Literal

import pandas as pd
from pydantic import Field

from bench.analysis.baselines import Row
from bench.analysis.speed import summarize
from bench.analysis.tables import CLEAN, SCORES
from bench.analysis.times import TARGETS, reached
from bench.claims.schema import Part
from bench.claims.verdict import Word
from bench.formats import in_markdown, markdown_table, number
from bench.records import folder
from bench.records.schema import Environment, Record, Stored
from bench.records.speed import Limits, SpeedRecord
from bench.reference.loader import dataset_title
from bench.report.claims import PARTS, counts, told
from bench.report.headlines import NO_BREAK, NO_BREAK_HYPHEN, untrained
from bench.report.results import Results

SCHEMA_VERSION: Final = 2
MARKDOWN: Final = "summary.md"
JSON: Final = "summary.json"
CSV: Final = "results.csv"
_SHARED: Final = {"id": "workload_id", "samples": "speed_samples"}


class TimeToAccuracy(Stored):
    """How long a network trained until it reached a test accuracy, and kept it to the end."""

    target: float = Field(description="percent")
    reached: int = Field(ge=0, description="seeds that did, of those that completed")
    images: float | None = Field(description="trained on until then; null unless every seed did")
    seconds: float | None = Field(description="of training until then; means over the seeds")


class NetworkSummary(Stored):
    """One network on one data set, its seeds together: a row of the page's first table.

    A number is null where there is none, and where it is named in ``not_finite``.
    """

    network: str = Field(
        description="ResNet-50 or plain-34, as the paper writes it; a custom one by its own name"
    )
    depth: int = Field(description="layers with weights; of a custom network, projections too")
    dataset: str
    lineage: str | None = Field(description="null where no cell ran, as is the recipe")
    stem: str
    shortcut: str
    recipe: str | None
    variant: str = Field(description="what tells it from others of its data set, in words")
    status: str = Field(description="completed, not run, or how it failed")
    seeds: int = Field(description="that completed; the figures are their means")
    cell_ids: tuple[str, ...] = Field(description="folders of the records, failed ones included")
    epochs: float | None
    steps: float | None
    images: float | None = Field(description="training images seen")
    test_accuracy: float | None = Field(description="percent, after the last epoch")
    test_low: float | None = Field(description="95 % Wilson interval of the mean: test set noise")
    test_high: float | None
    test_min: float | None = Field(description="of the seeds")
    test_max: float | None
    test_loss: float | None = Field(description="mean cross-entropy per image, nats")
    train_accuracy: float | None = Field(description="percent, counted while weights change")
    train_loss: float | None
    clean_train_accuracy: float | None = Field(
        description="percent, of the final weights on the images of the last epoch, unaugmented"
    )
    clean_train_loss: float | None
    clean_train_images: float | None = Field(description="of one seed; null in older records")
    times: tuple[TimeToAccuracy, ...] = Field(
        description="to each target of its data set; empty where no seed completed"
    )
    theirs_test_accuracy: float | None = Field(description="percent; the 2022 project's cell")
    theirs_images: float | None
    difference: float | None = Field(description="points of test accuracy, ours minus theirs")
    equal_budget: bool = Field(description="whether both saw as many training images")
    within_noise: bool = Field(description="whether two test sets alone could make the difference")
    not_finite: tuple[str, ...] = Field(
        description="fields that are null because the value was infinite or not a number"
    )


class Summary(Stored):
    """What one results folder shows of one profile."""

    schema_version: Literal[2] = SCHEMA_VERSION
    profile: str | None = Field(description="null where there is no record")
    headline: str | None = Field(description="the finding, one sentence")
    networks: tuple[NetworkSummary, ...]
    verdicts: dict[Part, dict[Word, int]] = Field(
        description="how many claims have each verdict, by what they are and who makes them"
    )
    claims: dict[str, Word] = Field(description="the verdict of every claim, by its id")
    environments: tuple[Environment, ...] = Field(description="machines and software")
    damaged_records: int = Field(ge=0, description="files that could not be read")


def files(results: Results, found: folder.Results) -> dict[str, str]:
    """Name -> content of every file that stands beside the page.

    Args:
        results: the profile that the page shows.
        found: the whole folder.
    """
    damaged = len(found.damaged_cells)
    return {
        MARKDOWN: markdown(results, damaged, untrained(found)),
        JSON: summary(results, damaged).model_dump_json(indent=1) + "\n",
        CSV: csv(results.summary, workload_rows(found.workloads, found.limits)),
    }


def summary(results: Results, damaged: int) -> Summary:
    """What a program wants to know, nothing rounded."""
    return Summary(
        profile=results.profile,
        headline=_plain(results.headline) if results.headline else None,
        networks=tuple(_network(row, results.records) for row in results.grid),
        verdicts=counts(results.verdicts),
        claims={verdict.claim.id: verdict.word for verdict in results.verdicts},
        environments=tuple(results.environments),
        damaged_records=damaged,
    )


def _network(row: Row, records: Sequence[Record]) -> NetworkSummary:
    values = {name: getattr(row, name, None) for name in NetworkSummary.model_fields}
    scores = {name: value for name in (*SCORES, *CLEAN) if (value := values[name]) is not None}
    not_finite = [name for name, value in scores.items() if not math.isfinite(value)]
    values |= dict.fromkeys(not_finite)
    values |= {"network": row.title, "not_finite": tuple(not_finite)}
    values["times"] = _times([each for each in records if each.cell.id in row.cell_ids])
    if row.theirs:
        values["theirs_test_accuracy"] = row.theirs.test_accuracy
        values["theirs_images"] = row.theirs.images
    return NetworkSummary.model_validate(values)


def _times(records: Sequence[Record]) -> tuple[TimeToAccuracy, ...]:
    """Of the seeds of one network."""
    completed = [record for record in records if record.final]
    targets = TARGETS.get(completed[0].cell.dataset, ()) if completed else ()
    times = []
    for target in targets:
        found = [when for record in completed if (when := reached(record, target))]
        every = len(found) == len(completed)
        times.append(
            TimeToAccuracy(
                target=target,
                reached=len(found),
                images=fmean(each.images for each in found) if every else None,
                seconds=fmean(each.seconds for each in found) if every else None,
            )
        )
    return tuple(times)


def workload_rows(workloads: Sequence[SpeedRecord], limits: Limits | None) -> pd.DataFrame:
    """``speed.summarize`` in the columns of cells where it means the same."""
    frame = summarize(workloads, limits).rename(columns=_SHARED)
    return frame.assign(
        kind="workload",
        network=[each.workload.network for each in workloads],
        device=[each.environment.device_name for each in workloads],
    )


def csv(cells: pd.DataFrame, workloads: pd.DataFrame) -> str:
    """``tables.summarize`` and the workloads below it, a row per record, nothing rounded.

    A text that a spreadsheet would take for a formula has an apostrophe before it, and line breaks
    in it are blanks.
    """
    frame = cells.copy()
    frame.insert(0, "kind", "cell")
    if len(workloads):
        frame = pd.concat([frame.astype(object), workloads.astype(object)])
    return frame.map(_one_cell).to_csv(index=False, lineterminator="\n")


def _one_cell(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    line = " ".join(value.splitlines())
    return f"'{line}" if line.lstrip().startswith(("=", "+", "-", "@")) else line


def markdown(results: Results, damaged: int, untrained: str) -> str:
    """The page in a few lines, for a README or an issue; headed ``untrained`` without a cell."""
    counted = counts(results.verdicts).items()
    claims = "\n".join(f"- {PARTS[part]}: {told(words)}" for part, words in counted)
    parts = [f"Claims and verdicts:\n\n{claims}"]
    if results.profile is not None:
        machine = "; ".join([*results.devices, *results.software])
        parts = [
            f"**{in_markdown(_plain(results.headline or ''))}**",
            in_markdown(results.conclusion),
            _table(results.grid),
            "Accuracy in percent after the last epoch; behind it the 95 % interval, which covers "
            "the noise of the test set only, or the lowest and the highest of several seeds.",
            *parts,
            f"Profile `{results.profile}`. {in_markdown(machine)}.",
        ]
    else:
        parts = [f"**{untrained}**", *parts]
    if damaged:
        parts.append(f"{damaged} record file(s) could not be read and are left out.")
    return "\n\n".join(parts) + "\n"


def _table(grid: Sequence[Row]) -> str:
    beside = any(row.theirs for row in grid)
    titles = ["Data set", "Network", "Test accuracy, %", "Training images"]
    titles += ["2022 project, %", "its images"] if beside else []
    lines = []
    for row in grid:
        line = [
            dataset_title(row.dataset),
            f"{row.title} ({in_markdown(row.variant)})" if row.variant else row.title,
            _accuracy(row),
            number(row.images, 0),
        ]
        if row.theirs:
            line += [number(row.theirs.test_accuracy), number(row.theirs.images, 0)]
        elif beside:
            line += [number(None)] * 2
        lines.append(line)
    return markdown_table(titles, lines, left=2)


def _accuracy(row: Row) -> str:
    if row.test_accuracy is None:
        return in_markdown(row.status)
    several = row.seeds > 1
    low, high = (row.test_min, row.test_max) if several else (row.test_low, row.test_high)
    seeds = f", {row.seeds} seeds" if several else ""
    return f"{number(row.test_accuracy)} ({number(low)} – {number(high)}{seeds})"


def _plain(text: str) -> str:
    """Without the characters that keep a browser from breaking a line."""
    return text.replace(NO_BREAK, " ").replace(NO_BREAK_HYPHEN, "-")
