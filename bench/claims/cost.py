"""Claims about cost: by formula, and held against what records counted on their own networks."""

import math
from collections.abc import Sequence

from bench.analysis.networks import RESOLUTION
from bench.claims.evidence import Index
from bench.claims.measures import Observed
from bench.claims.methods import CostRatio, ExactCost
from bench.claims.quantities import QUANTITIES
from bench.claims.schema import Claim, Group
from bench.claims.verdict import Verdict
from bench.formats import listed
from bench.reference.printed import look_up


def exact_cost(claim: Claim, test: ExactCost, index: Index) -> Verdict:
    """Whether a count is the printed one, rounded or cut off."""
    groups, quantity = claim.needs.groups, QUANTITIES[test.quantity]
    if problem := _disagreement(claim, test.quantity, index, "exact count"):
        return problem
    counts = [quantity.of(group.definition) for group in groups]
    exact, joined = float(counts[0]), ""
    if test.combine == "ratio":
        exact, joined = exact / counts[1], " over "
    elif test.combine == "difference":
        exact, joined = exact - counts[1], " minus "
    if test.per:
        exact /= look_up(test.per).value
    printed = look_up(test.reference).value
    unit = last_digit(printed)
    missed = exact - printed
    same = abs(missed) < unit
    how = "rounds to" if abs(missed) <= unit / 2 else "is cut off to"
    plain = joined or test.per
    text = f"{printed:g}" if plain else quantity.text(printed)
    shown = f"{exact:,.0f}" if exact > 1 else f"{exact:.4f} of the printed count"
    return Verdict(
        claim=claim,
        word="reproduced" if same else "refuted",
        reason=f"{joined.join(group.label for group in groups)}: exactly {shown}, which "
        f"{how if same else 'is not'} the printed {text}",
        effect=missed,
        digits=0 if unit >= 1 else 4,
        margin=unit,
        test="exact count, to one unit in the last printed digit",
        counted=_counted(groups, test.quantity, index),
    )


def cost_ratio(claim: Claim, test: CostRatio, index: Index) -> Verdict:
    """Whether all ratios lie in the range that the claim gives them."""
    if problem := _disagreement(claim, test.quantity, index, "ratio of exact counts"):
        return problem
    quantity, cells = QUANTITIES[test.quantity], claim.needs.cells
    ours = [(group.label, float(quantity.of(group.definition))) for group in cells[0]]
    if test.references:
        printed = [look_up(path).value for path in test.references]
        theirs = [(f"the printed {quantity.text(value)}", value) for value in printed]
        ours = ours * len(theirs)
    else:
        theirs = [(group.label, float(quantity.of(group.definition))) for group in cells[1]]
    ratios = {
        f"{label} has {_share(mine / other)} {their_label}": mine / other
        for (label, mine), (their_label, other) in zip(ours, theirs, strict=True)
    }
    outside = [told for told, ratio in ratios.items() if not test.low <= ratio <= test.high]
    asked = f"{test.low:g} to {test.high:g}" if test.low < test.high else f"{test.low:g}"
    return Verdict(
        claim=claim,
        word="refuted" if outside else "reproduced",
        reason=f"of {quantity.words}, {listed(outside or ratios)}; the claim is true at "
        f"{asked} ({test.reason})",
        effect=max(ratios.values(), key=lambda ratio: abs(math.log(ratio))),
        digits=4,
        test="ratio of exact counts",
        counted=_counted(claim.needs.groups, test.quantity, index),
    )


def _share(ratio: float) -> str:
    return "as many as" if ratio == 1 else f"{ratio:.4g} of"


def last_digit(printed: float) -> float:
    """What one unit in the last printed digit is worth: 0.1·10⁹ of 3.8·10⁹, 0.01 of 0.18."""
    digits, exponent = f"{printed:.6e}".split("e")
    places = len(digits.rstrip("0").partition(".")[2])
    return float(10.0 ** (int(exponent) - places))


def _disagreement(claim: Claim, quantity: str, index: Index, test: str) -> Verdict | None:
    """Inconclusive where a record counted something else than the formula gives."""
    for group in claim.needs.groups:
        formula = QUANTITIES[quantity].of(group.definition)
        for observed in index.of_network(group):
            count = _stored(observed, quantity)
            if count not in (None, formula):
                return Verdict(
                    claim=claim,
                    word="inconclusive",
                    reason=f"the formula gives {formula:,} {QUANTITIES[quantity].words}, the "
                    f"record {observed.record.cell.id} counted {count:,}",
                    test=test,
                    counted=(observed.record.cell.id,),
                )
    return None


def _counted(groups: Sequence[Group], quantity: str, index: Index) -> tuple[str, ...]:
    return tuple(
        sorted(
            observed.record.cell.id
            for group in groups
            for observed in index.of_network(group)
            if _stored(observed, quantity) is not None
        )
    )


def _stored(observed: Observed, quantity: str) -> int | None:
    """What a record counted on its own network; None where it did not, or on another shape."""
    cost = observed.record.cost
    if cost is None or quantity not in ("parameters", "macs"):
        return None
    if cost.table1_macs is not None:
        return cost.table1_parameters if quantity == "parameters" else cost.table1_macs
    published = cost.input_shape == (3, RESOLUTION["table6"], RESOLUTION["table6"])
    return getattr(cost, quantity) if published else None
