"""From records to samples: which runs may speak about a claim, and why the others may not."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bench.claims.measures import MEASURES, Measure, Observed
from bench.claims.schema import Group
from bench.formats import number
from bench.reference.loader import dataset_title
from bench.stats import Interval, break_ties, mean, wilson_interval


@dataclass(frozen=True, slots=True)
class Sample:
    """One figure of each seed of one group.

    Attributes:
        label: the group, for people.
        images: that each value was counted on; None where it is no share of images.
        records: cell ids, in the order of ``values``.
    """

    label: str
    measure: Measure
    values: tuple[float, ...]
    images: int | None
    records: tuple[str, ...]

    @property
    def noise(self) -> Interval | None:
        return Interval(*wilson_interval(self.values[0], self.images)) if self.images else None

    def __str__(self) -> str:
        """``ResNet-20 8.51 % over 5 seeds (95 % interval 8.24 to 8.78)``.

        One seed has the interval that the noise of the test set alone gives it.
        """
        count, unit, digits = len(self.values), self.measure.unit, self.measure.digits
        if count == 1:
            told, noise = f"{self.label} {number(self.values[0], digits)}{unit}", self.noise
            around = f" (test-set noise alone: {noise.text(digits)})" if noise else ""
            return f"{told} with 1 seed{around}"
        estimate = mean(self.values)
        return (
            f"{self.label} {number(estimate.value, digits)}{unit} over {count} seeds "
            f"(95 % interval {estimate.interval.text(digits)})"
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
        made = group.definition
        return self._by_network.get((made.model, made.lineage, made.shortcut), [])

    def sample(self, group: Group, measure: str) -> Sample | Missing:
        """What the seeds of ``group`` say; where a seed was run twice, its newest run does."""
        made, label, dataset = group.definition, group.label, dataset_title(group.dataset)
        key = (made.model, made.lineage, made.stem, made.shortcut, group.dataset)
        known, needed = self._by_cell.get(key, []), group.needed
        if not known:
            return Missing(label, dataset)
        fitting = [observed for observed in known if needed.accepts(observed)]
        if not fitting:
            # The complaint that says most: of a finished one, with the most steps.
            nearest = max(known, key=lambda observed: (observed.completed, observed.steps))
            return Missing(label, dataset, f"{label} {needed.complaint(nearest)}")
        by_seed = {each.record.cell.seed: each for each in fitting if measure in each.figures}
        if not by_seed:
            why = f"{label} has records, but without the {MEASURES[measure].words}"
            return Missing(label, dataset, why)
        return _sample(label, list(by_seed.values()), measure)


def _sample(label: str, observations: Sequence[Observed], name: str) -> Sample:
    measure, figures = MEASURES[name], [observed.figures[name] for observed in observations]
    images = figures[0].images
    values = tuple(figure.value for figure in figures)
    return Sample(
        label=label,
        measure=measure,
        values=break_ties(values, 100 / images if images else measure.step),
        images=images,
        records=tuple(observed.record.cell.id for observed in observations),
    )
