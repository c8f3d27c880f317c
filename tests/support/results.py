"""Speed records and results folders, and timings as a busy machine makes them."""

from dataclasses import dataclass

import numpy as np

from bench.compare.finding import judge
from bench.compare.timings import of_workload, timing_finding
from bench.records import store
from bench.records.folder import Results
from tests.support.factories import make_record
from tests.support.speeds import make_speed_record


@dataclass(frozen=True)
class Noise:
    """Standard deviations of logarithms: 0.01 is one percent.

    Attributes:
        sample: of one repetition.
        drift: of the change over a round.
        round: of a round as a whole.
        run: of a run as a whole, which no round in it shows.
        outliers: share of repetitions that take 10 to 60 % longer.
    """

    sample: float
    drift: float
    round: float
    run: float
    outliers: float


BUSY = Noise(sample=0.03, drift=0.02, round=0.01, run=0.01, outliers=0.05)
QUIET_NOISE = Noise(sample=0.005, drift=0.003, round=0.002, run=0.01, outliers=0.01)
ROUGH = Noise(sample=0.02, drift=0.02, round=0.02, run=0.01, outliers=0.05)


def noisy_rounds(rng, noise, *, seconds=0.1, samples=15, rounds=3):
    """What one run of a workload of ``seconds`` gives."""
    run = rng.normal(0, noise.run)
    made = []
    for _ in range(rounds):
        log = run + rng.normal(0, noise.round) + rng.normal(0, noise.sample, samples)
        log += np.linspace(-0.5, 0.5, samples) * rng.normal(0, noise.drift)
        slow = np.where(rng.random(samples) < noise.outliers, rng.uniform(0.1, 0.6, samples), 0)
        made.append(tuple((seconds * np.exp(log + slow)).tolist()))
    return tuple(made)


def make_speed(workload=None, **changes):
    """A completed record of 3 rounds of 10 samples around 0.1 s."""
    noisy = noisy_rounds(np.random.default_rng(0), BUSY, samples=10)
    return make_speed_record(workload, **{"rounds": noisy, "peak_memory": None} | changes)


def verdict(a, b):
    """On the rounds ``b`` beside the rounds ``a``, as if nothing else were compared."""
    return judge([timings_compared(a, b)])[0].verdict


def timings_compared(a, b):
    """What is found of the rounds ``b`` beside the rounds ``a``."""
    baseline, candidate = (of_workload(make_speed(rounds=rounds)) for rounds in (a, b))
    return timing_finding("work", "training", (baseline, candidate))


def slowed(record, factor, **changes):
    """``record`` with every sample ``factor`` times as long."""
    rounds = tuple(tuple(factor * second for second in each) for each in record.rounds)
    return record.model_copy(update={"rounds": rounds} | changes)


def make_results(folder, cells=(), workloads=(), limits=None):
    """What a folder with these would be read as."""
    return Results(
        folder=folder, runs=folder / "runs", cells=list(cells), workloads=list(workloads),
        limits=limits,
    )  # fmt: skip


def write_results(folder, cells=(), workloads=(), limits=None):
    """A results folder on disk."""
    for record in cells:
        store.save(folder / "runs", record)
    for result in [*workloads, *([limits] if limits else [])]:
        store.save_file(folder / "speed", result)
    return folder


def with_correct(record, correct, images=10_000):
    """``record`` with another count in its last epoch."""
    *first, last = record.epochs
    final = last.model_copy(update={"test_correct": correct, "test_images": images})
    return record.model_copy(update={"epochs": (*first, final)})


def cells(*correct, seeds=None, **options):
    seeds = seeds or range(len(correct))
    made = [make_record(seed=seed) for seed in seeds]
    return [with_correct(r, c, **options) for r, c in zip(made, correct, strict=True)]


def stored(folder, records, classes):
    """``records`` of one seed on the disk with these predictions, (2, N)."""
    (record,) = records
    return [store.load(store.save(folder / "runs", record, np.asarray(classes, dtype=np.uint8)))]


def predictions(both, only_baseline, only_candidate, neither):
    """Two arrays (2, N) with this table; the true class is 1 throughout."""
    right = [1] * both + [1] * only_baseline + [0] * only_candidate + [0] * neither
    other_right = [1] * both + [0] * only_baseline + [1] * only_candidate + [0] * neither
    truth = [1] * len(right)
    return np.array([right, truth], dtype=np.uint8), np.array([other_right, truth], dtype=np.uint8)
