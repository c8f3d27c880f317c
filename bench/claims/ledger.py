"""The ledger: a verdict for every claim of the references, from records. No torch here.

A verdict is *reproduced* where the test shows the claim at 5 %, *refuted* where it shows the
opposite by more than the margin, *inconclusive* where it shows neither, and *not run* where a cell
was not trained as the claim needs it. p-values are two ways' (there are two ways to be wrong) and
adjusted within a family by Holm's method.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from bench.claims.cost import cost_ratio, exact_cost
from bench.claims.evidence import Index
from bench.claims.means import difference, ordering, reaches, threshold
from bench.claims.measures import Observed, observe
from bench.claims.methods import (
    CostRatio,
    Difference,
    Elsewhere,
    ExactCost,
    Ordering,
    Reaches,
    Threshold,
)
from bench.claims.schema import Claim, load_claims
from bench.claims.verdict import Verdict
from bench.formats import number
from bench.records import store
from bench.records.schema import Record
from bench.reference.printed import look_up
from bench.stats import LEVEL, MOST_SEEDS, holm


def judge(records: Iterable[Record], claims: Sequence[Claim] | None = None) -> tuple[Verdict, ...]:
    """One verdict per claim, in the order of the claims; by default of all that there are."""
    return judge_observed((observe(record) for record in records), claims)


def judge_observed(
    observations: Iterable[Observed], claims: Sequence[Claim] | None = None
) -> tuple[Verdict, ...]:
    """As ``judge``, of what was kept of records."""
    index = Index(observations)
    verdicts = [_tested(claim, index) for claim in (load_claims() if claims is None else claims)]
    families: dict[str, list[float]] = defaultdict(list)
    for verdict in verdicts:
        if verdict.p is not None:
            families[verdict.claim.family].append(verdict.p)
    adjusted = {name: iter(holm(p_values)) for name, p_values in families.items()}
    return tuple(
        _finished(verdict)
        if verdict.p is None
        else _decided(
            verdict, next(adjusted[verdict.claim.family]), len(families[verdict.claim.family])
        )
        for verdict in verdicts
    )


def observe_folder(folder: Path, problems: list[str]) -> Iterator[Observed]:
    """What is kept of every valid record below ``folder``, one after the other.

    What is wrong with the others is added to ``problems``.
    """
    yield from map(observe, store.load_each(folder, problems))


def _tested(claim: Claim, index: Index) -> Verdict:
    match claim.test:
        case ExactCost() as test:
            return exact_cost(claim, test, index)
        case CostRatio() as test:
            return cost_ratio(claim, test, index)
        case Reaches() as test:
            return reaches(claim, test, index)
        case Threshold() as test:
            return threshold(claim, test, index)
        case Ordering() as test:
            return ordering(claim, test, index)
        case Difference() as test:
            return difference(claim, test, index)
        case Elsewhere() as test:
            return _elsewhere(claim, test)


def _elsewhere(claim: Claim, test: Elsewhere) -> Verdict:
    """Never run; the reason says what it needs and what others got."""
    told = f"needs {test.needs}; printed {look_up(test.reference).value:g}{test.unit}"
    values = [each.value for each in claim.others]
    if values:
        span = " to ".join(number(value, 1) for value in sorted({min(values), max(values)}))
        told = f"{told}; others got {span} % ({len(values)} results, tested in other ways too)"
    return Verdict(claim=claim, word="not run", reason=told, test="none here")


def _finished(verdict: Verdict, conclusion: str = "") -> Verdict:
    """With its reason as a sentence."""
    reason = f"{verdict.reason[0].upper()}{verdict.reason[1:]}{conclusion}."
    return replace(verdict, reason=reason)


def _decided(verdict: Verdict, p_adjusted: float, tests: int) -> Verdict:
    """What is left of where a test points, beside ``tests`` of its family."""
    verdict = replace(verdict, p_adjusted=p_adjusted, family_size=tests)
    p_text = "p < 0.001" if p_adjusted < 0.001 else f"p = {p_adjusted:.2g}"
    if tests > 1:
        p_text += f" by Holm's method for {tests} tests"
    if p_adjusted > LEVEL:
        unclear = f"; neither the claim nor its opposite is shown ({p_text})"
        return _finished(replace(verdict, word="inconclusive"), unclear + _more_seeds(verdict))
    if verdict.but:
        open_still = f"; {verdict.shown} ({p_text}), but {verdict.but}"
        return _finished(replace(verdict, word="inconclusive"), open_still)
    return _finished(verdict, f"; {verdict.shown} ({p_text})")


def _more_seeds(verdict: Verdict) -> str:
    if verdict.seeds_needed is None:
        return f", and more than {MOST_SEEDS} seeds would be needed"
    count = max(len(sample.values) for sample in verdict.samples)
    return f"; about {max(verdict.seeds_needed, count + 1)} seeds would be needed"
