"""Timings of both folders -> findings: how many times faster one is, and whether that is noise.

Times are compared as ratios, so that the statistics are made on their logarithms.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from bench.compare.finding import Finding, Side
from bench.compare.pairing import Group, LeftOut, completed, pair, usable
from bench.records.schema import Record
from bench.records.speed import SpeedRecord
from bench.stats import LEVEL, Interval

LEAST_FLOOR: Final = 0.03
"""Logarithm of a ratio. Assumed where no repeat has measured more: two runs of the same thing on
the same machine differ as a whole by about 1 % each (clock, layout of memory), which no round in
them shows: 1.96 · √2 · 1 % is 2.8 %."""
RANK_TEST: Final = "Mann-Whitney"
RESAMPLES: Final = 1000
_AT_ONCE: Final = 100  # so that many samples need little memory
_SEED: Final = 0

Rounds = Sequence[Sequence[float]]
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Timed:
    """One quantity of a workload, or of the seeds of a cell, whose timings are its rounds.

    Attributes:
        images: at once, those of each round that differ.
        rounds: seconds of each repetition; at least one.
    """

    records: Sequence[Record] | Sequence[SpeedRecord]
    images: tuple[int, ...]
    rounds: Rounds


def of_workload(record: SpeedRecord) -> Timed:
    return Timed([record], (record.workload.batch_size,), record.rounds)


def of_cells(
    baseline: Group, candidate: Group
) -> tuple[dict[str, tuple[Timed, Timed]], list[LeftOut]]:
    return pair(_of_group(baseline), _of_group(candidate), _refusal)


def _of_group(group: Group) -> dict[str, Timed]:
    timed: dict[str, list[tuple[Record, int, tuple[float, ...]]]] = {}
    for record in completed(group):
        if speed := record.speed:
            for quantity, images, seconds in (
                ("training", speed.batch_size, speed.train_step_seconds),
                ("inference", speed.inference_batch_size, speed.inference_batch_seconds),
                ("latency", 1, speed.latency_seconds),
            ):
                if seconds:
                    timed.setdefault(quantity, []).append((record, images, seconds))
    found = {}
    for quantity, each in timed.items():
        records, images_at_once, rounds = zip(*each, strict=True)
        found[quantity] = Timed(records, tuple(dict.fromkeys(images_at_once)), rounds)
    return found


def _refusal(baseline: Timed, candidate: Timed) -> str:
    images = list(dict.fromkeys([*baseline.images, *candidate.images]))
    if len(images) > 1:
        return f"images at once ({' against '.join(map(str, images))})"
    times = [*baseline.rounds, *candidate.rounds]
    return "" if all(map(usable, times)) else "holds a time that is none"


def timing_finding(
    name: str,
    quantity: str,
    baseline: Timed,
    candidate: Timed,
    least_floor: float = LEAST_FLOOR,
) -> Finding:
    """How fast the candidate does the same work; all times are positive and finite.

    ``least_floor`` is by how much runs of the same differ as a whole, a logarithm.
    """
    pieces = [_pieces(side.rounds) for side in (baseline, candidate)]
    samples = [np.concatenate(each) for each in pieces]
    medians = [float(np.median(each)) for each in samples]
    random = np.random.default_rng(_SEED)
    resampled = [_resampled_medians(each, random) for each in pieces]
    low, high = np.quantile(resampled[0] / resampled[1], [LEVEL / 2, 1 - LEVEL / 2])
    return Finding(
        kind="speed",
        name=name,
        quantity=quantity,
        baseline=Side(medians[0], samples[0].size, baseline.records),
        candidate=Side(medians[1], samples[1].size, candidate.records),
        effect=medians[0] / medians[1],
        interval=Interval(float(low), float(high)),
        floor=math.expm1(_log_floor(pieces, least_floor)),
        p=_rank_test(*samples),
        test=RANK_TEST,
        notes=(*_warnings("A", baseline), *_warnings("B", candidate)),
    )


def _warnings(side: str, timed: Timed) -> list[str]:
    """What may have spoilt a workload's measurement; of cells nothing is recorded."""
    warned = [each for each in timed.records if isinstance(each, SpeedRecord)]
    return [f"{side}: {text}" for record in warned for text in record.conditions.warnings]


def _pieces(rounds: Rounds) -> list[Array]:
    """The rounds that have samples; the consecutive halves of a single one stand for two."""
    kept = [np.asarray(each, dtype=np.float64) for each in rounds if len(each)]
    if len(kept) == 1 and len(kept[0]) > 1:
        return np.array_split(kept[0], 2)
    return kept


def _resampled_medians(rounds: Sequence[Array], random: np.random.Generator) -> Array:
    """Bootstrap medians, (RESAMPLES,): rounds are drawn, then samples within each of them.

    Samples of one round are alike, so that drawing them all from one pool would promise too much.
    """
    lengths = np.array([len(each) for each in rounds])
    padded = np.array([np.resize(each, lengths.max()) for each in rounds])
    medians = []
    for _ in range(RESAMPLES // _AT_ONCE):
        drawn = random.integers(len(rounds), size=(_AT_ONCE, len(rounds), 1))
        places = random.random((_AT_ONCE, len(rounds), lengths.max())) * lengths[drawn]
        samples = padded[drawn, places.astype(np.intp)]
        medians.append(np.median(samples.reshape(_AT_ONCE, -1), axis=1))
    return np.concatenate(medians)


def _log_floor(sides: Sequence[Sequence[Array]], least: float) -> float:
    """By how much two runs of the same thing differ in 95 of 100 cases, as a logarithm.

    The scatter of round medians, within each side, says how well a run's median is known; with
    few rounds Student's t makes up for that scatter being a guess.
    """
    freedom = sum(len(rounds) - 1 for rounds in sides)
    if freedom == 0:
        return least
    centres = [np.log([np.median(each) for each in rounds]) for rounds in sides]
    squares = sum(float(np.sum((each - each.mean()) ** 2)) for each in centres)
    error = math.sqrt(squares / freedom * sum(1 / len(rounds) for rounds in sides))
    return math.hypot(least, error * float(stats.t.ppf(1 - LEVEL / 2, freedom)))


def _rank_test(baseline: Array, candidate: Array) -> float:
    if np.ptp(np.concatenate([baseline, candidate])) == 0:
        return 1.0  # all ranks are tied, and scipy's p is not a number
    return float(stats.mannwhitneyu(baseline, candidate).pvalue)
