"""The first screen: a sentence that answers for cost and for accuracy, and six numbers."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from bench.analysis.baselines import Row
from bench.analysis.labels import model_title
from bench.claims.published import load_published
from bench.claims.verdict import Verdict, Word
from bench.formats import duration, listed, number, significant
from bench.reference.loader import dataset_title
from bench.report.headlines import NO_BREAK, NO_BREAK_HYPHEN, lesson
from bench.report.results import Results

_SHORT: Final = ("smoke", "quick", "lecture")
"""Profiles that are too short to say anything about an accuracy of the paper."""

_TOLD: Final[dict[Word, str]] = {
    "reproduced": "reproduced",
    "refuted": "refuted",
    "inconclusive": "left open",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number of the first screen: what it is, its value, a remark, and where it comes from."""

    what: str
    value: str
    note: str
    chapter: str


def answer(results: Results) -> str:
    """The page in a sentence: what the lecture came to, else ``sentence``."""
    told = lesson(results.grid)[1] if results.profile == "lecture" else ""
    return f"{told[:1].upper()}{told[1:]}" or sentence(results)


def sentence(results: Results) -> str:
    """Whether these networks do what the paper says: cost and accuracy answered apart."""
    agree, counted = cost_figures(results.verdicts)
    cost = (
        "The networks cost what the paper prints"
        if agree == counted
        else f"{agree} of {counted} cost figures of the paper agree with ours"
    )
    return f"{cost}; {_accuracy(results)}."


def _accuracy(results: Results) -> str:
    words = Counter(each.word for each in results.verdicts if each.claim.kind == "accuracy")
    tested = words.total() - words["not run"]
    if tested:
        found = [f"{words[word]} {told}" for word, told in _TOLD.items() if words[word]]
        return f"of its {words.total()} errors on CIFAR{NO_BREAK_HYPHEN}10, {listed(found)}"
    if not any(record.final for record in results.records):
        return "whether they reach its accuracy, nothing trained here can tell"
    if results.profile in _SHORT:
        return "whether they reach its accuracy, a run this short cannot tell"
    return "whether they reach its accuracy, these runs do not test"


def cost_figures(verdicts: Sequence[Verdict]) -> tuple[int, int]:
    """How many printed FLOPs and parameters agree with a count of the layers, and how many are."""
    words = [each.word for each in verdicts if each.claim.part == "arithmetic"]
    return words.count("reproduced"), len(words)


def budgets(grid: Sequence[Row]) -> str:
    """``6,400 images of CIFAR-10 and 10,240 of MNIST``; empty where nothing was trained."""
    seen: dict[str, list[float]] = {}
    for row in grid:
        if row.images:
            seen.setdefault(row.dataset, []).append(row.images)
    told = [
        f"{_range(each, 0)}{' images' if not place else ''} of {dataset_title(dataset)}"
        for place, (dataset, each) in enumerate(seen.items())
    ]
    return listed(told) if told else ""


def six(results: Results, workloads: pd.DataFrame, coming: int) -> list[Number]:
    """Cells, accuracies, throughput, share of the machine's limit, cost figures, claims.

    Args:
        workloads: of ``speed.summarize``.
        coming: cells that are still to be trained.
    """
    summary = results.summary
    agree, counted = cost_figures(results.verdicts)
    runs = [each.word for each in results.verdicts if each.claim.part != "arithmetic"]
    judged = len(runs) - runs.count("not run")
    done = sum(record.status == "completed" for record in results.records)
    seconds = float(summary["train_seconds"].sum()) if len(summary) else 0.0
    return [
        Number(
            what="Cells done",
            value=f"{done} of {len(results.records) + coming}",
            note=f"{duration(seconds)} of training",
            chapter="accuracy",
        ),
        _accuracies(results.grid),
        _throughput(summary),
        _share(workloads),
        Number(
            what="Cost figures agree",
            value=f"{agree} of {counted}",
            note="FLOPs and parameters",
            chapter="cost",
        ),
        Number(
            what="Claims judged by runs",
            value=f"{judged} of {len(runs)}",
            note=f"{len(load_published())} in published records",
            chapter="claims",
        ),
    ]


def _accuracies(grid: Sequence[Row]) -> Number:
    found: dict[str, list[float]] = {}
    for row in grid:
        if row.test_accuracy is not None:
            found.setdefault(row.dataset, []).append(row.test_accuracy)
    told = [
        (dataset_title(dataset), f"{_range(each, 1)}{NO_BREAK}%") for dataset, each in found.items()
    ]
    (title, value), *others = told or [("Test", number(None))]
    note = ", ".join(f"{other} on {name}" for name, other in others)
    return Number(what=f"{title} accuracy", value=value, note=note, chapter="accuracy")


def _throughput(summary: pd.DataFrame) -> Number:
    value, note = number(None), "not measured"
    if len(summary):  # a pace that differs from training is no speed of the network
        summary = summary[summary["speed_problem"].isna()]
        summary = summary.dropna(subset="training_images_per_second")
    if len(summary):
        ordered = summary.sort_values("training_images_per_second")
        slow, fast = ordered.iloc[0], ordered.iloc[-1]
        speeds = [significant(each["training_images_per_second"]) for each in (fast, slow)]
        value = " → ".join(dict.fromkeys(speeds))
        titles = [model_title(each["network"], each["depth"]) for each in (fast, slow)]
        note = " → ".join(dict.fromkeys(titles)).replace("-", NO_BREAK_HYPHEN)
    return Number(what="Training, images/s", value=value, note=note, chapter="cost")


def _share(workloads: pd.DataFrame) -> Number:
    value, note = number(None), "not measured"
    if len(workloads):
        training = workloads.query("direction == 'training'")["limit_share"].dropna()
        if len(training):
            value, note = f"{_range(list(100 * training), 0)}{NO_BREAK}%", "in training"
    return Number(what="Of the machine’s limit", value=value, note=note, chapter="cost")


def _range(values: Sequence[float], digits: int) -> str:
    ends = (min(values), max(values))
    return "–".join(dict.fromkeys(number(value, digits) for value in ends))
