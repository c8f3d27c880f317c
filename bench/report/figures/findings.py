"""The sentences above figures: what a figure shows, as far as its records support it.

Each function returns an empty string where they support nothing; the figure is then headed by what
it draws. A difference is told only where it is larger than the noise of what was counted, or where
quartiles lie apart.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import Final

from bench.analysis.baselines import Row, difference_interval
from bench.analysis.order import Order, Share, order
from bench.analysis.reproductions import Digest
from bench.claims.measures import gradient_ends
from bench.claims.verdict import WORDS, Word
from bench.formats import listed, number, significant
from bench.reference.paper import Table6Row

_ORDERS: Final[dict[Order, str]] = {
    "rises": "rises with {}",
    "falls": "falls with {}",
    "none": "follows no order of {}",
    "noise": "differs by no more than the noise of the test set",
}
_ALIKE: Final = 2
"""A smaller factor between two responses is not told as a difference."""


def by_depth(ours: Sequence[Row], theirs: Sequence[Share]) -> str:
    """Test accuracy by depth, ours beside the 2022 project's.

    Args:
        ours: rows of one panel by depth.
    """
    done = [
        Share(row.test_accuracy, row.test_images) for row in ours if row.test_accuracy is not None
    ]
    here, there = order(done), order(theirs)
    if not done:
        told = _ORDERS.get(there, "").format("depth")
        return f"In the 2022 project accuracy {told}; ours is to come" if told else ""
    if here not in _ORDERS:
        return ""
    told = f"Accuracy {_ORDERS[here].format('depth')}"
    if there not in _ORDERS:
        return told
    if here == there:
        return f"{told}, here as in the 2022 project"
    return f"{told} here and {_ORDERS[there].format('depth')} in the 2022 project"


def over_time(first: Sequence[Share], last: Sequence[Share], images: tuple[float, float]) -> str:
    """Test accuracy by depth at two places of training, after so many ``images`` each."""
    early, late = order(first), order(last)
    if late not in _ORDERS:
        return ""
    start, end = (number(each, 0) for each in images)
    told = f"it {_ORDERS[late].format('depth')}"
    if early not in _ORDERS or start == end:
        return f"After {end} images accuracy {told.removeprefix('it ')}"
    if early == late:
        return f"Accuracy {told.removeprefix('it ')}, after {start} images as after {end}"
    return f"After {start} images accuracy {_ORDERS[early].format('depth')}, after {end} {told}"


def along(shares: Sequence[Share], words: str) -> str:
    """Test accuracy along something that grows with depth, such as ``parameters``."""
    found = order(shares)
    return f"Test accuracy {_ORDERS[found].format(words)}" if found in _ORDERS else ""


def paper_errors(printed: Mapping[int, Table6Row], ours: Sequence[Row]) -> str:
    """The paper's errors by depth, and how far ours are.

    Args:
        printed: by depth.
        ours: rows about these networks.
    """
    errors = [printed[depth].expected for depth in sorted(printed)]
    best = errors.index(min(errors))
    depth = sorted(printed)[best]
    if any(after >= before for before, after in pairwise(errors[: best + 1])):
        told = f"The paper’s error is lowest at {depth} layers"
    elif depth == max(printed):
        told = "The paper’s error falls with depth"
    else:
        told = f"The paper’s error falls until {depth} layers"
    done = [row for row in ours if row.test_error is not None]
    long = [row for row in done if row.paper_budget]
    if not done:
        return f"{told}; ours is to come"
    if not long:
        return f"{told}; ours had shorter training"
    return f"{told}; {_beside_printed(long, 'ours', 'it')}"


def beside_printed(rows: Sequence[Row]) -> str:
    """Our errors beside the printed ones, of networks trained as long as the paper's."""
    long = [row for row in rows if row.paper_budget and row.printed and row.test_error is not None]
    if not long:
        return ""
    return _beside_printed(long, "Our error", "the printed one")


def _beside_printed(rows: Sequence[Row], subject: str, printed: str) -> str:
    words = {True: "above", False: "below"}
    places = Counter(
        "within the noise of"
        if row.within_noise_of_printed
        else words[(row.printed_difference or 0) > 0]
        for row in rows
    )
    if len(places) == 1:
        of = "both networks" if len(rows) == 2 else f"all {len(rows)} networks"
        of = rows[0].title if len(rows) == 1 else of
        return f"{subject} lies {next(iter(places))} {printed} for {of}"
    (first, most), *rest = places.most_common()
    networks = f"{most} network{'s' if most > 1 else ''}"
    told = [f"{first} {printed} for {networks}", *(f"{place} it for {n}" for place, n in rest)]
    return f"{subject} lies {listed(told)}"


