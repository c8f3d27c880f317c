"""From records to samples: which runs may speak about a claim, and why the others may not."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from bench.analysis.labels import model_title
from bench.claims.measures import MEASURES, Observed
from bench.claims.schema import Group
from bench.reference.loader import dataset_title
from bench.stats import break_ties
from resnet_models import MODELS

Network = tuple[str, str, str, str, str]


@dataclass(frozen=True, slots=True)
class Sample:
    """One figure of each seed of one group.

    Attributes:
        label: the group, for people.
        values: in the measure's unit, one per seed.
        images: that each was counted on; None where it is no share of images.
        records: cell ids, in the order of ``values``.
    """

    label: str
    values: tuple[float, ...]
    images: int | None
    records: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """Why there is no sample.

    Attributes:
        label: the group, for people.
        dataset: its title.
        why: what is wrong with the records that there are; None where there is none.
    """

    label: str
    dataset: str
    why: str | None = None


class Index:
    """Observations by network and data set, so that thousands of them are searched once."""

    def __init__(self, observations: Iterable[Observed]) -> None:
        self._by_network: dict[Network, list[Observed]] = defaultdict(list)
        for observed in observations:
            cell = observed.cell
            key = (cell.model, cell.lineage, cell.stem, cell.shortcut, cell.dataset)
            self._by_network[key].append(observed)
        for found in self._by_network.values():
            found.sort(key=lambda observed: (observed.cell.seed, observed.finished_at))

    def all_of(self, group: Group, *, any_dataset: bool = False) -> list[Observed]:
        """Every observation of this network, whatever its training."""
        made = group.definition
        network = (made.model, made.lineage, made.stem, made.shortcut)
        if not any_dataset:
            return self._by_network.get((*network, group.dataset), [])
        # Cost is counted on the network as published, whatever its cells are trained on.
        keys = [key for key in self._by_network if (key[0], key[1], key[3]) == _cost_key(network)]
        return [observed for key in keys for observed in self._by_network[key]]

    def sample(self, group: Group, measure: str) -> Sample | Missing:
        """What the seeds of ``group`` say; where a seed was run twice, its newest run does."""
        known, label, dataset = self.all_of(group), label_of(group), dataset_title(group.dataset)
        if not known:
            return Missing(label, dataset)
        needed = group.needed
        fitting = [observed for observed in known if needed.accepts(observed)]
        if not fitting:
            return Missing(label, dataset, f"{label} {needed.complaint(_nearest(known))}")
        by_seed = {o.cell.seed: o for o in fitting if measure in o.figures}
        if not by_seed:
            why = f"{label} has records, but without the {MEASURES[measure].words}"
            return Missing(label, dataset, why)
        return _sample(label, list(by_seed.values()), measure)


def _sample(label: str, observations: Sequence[Observed], measure: str) -> Sample:
    figures = [observed.figures[measure] for observed in observations]
    images = figures[0].images
    step = 100 / images if images else MEASURES[measure].step
    values = tuple(figure.value for figure in figures)
    return Sample(
        label=label,
        values=break_ties(values, step) if len(values) > 1 else values,
        images=images,
        records=tuple(observed.cell.id for observed in observations),
    )


def _nearest(known: Sequence[Observed]) -> Observed:
    """The record whose complaint says most: a finished one, with the most steps."""
    return max(known, key=lambda observed: (observed.completed, observed.steps))


def _cost_key(network: tuple[str, str, str, str]) -> tuple[str, str, str]:
    model, lineage, _, shortcut = network
    return model, lineage, shortcut


_TOLD: Final = {
    "paper_without_warmup": "without warm-up",
    "project2022_frozen": "with the accident",
    "project2022_small_frozen": "with the accident",
}
"""What a label says of a budget that stands beside another one of the same network."""


def label_of(group: Group) -> str:
    """``ResNet-56``, with what is not as published."""
    spec = MODELS[group.model]
    title = model_title(group.model.removesuffix(str(spec.depth)), spec.depth)
    extras = [f"option {group.shortcut}"] if group.shortcut else []
    if group.lineage != "paper":
        extras.append(f"lineage {group.lineage}")
    if group.budget in _TOLD:
        extras.append(_TOLD[group.budget])
    return f"{title} ({', '.join(extras)})" if extras else title
