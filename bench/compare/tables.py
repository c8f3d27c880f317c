"""A comparison as tables for people and as rows for programs. Rounding and wording only."""

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import pandas as pd

from bench.compare.comparison import Comparison
from bench.compare.finding import Judged, Kind
from bench.compare.noise import Noise
from bench.formats import in_markdown, number, significant

TITLES: Final[dict[Kind, str]] = {"speed": "Speed", "accuracy": "Accuracy"}
_MOST_NAMES: Final = 3


def sections(comparison: Comparison) -> dict[str, pd.DataFrame]:
    """Tables by title, every cell as text: what differs, what was compared, what was not."""
    tables = {"What differs between A and B": _conditions(comparison)}
    for kind, title in TITLES.items():
        judged = [each for each in comparison.judged if each.finding.kind == kind]
        if judged:
            rows = [_speed_row(each) if kind == "speed" else _accuracy_row(each) for each in judged]
            tables[title] = pd.DataFrame(rows)
    notes = _notes(comparison.judged)
    if any(each.finding.kind == "speed" for each in comparison.judged):
        notes = [{"About": "noise floor", "Note": noise_words(comparison.noise)}, *notes]
    if notes:
        tables["Notes"] = pd.DataFrame(notes)
    if comparison.left_out:
        rows = [{"What": each.name, "Why": each.why} for each in comparison.left_out]
        tables["Not compared"] = pd.DataFrame(rows)
    return tables


def totals(comparison: Comparison) -> str:
    """``3 compared: 1 faster, 2 same within noise; 4 not compared``, with its full stop."""
    counts = Counter(each.verdict for each in comparison.judged)
    words = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items()))
    return f"{len(comparison.judged)} compared: {words}; {len(comparison.left_out)} not compared."


def noise_words(noise: Noise) -> str:
    """By how much runs of the same differ, and how that is known."""
    floor = f"{number(100 * math.expm1(noise.floor), 1)} %"
    if not noise.ratios:
        return (
            f"It is assumed, not measured, that two runs of the same differ by up to {floor}. To "
            "measure it, run again what A ran, and name that folder: bench compare --repeat FOLDER."
        )
    measured = number(100 * math.expm1(noise.largest), 1)
    ratios = "the only ratio" if noise.ratios == 1 else f"the largest of {noise.ratios} ratios"
    return (
        f"Runs of the same differ by up to {measured} %: {ratios} between {noise.runs} runs. "
        f"The floors are made with {floor}."
    )


def markdown(comparison: Comparison) -> str:
    """Every table below its title, in the Markdown of GitHub."""
    parts = []
    for title, frame in sections(comparison).items():
        lines = [list(frame.columns), ["---"] * len(frame.columns), *frame.to_numpy().tolist()]
        rows = ["| " + " | ".join(in_markdown(cell) for cell in line) + " |" for line in lines]
        parts.append("\n".join([f"### {title}", "", *rows]))
    return "\n\n".join([*parts, totals(comparison)])


def latex(comparison: Comparison) -> str:
    """Every table with its title as caption; needs the package booktabs."""
    return "\n".join(
        frame.to_latex(index=False, escape=True, caption=title)
        for title, frame in sections(comparison).items()
    )


def csv(comparison: Comparison) -> str:
    """A line for each compared quantity, nothing rounded."""
    rows = [_flat(each) | {"notes": " ".join(each.notes)} for each in comparison.judged]
    return pd.DataFrame(rows).to_csv(index=False)


def as_json(comparison: Comparison) -> str:
    """Everything, nothing rounded."""
    content = {
        "a": str(comparison.a),
        "b": str(comparison.b),
        "conditions": [asdict(each) for each in comparison.conditions],
        "noise_floor": {
            "floor": math.expm1(comparison.noise.floor),
            "runs": comparison.noise.runs,
            "ratios": comparison.noise.ratios,
            "largest": math.expm1(comparison.noise.largest) if comparison.noise.ratios else None,
        },
        "compared": [_flat(each) for each in comparison.judged],
        "not_compared": [{"name": each.name, "why": each.why} for each in comparison.left_out],
    }
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)


def _flat(judged: Judged) -> dict[str, Any]:
    """One row for programs: seconds or percent, a speed-up or points."""
    row = asdict(judged.finding)
    interval = row.pop("interval")
    return row | {
        "low": interval["low"],
        "high": interval["high"],
        "p_holm": judged.p_holm,
        "verdict": judged.verdict,
        "notes": judged.notes,
    }


def _conditions(comparison: Comparison) -> pd.DataFrame:
    rows = [("results", str(comparison.a), str(comparison.b))]
    rows += [(each.what, each.a, each.b) for each in comparison.conditions]
    if not comparison.conditions:
        rows.append(("machine and software", "the same", "the same"))
    return pd.DataFrame(rows, columns=["", "A", "B"])


def _speed_row(judged: Judged) -> dict[str, str]:
    found = judged.finding
    assert found.floor is not None
    return {
        "Work": found.name,
        "Of": found.quantity,
        "A, ms": significant(1000 * found.a),
        "B, ms": significant(1000 * found.b),
        "Samples": f"{found.count_a}, {found.count_b}",
        "Speed-up of B": number(found.effect, 3),
        "95 % interval": f"{number(found.interval.low, 3)} to {number(found.interval.high, 3)}",
        "Noise floor": f"±{number(100 * found.floor, 1)} %",
        "p": _p(judged.p_holm),
        "B is": judged.verdict,
    }


def _accuracy_row(judged: Judged) -> dict[str, str]:
    found = judged.finding
    low, high = (number(each, signed=True) for each in (found.interval.low, found.interval.high))
    return {
        "Cell": found.name,
        "A, %": number(found.a),
        "B, %": number(found.b),
        "Seeds": f"{found.count_a}, {found.count_b}",
        "B − A, points": number(found.effect, signed=True),
        "95 % interval": f"{low} to {high}",
        "Test": found.test,
        "p": _p(judged.p_holm),
        "B is": judged.verdict,
    }


def _notes(judged: Sequence[Judged]) -> list[dict[str, str]]:
    """Each note once, with what it is about."""
    names: dict[str, list[str]] = {}
    for each in judged:
        for note in each.notes:
            names.setdefault(note, []).append(each.finding.name)
    return [
        {"About": _few(list(dict.fromkeys(about))), "Note": note} for note, about in names.items()
    ]


def _few(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _p(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.2g}"
