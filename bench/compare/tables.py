"""A comparison as tables for people and as rows for programs. Rounding and wording only.

On paper the baseline is A and the candidate B, as on the command line.
"""

import json
from collections import Counter
from typing import Any, Final

import pandas as pd

from bench.compare.comparison import Comparison
from bench.compare.finding import Finding
from bench.compare.noise import Noise
from bench.compare.timings import RUN
from bench.formats import in_markdown, markdown_table, number, significant

_MOST_NAMES: Final = 3
INTERVALS: Final = (
    "Interval and p hold beside all other speeds that were compared (Holm's method). A change is "
    "shown where the interval leaves out 1; visible is the smallest that could have been."
)


def sections(comparison: Comparison) -> dict[str, pd.DataFrame]:
    """Tables by title, every cell as text: what differs, what was compared, what was not."""
    rows = {
        "Speed": [_speed_row(each) for each in comparison.findings if each.kind == "speed"],
        "Accuracy": [_accuracy_row(each) for each in comparison.findings if each.kind != "speed"],
        "Notes": [{"About": about, "Note": note} for note, about in notes(comparison)],
        "Not compared": [{"What": each.name, "Why": each.why} for each in comparison.left_out],
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
        f"{100 * (same - 1):g} % of a speed" if kind == "speed" else f"{same:g} points of accuracy"
        for kind, same in limits.items()
    )
    return [
        (f"The same is what the interval shows to change by less than {words}.", "same"),
        *found,
    ]


def _few(names: list[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def totals(comparison: Comparison) -> str:
    """``3 compared: 1 faster, 2 same within noise; 4 not compared``, with its full stop."""
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


def markdown(comparison: Comparison) -> str:
    parts = []
    for title, frame in sections(comparison).items():
        rows = frame.map(in_markdown).to_numpy().tolist()
        parts.append(f"### {title}\n\n{markdown_table(list(frame.columns), rows)}")
    return "\n\n".join([*parts, totals(comparison)])


def latex(comparison: Comparison) -> str:
    """Every table with its title as caption; needs the package booktabs."""
    return "\n".join(
        frame.to_latex(index=False, escape=True, caption=title)
        for title, frame in sections(comparison).items()
    )


def csv(comparison: Comparison) -> str:
    rows = [_flat(each) | {"notes": " ".join(each.notes)} for each in comparison.findings]
    return pd.DataFrame(rows).to_csv(index=False)


def as_json(comparison: Comparison) -> str:
    noise = comparison.noise
    content = {
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
        "compared": [_flat(each) for each in comparison.findings],
        "not_compared": [{"name": each.name, "why": each.why} for each in comparison.left_out],
    }
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)


def _flat(found: Finding) -> dict[str, Any]:
    """One row for programs: seconds or percent, a speed-up or points."""
    return {
        "kind": found.kind,
        "name": found.name,
        "quantity": found.quantity,
        "a": found.baseline.value,
        "b": found.candidate.value,
        "count_a": found.baseline.count,
        "count_b": found.candidate.count,
        "effect": found.effect,
        "visible": found.visible,
        "p": found.p,
        "test": found.test,
        "notes": found.notes,
        "low": found.interval.low,
        "high": found.interval.high,
        "p_holm": found.p_holm,
        "verdict": found.verdict,
    }


def _conditions(comparison: Comparison) -> pd.DataFrame:
    rows = [("results", str(comparison.baseline), str(comparison.candidate))]
    rows += [(each.what, each.baseline, each.candidate) for each in comparison.conditions]
    if not comparison.conditions:
        rows.append(("machine and software", "the same", "the same"))
    return pd.DataFrame(rows, columns=["", "A", "B"])


def _speed_row(found: Finding) -> dict[str, str]:
    return {
        "Work": found.name,
        "Of": found.quantity,
        "A, ms": significant(1000 * found.baseline.value),
        "B, ms": significant(1000 * found.candidate.value),
        "Rounds": f"{found.baseline.count}, {found.candidate.count}",
        "Speed-up of B": number(found.effect, 3),
        "95 % interval": f"{number(found.interval.low, 3)} to {number(found.interval.high, 3)}",
        "Visible": f"±{number(100 * (found.visible - 1), 1)} %",
        "p": _p(found.p_holm),
        "B is": found.verdict,
    }


def _accuracy_row(found: Finding) -> dict[str, str]:
    low, high = (number(each, signed=True) for each in (found.interval.low, found.interval.high))
    return {
        "Cell": found.name,
        "A, %": number(found.baseline.value),
        "B, %": number(found.candidate.value),
        "Seeds": f"{found.baseline.count}, {found.candidate.count}",
        "B − A, points": number(found.effect, signed=True),
        "95 % interval": f"{low} to {high}",
        "Test": found.test,
        "p": _p(found.p_holm),
        "B is": found.verdict,
    }


def _p(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.2g}"
