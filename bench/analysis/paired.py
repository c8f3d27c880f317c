"""Two networks of a run on the same test images: who is right where the other is wrong. No torch.

One run of each says nothing about other seeds. But two networks that saw the same images can be
told apart by fewer of them than two that did not, which McNemar's test makes use of.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations, groupby, pairwise

from bench.analysis.mcnemar import PairedDifference, compare
from bench.config.cell import Cell
from bench.records.predictions import Classes
from bench.records.schema import Record
from bench.stats import holm

Load = Callable[[Record], Classes | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two completed records of one data set and seed.

    Attributes:
        found: of the second beside the first.
        p_holm: adjusted for all pairs that are shown together.
    """

    first: Record
    second: Record
    found: PairedDifference
    p_holm: float


def compare_pairs(records: Sequence[Record], load: Load) -> list[Pair]:
    """Neighbouring depths, then cells of one depth that differ in one other thing; lowest seed.

    Args:
        records: in any order.
        load: gives a record's predicted and true classes, (2, images); None where it has none.
    """
    loaded = {record.cell.id: load(record) for record in _of_lowest_seed(records)}
    found = []
    for a, b in _neighbours(_of_lowest_seed(records)):
        ours, theirs = loaded[a.cell.id], loaded[b.cell.id]
        if ours is not None and theirs is not None and ours.shape == theirs.shape:
            found.append((a, b, compare(ours, theirs)))
    adjusted = holm([difference.p for _, _, difference in found])
    return [
        Pair(first=a, second=b, found=difference, p_holm=p)
        for (a, b, difference), p in zip(found, adjusted, strict=True)
    ]


def _of_lowest_seed(records: Sequence[Record]) -> list[Record]:
    """Those with predictions, by data set and variant, shallow before deep."""
    known = [record for record in records if record.final and record.predictions]
    lowest = min((record.cell.seed for record in known), default=0)
    chosen = [record for record in known if record.cell.seed == lowest]
    return sorted(chosen, key=lambda record: (_series(record.cell), record.cell.depth))


def _neighbours(records: Sequence[Record]) -> list[tuple[Record, Record]]:
    """Pairs worth comparing among ``records`` in the order of ``_of_lowest_seed``."""
    pairs: list[tuple[Record, Record]] = []
    for _, members in groupby(records, lambda record: _series(record.cell)):
        series = list(members)
        pairs += pairwise(series)
    pairs += [
        (a, b)
        for a, b in combinations(records, 2)
        if a.cell.depth == b.cell.depth and _differ_in_one(_series(a.cell), _series(b.cell))
    ]
    return pairs


def _series(cell: Cell) -> tuple[str, ...]:
    """What cells that differ in depth and seed alone have in common."""
    network = cell.model.removesuffix(str(cell.depth))
    shortcut = "" if cell.shortcut == "none" else cell.shortcut  # plain: told by the network
    return (cell.dataset, network, cell.lineage, cell.stem, cell.recipe, shortcut)


def _differ_in_one(a: tuple[str, ...], b: tuple[str, ...]) -> bool:
    dataset, *ours = a
    other, *theirs = b
    differing = [n for n, (one, two) in enumerate(zip(ours, theirs, strict=True)) if one != two]
    # A plain net and a residual one differ in network and shortcut, which is one thing.
    return dataset == other and differing in ([1], [2], [3], [4], [0, 4])
