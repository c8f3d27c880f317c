"""What a check finds, and how findings are worded. No torch here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from bench.analysis.logs import RunLog
from bench.formats import listed, number

# conclusion  enough to doubt what the reference concludes
# comparison  numbers that may not stand side by side as they are
# note        worth knowing
Severity = Literal["conclusion", "comparison", "note"]
SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that a check found.

    Attributes:
        check: id of the check.
        title: what is wrong, in short.
        runs: that it concerns.
        evidence: sentences with the numbers that show it.
        consequence: what it does to the conclusion that was drawn from the runs.
        numbers: name of a run -> what the numbers are -> number; the names carry the units.
    """

    check: str
    title: str
    severity: Severity
    runs: tuple[RunLog, ...]
    evidence: str
    consequence: str
    numbers: Mapping[str, Mapping[str, float]]


def columns(logs: Iterable[RunLog]) -> str:
    """``ResNet-18 and ResNet-34``, each once."""
    return listed(log.title for log in logs)


def between(values: Iterable[float], digits: int = 0) -> str:
    """``57 to 83``, or ``57`` where both ends read alike."""
    ordered = sorted(values)
    return " to ".join(dict.fromkeys(number(value, digits) for value in (ordered[0], ordered[-1])))


def p_value(p: float) -> str:
    """``0.08``, or ``9·10⁻⁹`` where zeros would have to be counted."""
    if p >= 0.001 or p == 0:
        return f"{p:.2g}"
    digit, exponent = f"{p:.0e}".split("e")
    raised = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{digit}·10{raised}"
