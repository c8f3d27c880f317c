"""A comparison as tables for people and as rows for programs. Rounding and wording only.

On paper the baseline is A and the candidate B, as on the command line.
"""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import pandas as pd

from bench.compare.comparison import Comparison
from bench.compare.finding import CHANGED, Finding
from bench.compare.noise import Noise
from bench.compare.timings import RUN
from bench.formats import in_markdown, markdown_table, number, significant
from bench.records.speed import SpeedRecord

Findings = Sequence[Finding]

_MOST_NAMES: Final = 3
SCHEMA_VERSION: Final = 2  # of the JSON; the first had neither this nor units
UNITS: Final = {
    "speed": dict.fromkeys(("a", "b"), "seconds")
    | dict.fromkeys(("effect", "low", "high", "visible", "same"), "ratio of times"),
    "accuracy": dict.fromkeys(("a", "b"), "percent")
    | dict.fromkeys(("effect", "low", "high", "visible", "same"), "percentage points"),
    "noise": "standard deviation of the natural logarithm of a time",
}
INTERVALS: Final = (
    "Interval and p hold beside all other speeds that were compared (Holm's method). A change is "
    "shown where the interval leaves out 1; visible is the smallest that could have been."
)


def select(findings: Findings, *, changed: bool, by_change: bool) -> list[Finding]:
    """What of ``findings`` is shown: what has changed alone, or all; the largest change first."""
    shown = [each for each in findings if not changed or each.verdict in CHANGED]
    if by_change:
        shown.sort(key=lambda each: (each.kind != "speed", -each.size))
    return shown


def sections(comparison: Comparison, shown: Findings) -> dict[str, pd.DataFrame]:
    """Tables by title, every cell as text: what differs, what was compared, what was not."""
    reasons: dict[str, list[str]] = {}
    for left_out in comparison.left_out:
        reasons.setdefault(left_out.why, []).append(left_out.name)
    rows = {
        "Speed": [_speed_row(each) for each in shown if each.kind == "speed"],
        "Accuracy": [_accuracy_row(each) for each in shown if each.kind != "speed"],
        "Notes": [{"About": about, "Note": note} for note, about in notes(comparison)],
        "Not compared": [
            {"Why": why, "Number": str(len(names)), "What": _few(names)}
            for why, names in reasons.items()
        ],
    }
    tables = {title: pd.DataFrame(listed) for title, listed in rows.items() if listed}
    return {"What differs between A and B": _conditions(comparison), **tables}


def notes(comparison: Comparison) -> list[tuple[str, str]]:
    """What else a reader should know: each note once, with what it is about."""
    names: dict[str, list[str]] = {}
    for each in comparison.findings:
        for note in each.notes:
            names.setdefault(note, []).append(each.name)
    found = [(note, _few(list(dict.fromkeys(about)))) for note, about in names.items()]
    limits = {each.kind: each.same for each in comparison.findings}
    if "speed" in limits:
        found[:0] = [(noise_words(comparison.noise), "noise"), (INTERVALS, "speed")]
    words = " or ".join(
        f"{100 * (same - 1):g} % of a speed" if kind == "speed" else f"{same:g} point of accuracy"
        for kind, same in limits.items()
    )
    found.insert(
        0, (f"The same is what the interval shows to change by less than {words}.", "same")
    )
    return found


def _few(names: list[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def totals(comparison: Comparison) -> str:
    """``3 compared: 1 faster, 2 same; 4 not compared``, with its full stop."""
    counts = Counter(each.verdict for each in comparison.findings)
    words = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items()))
    return f"{len(comparison.findings)} compared: {words}; {len(comparison.left_out)} not compared."


def noise_words(noise: Noise) -> str:
    assumed = f"It is assumed that runs of the same differ as a whole by {_percent(RUN)} % each"
    if not noise.timings:
        return (
            f"{assumed} (standard deviation). To measure it, run again what A ran, and name that "
            "folder: bench compare --repeat FOLDER."
        )
    return (
        f"{assumed}; {noise.runs} runs, {noise.timings} timings in each, were measured to differ "
        f"by {_percent(noise.deviation)} % besides (standard deviations, which add as squares)."
    )


def _percent(log: float) -> str:
    return number(100 * log, 1)


def markdown(comparison: Comparison, shown: Findings) -> str:
    parts = []
    for title, frame in sections(comparison, shown).items():
        rows = frame.map(in_markdown).to_numpy().tolist()
        parts.append(f"### {title}\n\n{markdown_table(list(frame.columns), rows)}")
    return "\n\n".join([*parts, totals(comparison)])


