"""A comparison -> whether a build may pass. What cannot be told does not pass either."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from bench.compare.comparison import Comparison
from bench.compare.finding import Kind, Verdict

_KINDS: Final[dict[Verdict, Kind]] = {
    "faster": "speed", "slower": "speed", "better": "accuracy", "worse": "accuracy",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    """Why a build fails, and why that cannot be told; it passes where there is neither."""

    failures: list[str]
    doubts: list[str]


def check(
    comparison: Comparison,
    words: Collection[Verdict],
    slowest: float | None = None,
    *,
    allow_missing: bool = False,
) -> Outcome:
    """Hold every finding against what must not be.

    Args:
        words: verdicts that none may have.
        slowest: the largest ratio of times that is allowed.
        allow_missing: whether something of the baseline may be missing.
    """
    found = comparison.findings
    failures: dict[str, int] = {word: sum(each.verdict == word for each in found) for word in words}
    kinds = {_KINDS[word] for word in words if word in _KINDS}
    doubts = {
        f"{kind} too noisy to tell": sum(
            each.kind == kind and each.verdict == "too noisy to tell" for each in found
        )
        for kind in kinds
    }
    if slowest is not None:
        kinds.add("speed")
        changes = [each.interval for each in found if each.kind == "speed"]
        more = f"slower by more than {100 * (slowest - 1):g} %"
        failures[more] = sum(each.high < 1 / slowest for each in changes)
        doubts[f"possibly {more}"] = sum(each.low < 1 / slowest <= each.high for each in changes)
    if not allow_missing:
        failures["of A not compared, or not read (--allow-missing lets it pass)"] = (
            comparison.missing
        )
    absent = sorted(kinds - {each.kind for each in found})
    return Outcome(
        [f"{count} {what}" for what, count in failures.items() if count],
        [f"{count} {what}" for what, count in doubts.items() if count]
        + [f"no {kind} was compared" for kind in absent],
    )
