"""The ledger: a verdict for every claim of the references, from records. No torch here.

A verdict is *reproduced* where the test shows the claim at 5 %, *refuted* where it shows the
opposite by more than the margin, *inconclusive* where it shows neither, and *not run* where a cell
was not trained as the claim needs it. p-values are two ways' (there are two ways to be wrong) and
adjusted within a family by Holm's method.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.claims.cost import cost_ratio, exact_cost
from bench.claims.elsewhere import elsewhere
from bench.claims.evidence import Index
from bench.claims.means import reaches, threshold
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
from bench.claims.ordering import difference, ordering
from bench.claims.outcome import Outcome, Word
from bench.claims.schema import Claim, load_claims
from bench.errors import BenchError
from bench.records import store
from bench.records.schema import Record
from bench.stats import LEVEL, MOST_SEEDS, holm

WORDS: Final[tuple[Word, ...]] = ("reproduced", "refuted", "inconclusive", "not run")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of one claim.

    Attributes:
        word: the verdict.
        reason: why, one sentence for people.
        outcome: what the test found.
        p_adjusted: its p-value by Holm's method within its family; None where it has none.
        family_size: how many tests that correction is for.
    """

    claim: Claim
    word: Word
    reason: str
    outcome: Outcome
    p_adjusted: float | None = None
    family_size: int = 0

    @property
    def records(self) -> tuple[str, ...]:
        """Ids of the records that it rests on."""
        sampled = (name for sample in self.outcome.samples for name in sample.records)
        return tuple(dict.fromkeys((*sampled, *self.outcome.records)))


def judge(records: Iterable[Record], claims: Sequence[Claim] | None = None) -> tuple[Verdict, ...]:
    """One verdict per claim, in the order of the claims; by default of all that there are."""
    return judge_observed((observe(record) for record in records), claims)


def judge_observed(
    observations: Iterable[Observed], claims: Sequence[Claim] | None = None
) -> tuple[Verdict, ...]:
    """As ``judge``, of what was kept of records."""
    claims = load_claims() if claims is None else claims
    index = Index(observations)
    outcomes = [_outcome(claim, index) for claim in claims]
    adjusted: dict[int, tuple[float, int]] = {}
    for members in _families(claims, outcomes).values():
        p_values = [p for n in members if (p := outcomes[n].p) is not None]
        adjusted |= {n: (p, len(members)) for n, p in zip(members, holm(p_values), strict=True)}
    return tuple(
        _verdict(claim, outcome, *adjusted.get(n, (None, 0)))
        for n, (claim, outcome) in enumerate(zip(claims, outcomes, strict=True))
    )


def observe_folder(folder: Path, problems: list[str]) -> Iterator[Observed]:
    """What is kept of every valid record below ``folder``, one after the other.

    What is wrong with the others is added to ``problems``.
    """
    for path in sorted(folder.glob(f"*/{store.RECORD_FILE}")):
        try:
            yield observe(store.load(path.parent))
        except BenchError as error:
            problems.append(str(error))


def _outcome(claim: Claim, index: Index) -> Outcome:
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
            return elsewhere(claim, test)


def _families(claims: Sequence[Claim], outcomes: Sequence[Outcome]) -> dict[str, list[int]]:
    """Numbers of the claims that have a p-value, by family."""
    families: dict[str, list[int]] = defaultdict(list)
    for n, (claim, outcome) in enumerate(zip(claims, outcomes, strict=True)):
        if outcome.p is not None:
            families[claim.family].append(n)
    return families


def _verdict(claim: Claim, outcome: Outcome, p_adjusted: float | None, family_size: int) -> Verdict:
    word, conclusion = _decide(outcome, p_adjusted, family_size)
    return Verdict(
        claim=claim,
        word=word,
        reason=f"{outcome.reason[0].upper()}{outcome.reason[1:]}{conclusion}.",
        outcome=outcome,
        p_adjusted=p_adjusted,
        family_size=family_size,
    )


def _decide(outcome: Outcome, p_adjusted: float | None, tests: int) -> tuple[Word, str]:
    """The verdict, and how the sentence of its reason goes on."""
    if outcome.verdict is not None:
        return outcome.verdict, ""
    assert p_adjusted is not None
    assert outcome.p_supports is not None
    assert outcome.p_contradicts is not None
    supports = outcome.p_supports < outcome.p_contradicts
    against = outcome.against_support if supports else outcome.against_contradiction
    shown = outcome.if_shown if supports else outcome.if_refuted
    p_text = "p < 0.001" if p_adjusted < 0.001 else f"p = {p_adjusted:.2g}"
    if tests > 1:
        p_text += f" by Holm's method for {tests} tests"
    if p_adjusted > LEVEL:
        unclear = f"; neither the claim nor its opposite is shown ({p_text})"
        return "inconclusive", unclear + _more_seeds(outcome)
    if against:
        return "inconclusive", f"; {shown} ({p_text}), but {against}"
    return ("reproduced" if supports else "refuted"), f"; {shown} ({p_text})"


def _more_seeds(outcome: Outcome) -> str:
    if outcome.seeds_needed is None:
        return f", and more than {MOST_SEEDS} seeds would be needed"
    count = max(len(sample.values) for sample in outcome.samples)
    return f"; about {max(outcome.seeds_needed, count + 1)} seeds would be needed"