def latex(comparison: Comparison, shown: Findings) -> str:
    """Every table with its title as caption; needs the package booktabs."""
    return "\n".join(
        frame.to_latex(index=False, escape=True, caption=title)
        for title, frame in sections(comparison, shown).items()
    )


def csv(comparison: Comparison, shown: Findings) -> str:
    rows = [_flat(each) | {"notes": " ".join(each.notes)} for each in shown]
    frame = pd.DataFrame(rows, columns=list(_flat(comparison.findings[0])))
    return frame.astype({"batch_size": "Int64"}).to_csv(index=False)  # accuracies have none


def as_json(comparison: Comparison, shown: Findings) -> str:
    noise = comparison.noise
    content = {
        "schema_version": SCHEMA_VERSION,
        "units": UNITS,
        "a": str(comparison.baseline),
        "b": str(comparison.candidate),
        "conditions": [
            {"what": each.what, "a": each.baseline, "b": each.candidate}
            for each in comparison.conditions
        ],
        "noise": {
            "assumed": RUN,
            "measured": noise.deviation if noise.timings else None,
            "runs": noise.runs,
            "timings": noise.timings,
        },
        "compared": [_flat(each) for each in shown],
        "not_compared": [{"name": each.name, "why": each.why} for each in comparison.left_out],
        "not_read": list(comparison.unread),
    }
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)


def _flat(found: Finding) -> dict[str, Any]:
    """One row for programs, in UNITS."""
    directions = {"training": "training", "inference": "inference", "latency": "inference"}
    return {
        "kind": found.kind,
        "name": found.name,
        "quantity": found.quantity,
        "direction": directions.get(found.quantity),
        "precision": _precision(found),
        "batch_size": found.images,
        "a": found.baseline.value,
        "b": found.candidate.value,
        "count_a": found.baseline.count,
        "count_b": found.candidate.count,
        "effect": found.effect,
        "low": found.interval.low,
        "high": found.interval.high,
        "visible": found.visible,
        "same": found.same,
        "p": found.p,
        "p_holm": found.p_holm,
        "test": found.test,
        "verdict": found.verdict,
        "notes": found.notes,
    }


def _precision(found: Finding) -> str:
    """Of both sides, where cells were not computed in the same."""
    records = [*found.baseline.records, *found.candidate.records]
    return " / ".join(
        dict.fromkeys(
            each.workload.precision if isinstance(each, SpeedRecord) else each.engine.precision
            for each in records
        )
    )


def _work(found: Finding) -> str:
    """What was timed, without what has columns of its own."""
    first = found.baseline.records[0]
    if not isinstance(first, SpeedRecord):
        return found.name
    work = first.workload
    own = {work.direction, f"batch{work.batch_size}", work.precision}
    return "-".join(word for word in found.name.split("-") if word not in own)


def _conditions(comparison: Comparison) -> pd.DataFrame:
    rows = [("results", str(comparison.baseline), str(comparison.candidate))]
    rows += [(each.what, each.baseline, each.candidate) for each in comparison.conditions]
    if not comparison.conditions:
        rows.append(("machine and software", "the same", "the same"))
    return pd.DataFrame(rows, columns=["", "A", "B"])


def _speed_row(found: Finding) -> dict[str, str]:
    return {
        "Work": _work(found),
        "Direction": found.quantity,
        "Precision": "differs" if " / " in _precision(found) else _precision(found),
        "Batch": str(found.images),
        "A, ms": significant(1000 * found.baseline.value),
        "B, ms": significant(1000 * found.candidate.value),
        "Rounds": f"{found.baseline.count}, {found.candidate.count}",
        "Speed-up": number(found.effect, 3),
        "Interval": f"{number(found.interval.low)} to {number(found.interval.high)}",
        "Visible": f"±{number(100 * (found.visible - 1), 1)} %",
        "p": _p(found.p_holm),
        "B is": found.verdict,
    }


def _accuracy_row(found: Finding) -> dict[str, str]:
    low, high = (number(each, signed=True) for each in (found.interval.low, found.interval.high))
    return {
        "Work": found.name,
        "A, %": number(found.baseline.value),
        "B, %": number(found.candidate.value),
        "Seeds": f"{found.baseline.count}, {found.candidate.count}",
        "B − A, points": number(found.effect, signed=True),
        "Interval": f"{low} to {high}",
        "Visible": f"±{number(found.visible, 1)}",
        "Test": found.test,
        "p": _p(found.p_holm),
        "B is": found.verdict,
    }


def _p(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.2g}"
