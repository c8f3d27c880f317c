"""Timings of both folders -> findings: workloads of their own, and what cells were timed by."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from bench.compare import timings
from bench.compare.finding import Finding
from bench.compare.pairing import Group, LeftOut, completed, pair, usable
from bench.records.schema import Speed
from bench.records.speed import SpeedRecord

RANK_TEST: Final = "Mann-Whitney"


class _Timed(NamedTuple):
    """Of one quantity of a cell: images at once, and samples."""

    images: int
    seconds: tuple[float, ...]


def workload_finding(
    name: str, a: SpeedRecord, b: SpeedRecord, least_floor: float = timings.LEAST_FLOOR
) -> Finding:
    """How fast B does a workload beside A; ``least_floor`` as in ``timings.compare``."""
    warnings = tuple(
        f"{side}: {warning}" for side, record in (("A", a), ("B", b))
        for warning in record.conditions.warnings
    )  # fmt: skip
    difference = timings.compare(a.rounds, b.rounds, least_floor)
    return _finding(name, a.workload.direction, difference, (a.rounds, b.rounds), warnings)


def cell_findings(
    name: str, a: Group, b: Group, least_floor: float = timings.LEAST_FLOOR
) -> tuple[list[Finding], list[LeftOut]]:
    """How fast the cells of B are beside those of A; the seeds' timings are its rounds."""
    pairs, refused = cell_timings(a, b)
    findings = [
        _finding(name, quantity, timings.compare(*both, least_floor), both, ())
        for quantity, both in pairs.items()
    ]
    return findings, [LeftOut(f"{name}, {each.name}", each.why) for each in refused]


def cell_timings(
    a: Group, b: Group
) -> tuple[dict[str, tuple[timings.Rounds, timings.Rounds]], list[LeftOut]]:
    """Timings of both by quantity, and those that must not be compared."""
    pairs, refused = pair(_timed(a), _timed(b), _refusal)
    both: dict[str, tuple[timings.Rounds, timings.Rounds]] = {
        quantity: (_rounds(ours), _rounds(theirs)) for quantity, (ours, theirs) in pairs.items()
    }
    return both, refused


def _refusal(a: Sequence[_Timed], b: Sequence[_Timed]) -> str:
    """Why timings must not be compared; empty where they may be."""
    images = list(dict.fromkeys(each.images for each in (*a, *b)))
    if len(images) > 1:
        return f"images at once ({' against '.join(map(str, images))})"
    return "" if all(usable(each.seconds) for each in (*a, *b)) else "holds a time that is none"


def _rounds(timed: Sequence[_Timed]) -> list[tuple[float, ...]]:
    return [each.seconds for each in timed]


def _timed(group: Group) -> Mapping[str, list[_Timed]]:
    """Samples of each quantity that was timed, an entry for each cell."""
    timed: dict[str, list[_Timed]] = {}
    for record in completed(group):
        for quantity, each in (_quantities(record.speed) if record.speed else {}).items():
            if each.seconds:
                timed.setdefault(quantity, []).append(each)
    return timed


def _quantities(speed: Speed) -> dict[str, _Timed]:
    return {
        "training": _Timed(speed.batch_size, speed.train_step_seconds),
        "inference": _Timed(speed.inference_batch_size, speed.inference_batch_seconds),
        "latency": _Timed(1, speed.latency_seconds),
    }


def _finding(
    name: str,
    quantity: str,
    difference: timings.TimingDifference,
    both: tuple[timings.Rounds, timings.Rounds],
    notes: tuple[str, ...],
) -> Finding:
    a, b = both
    return Finding(
        kind="speed",
        name=name,
        quantity=quantity,
        a=difference.median_a,
        b=difference.median_b,
        count_a=sum(map(len, a)),
        count_b=sum(map(len, b)),
        effect=difference.speedup,
        interval=difference.interval,
        floor=difference.floor,
        p=difference.p,
        test=RANK_TEST,
        notes=notes,
    )
