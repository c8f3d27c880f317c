"""Claims about cost: by formula, and held against what records counted on their own networks."""

import math
from collections.abc import Sequence
from typing import Final

from bench.claims.evidence import Index, label_of
from bench.claims.methods import CostRatio, ExactCost
from bench.claims.outcome import Outcome, listed
from bench.claims.quantities import QUANTITIES, stored
from bench.claims.schema import Claim, Group
from bench.reference.printed import look_up

JOINED: Final = {"value": "", "ratio": " over ", "difference": " minus "}


def exact_cost(claim: Claim, test: ExactCost, index: Index) -> Outcome:
    """Whether a count is the printed one, rounded or cut off."""
    groups = claim.needs.groups
    if problem := _disagreement(groups, test.quantity, index, "exact count"):
        return problem
    counts = [QUANTITIES[test.quantity].of(group.definition) for group in groups]
    exact = float(counts[0])
    if test.combine == "ratio":
        exact /= counts[1]
    elif test.combine == "difference":
        exact -= counts[1]
    if test.per:
        exact /= look_up(test.per).value
    printed = look_up(test.reference).value
    unit = last_digit(printed)
    missed = exact - printed
    same = abs(missed) < unit
    how = "rounds to" if abs(missed) <= unit / 2 else "is cut off to"
    text = QUANTITIES[test.quantity].text if test.combine == "value" and not test.per else _plain
    shown = f"{exact:,.0f}" if exact > 1 else f"{exact:.4f} of the printed count"
    return Outcome(
        verdict="reproduced" if same else "refuted",
        reason=f"{JOINED[test.combine].join(map(label_of, groups))}: exactly {shown}, which "
        f"{how if same else 'is not'} the printed {text(printed)}",
        effect=missed,
        digits=0 if unit >= 1 else 4,
        margin=unit,
        test="exact count, to one unit in the last printed digit",
        records=_records(groups, test.quantity, index),
    )


def cost_ratio(claim: Claim, test: CostRatio, index: Index) -> Outcome:
    """Whether all ratios lie in the range that the claim gives them."""
    groups = claim.needs.groups
    if problem := _disagreement(groups, test.quantity, index, "ratio of exact counts"):
        return problem
    count = QUANTITIES[test.quantity].of
    ours = [(label_of(group), float(count(group.definition))) for group in claim.needs.cells[0]]
    if test.references:
        printed = [look_up(path) for path in test.references]
        text = QUANTITIES[test.quantity].text
        theirs = [(f"the printed {text(each.value)}", each.value) for each in printed]
        ours = ours * len(theirs)
    else:
        second = claim.needs.cells[1]
        theirs = [(label_of(group), float(count(group.definition))) for group in second]
    pairs = list(zip(ours, theirs, strict=True))
    ratios = [mine / other for (_, mine), (_, other) in pairs]
    outside = [n for n, ratio in enumerate(ratios) if not test.low <= ratio <= test.high]
    told = [
        f"{ours[n][0]} has {ratios[n]:.4g} of {theirs[n][0]}" for n in outside or range(len(pairs))
    ]
    asked = f"{test.low:g} to {test.high:g}" if test.low < test.high else f"{test.low:g}"
    return Outcome(
        verdict="refuted" if outside else "reproduced",
        reason=f"of {QUANTITIES[test.quantity].words}, {listed(told)}; the claim is true at "
        f"{asked} ({test.reason})",
        effect=max(ratios, key=lambda ratio: abs(math.log(ratio))),
        digits=4,
        test="ratio of exact counts",
        records=_records(groups, test.quantity, index),
    )


def _plain(value: float) -> str:
    return f"{value:g}"


def last_digit(printed: float) -> float:
    """What one unit in the last printed digit is worth: 0.1·10⁹ of 3.8·10⁹, 0.01 of 0.18."""
    digits = f"{printed:.6e}".split("e")
    figures = digits[0].rstrip("0").rstrip(".")
    places = len(figures.partition(".")[2])
    return float(10.0 ** (int(digits[1]) - places))


def _disagreement(
    groups: Sequence[Group], quantity: str, index: Index, test: str
) -> Outcome | None:
    """Inconclusive where a record counted something else than the formula gives."""
    for group in groups:
        formula = QUANTITIES[quantity].of(group.definition)
        for observed in index.all_of(group, any_dataset=True):
            count = stored(observed, quantity)
            if count not in (None, formula):
                return Outcome(
                    verdict="inconclusive",
                    reason=f"the formula gives {formula:,} {QUANTITIES[quantity].words}, the "
                    f"record {observed.cell.id} counted {count:,}",
                    test=test,
                    records=(observed.cell.id,),
                )
    return None


def _records(groups: Sequence[Group], quantity: str, index: Index) -> tuple[str, ...]:
    """Ids of the records that counted the same on their own networks."""
    return tuple(
        sorted(
            observed.cell.id
            for group in groups
            for observed in index.all_of(group, any_dataset=True)
            if stored(observed, quantity) is not None
        )
    )