def plain_beside_residual(rows: Sequence[Row]) -> str:
    """The deepest networks that were trained both ways, with one recipe."""
    pairs = [
        (plain, residual)
        for plain in rows
        for residual in rows
        if (plain.network, residual.network) == ("cifar_plain", "cifar_resnet")
        and (plain.depth, plain.recipe, plain.images) == (
            residual.depth, residual.recipe, residual.images,
        )
        and residual.shortcut == "A"
        and plain.test_accuracy is not None
        and residual.test_accuracy is not None
    ]  # fmt: skip
    if not pairs:
        return ""
    plain, residual = max(pairs, key=lambda pair: pair[0].depth)
    assert plain.test_accuracy is not None
    assert residual.test_accuracy is not None
    low, high = difference_interval(
        residual.test_accuracy, residual.test_images, plain.test_accuracy, plain.test_images
    )
    points = residual.test_accuracy - plain.test_accuracy
    start = f"With {plain.depth} layers the plain net"
    if low <= 0 <= high:
        return f"{start} and the residual one err alike, within the noise of the test set"
    word = "more" if points > 0 else "less"
    return f"{start} errs {number(abs(points), 1)} points {word} than the residual one"


def responses(first: Sequence[float], last: Sequence[float], single: Mapping[int, float]) -> str:
    """How strongly layers respond, by their place in a block and by depth.

    Args:
        first: deviations of the first layers of basic blocks.
        last: of their last layers.
        single: median deviation of the 3×3 layers of bottleneck blocks, by depth.
    """
    if first and last:
        strong, weak = median(first), median(last)
        values = f"{significant(strong, 2)} against {significant(weak, 2)} on the median"
        factor = max(strong, weak) / min(strong, weak)
        if factor < _ALIKE:
            return f"In basic blocks the first and the last layer respond about alike: {values}"
        words = "first layers respond more strongly than last ones"
        if weak > strong:
            words = "last layers respond more strongly than first ones"
            values = f"{significant(weak, 2)} against {significant(strong, 2)} on the median"
        return f"In basic blocks {words}: {values}"
    medians = [single[depth] for depth in sorted(single)]
    if len(medians) < 2:
        return ""
    steps = [after - before for before, after in pairwise(medians)]
    if all(step < 0 for step in steps):
        return "The deeper the network, the weaker its layers respond"
    if all(step > 0 for step in steps):
        return "The deeper the network, the more strongly its layers respond"
    return "The strength of responses follows no order of depth"


def gradients(norms: Iterable[Sequence[float]]) -> str:
    """How the gradient changes on its way through each network, from the last blocks to the first.

    Args:
        norms: by the inputs of the blocks of each network, from the input to the output.
    """
    ends = [found for each in norms if (found := gradient_ends(each))]
    factors = [first / last for first, last in ends]
    if not factors:
        return ""
    way = "On its way from the last to the first quarter of blocks the gradient"
    if min(factors) > 1:
        return f"{way} grows by a factor of {span(factors)}"
    if max(factors) < 1:
        return f"{way} shrinks to {span([100 * factor for factor in factors])} %"
    return f"{way} changes by a factor of {span(factors)}"


def others(digests: Sequence[Digest]) -> str:
    """How far medians of others lie from the printed errors."""
    apart = [each.median - each.printed for each in digests if each.printed is not None]
    if not apart:
        return ""
    low, high = min(apart), max(apart)
    if low >= 0:
        return f"Medians of others lie {_points(low, high)} above the printed errors"
    if high <= 0:
        return f"Medians of others lie {_points(-high, -low)} below the printed errors"
    most = number(max(-low, high), 1)
    return f"Medians of others lie within {most} points of the printed errors"


def _points(low: float, high: float) -> str:
    ends = dict.fromkeys((number(low, 1), number(high, 1)))
    return f"{' to '.join(ends)} points"


def stops(frozen: int, judged: int) -> str:
    """In how many runs of a table of the 2022 project the weights stop moving."""
    if not judged:
        return ""
    if not frozen:
        runs = "the one run" if judged == 1 else f"none of the {judged} runs"
        return f"Weights keep moving in {runs}" if judged == 1 else f"Weights stop in {runs}"
    return f"Weights stop moving in {frozen} of {judged} run{'s' if judged > 1 else ''}"


def ledger(counts: Mapping[Word, int]) -> str:
    """How the claims were judged: ``Of 112 claims 26 are reproduced, ...``."""
    total = sum(counts.values())
    told = [f"{counts[word]} {word}" for word in WORDS if counts.get(word)]
    return f"Of {total} claims: {listed(told)}" if told else ""


def span(values: Sequence[float]) -> str:
    """``13 to 16``, once where both ends read alike."""
    return " to ".join(dict.fromkeys(significant(end, 2) for end in (min(values), max(values))))
