"""From records to samples: which runs may speak about a claim, and why the others may not."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bench.claims.measures import MEASURES, Measure, Observed
from bench.claims.schema import Claim, Group, Needs
from bench.formats import listed, number
from bench.reference.loader import dataset_title
from bench.stats import Interval, Mean, mean, wilson_interval


@dataclass(frozen=True, slots=True)
class Sample:
    """One figure of each planned seed of one group.

    Attributes:
        label: the group, for people.
        values: in the order of the seeds, which are those of every sample of a claim.
        images: that each value was counted on; None where it is no share of images.
        engine: in which all were trained, for people; empty where it does not matter.
        records: cell ids, in the order of ``values``.
    """

    label: str
    measure: Measure
    values: tuple[float, ...]
    images: int | None
    engine: str
    records: tuple[str, ...]

    @property
    def unit(self) -> float:
        """The step in which values are counted."""
        return 100 / self.images if self.images else self.measure.step

    @property
    def mean(self) -> Mean:
        """Of two values or more."""
        return mean(self.values, self.unit)

    @property
    def noise(self) -> Interval | None:
        return Interval(*wilson_interval(self.values[0], self.images)) if self.images else None

    def __str__(self) -> str:
        """``ResNet-20 8.51 % over 5 seeds in float32 (95 % interval 8.24 to 8.78)``.

        One seed has the interval that the noise of the test set alone gives it.
        """
        count, unit, digits = len(self.values), self.measure.unit, self.measure.digits
        how = f" in {self.engine}" if self.engine else ""
        if count == 1:
            told, noise = f"{self.label} {number(self.values[0], digits)}{unit}", self.noise
            around = f" (test-set noise alone: {noise.text(digits)})" if noise else ""
            return f"{told} with 1 seed{how}{around}"
        return (
            f"{self.label} {number(self.mean.value, digits)}{unit} over {count} seeds{how} "
            f"(95 % interval {self.mean.interval.text(digits)})"
        )


@dataclass(frozen=True, slots=True)
class Missing:
    """Why there is no sample; ``why`` is None where there is no record of the group either."""

    label: str
    dataset: str
    why: str | None = None


def _by_seed_and_age(observed: Observed) -> tuple[int, datetime]:
    return observed.record.cell.seed, observed.record.finished_at


class Index:
    """Observations by cell and by network, so that thousands of them are searched once."""

    def __init__(self, observations: Iterable[Observed]) -> None:
        self._by_cell: dict[tuple[str, ...], list[Observed]] = defaultdict(list)
        self._by_network: dict[tuple[str, ...], list[Observed]] = defaultdict(list)
        for observed in sorted(observations, key=_by_seed_and_age):
            cell = observed.record.cell
            key = (cell.model, cell.lineage, cell.stem, cell.shortcut, cell.dataset)
            self._by_cell[key].append(observed)
            self._by_network[cell.model, cell.lineage, cell.shortcut].append(observed)

    def of_network(self, group: Group) -> list[Observed]:
        """Every observation of this network, whatever its stem, data set and training."""
        model, lineage, _stem, shortcut = group.key
        return self._by_network.get((model, lineage, shortcut), [])

    def samples(self, claim: Claim, measure: str) -> dict[Group, Sample] | list[Missing]:
        """What the seeds that the claim plans say of each of its groups.

        The same seeds of every group, so that they can be paired; runs of other seeds are not
        looked at, or their number would depend on what came out. One engine for all, that with
        the most of these seeds. Where a seed was run twice, its newest run counts.
        """
        needs = claim.needs
        found = {group: self._runs(group, measure) for group in needs.groups}
        missing = [runs for runs in found.values() if isinstance(runs, Missing)]
        runs_of = {group: runs for group, runs in found.items() if not isinstance(runs, Missing)}
        if missing:
            return missing
        seeds_of = {
            engine: _planned_seeds(needs, [_of(engine, runs) for runs in runs_of.values()])
            for engine in _engines(needs, runs_of.values())
        }
        engine = max(seeds_of, key=lambda name: len(seeds_of[name]))
        seeds = seeds_of[engine]
        if not seeds:
            return [_no_seed(needs, runs_of)]
        samples = {}
        for group, runs in runs_of.items():
            kept = _of(engine, runs)
            samples[group] = _sample(group.label, [kept[seed] for seed in seeds], measure, engine)
        return samples

    def _runs(self, group: Group, measure: str) -> list[Observed] | Missing:
        """Every run of ``group`` that may speak, by seed and age; else what keeps them from it."""
        label, dataset = group.label, dataset_title(group.dataset)
        known, needed = self._by_cell.get((*group.key, group.dataset), []), group.needed
        if not known:
            return Missing(label, dataset)
        fitting = [observed for observed in known if needed.accepts(observed)]
        if not fitting:
            # The complaint that says most: of a finished one, with the most steps.
            nearest = max(known, key=lambda observed: (observed.completed, observed.steps))
            return Missing(label, dataset, f"{label} {needed.complaint(nearest)}")
        kept = [each for each in fitting if measure in each.figures]
        if not kept:
            why = f"{label} has records, but without the {MEASURES[measure].words}"
            return Missing(label, dataset, why)
        return kept


def _engine(observed: Observed) -> str:
    """What rounds products: runs of two such engines are no sample of one thing."""
    engine = observed.record.engine
    return "TF32" if engine.tf32 and engine.precision == "float32" else engine.precision


def _engines(needs: Needs, runs: Iterable[Sequence[Observed]]) -> list[str]:
    """Those of all runs, in a fixed order; one without a name where nothing is to be trained."""
    trained = any(group.needed.recipe for group in needs.groups)
    return sorted({_engine(one) for each in runs for one in each}) if trained else [""]


def _of(engine: str, runs: Iterable[Observed]) -> dict[int, Observed]:
    """By seed; the newest is the last."""
    return {each.record.cell.seed: each for each in runs if engine in ("", _engine(each))}


def _planned_seeds(needs: Needs, groups: Sequence[Mapping[int, Observed]]) -> list[int]:
    """The lowest that every group has, from the first that is planned, as many as are planned."""
    common = set.intersection(*map(set, groups))
    return sorted(seed for seed in common if seed >= needs.first_seed)[: needs.seeds]


def _no_seed(needs: Needs, runs_of: Mapping[Group, Iterable[Observed]]) -> Missing:
    told = []
    for group, runs in runs_of.items():
        seeds = sorted({f"seed {each.record.cell.seed} in {_engine(each)}" for each in runs})
        told.append(f"{group.label} with {listed(seeds)}")
    planned = f"no seed from {needs.first_seed} on" if needs.first_seed else "no seed"
    why = f"{planned} was run of every cell in one precision, but {'; '.join(told)}"
    return Missing("", "", why)


def _sample(label: str, observations: Sequence[Observed], name: str, engine: str) -> Sample:
    figures = [observed.figures[name] for observed in observations]
    return Sample(
        label=label,
        measure=MEASURES[name],
        values=tuple(figure.value for figure in figures),
        images=figures[0].images if figures else None,
        engine=engine,
        records=tuple(observed.record.cell.id for observed in observations),
    )
