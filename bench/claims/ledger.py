"""The ledger: a verdict for every claim of the references, from records. No torch here.

A verdict is *reproduced* where the test shows the claim at 5 %, *refuted* where it shows the
opposite by more than the margin, *inconclusive* where it shows neither, and *not run* where a cell
was not trained as the claim needs it. p-values are two ways' (there are two ways to be wrong) and
adjusted over the whole ledger by Holm's method.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from bench.claims.cost import cost_ratio, exact_cost
from bench.claims.evidence import Index
from bench.claims.files import load_claims
from bench.claims.means import judge_seeds
from bench.claims.measures import Observed, observe
from bench.claims.methods import CostRatio, Elsewhere, ExactCost
from bench.claims.schema import Claim
from bench.claims.verdict import Verdict
from bench.formats import number
from bench.records import store
from bench.records.schema import Record
from bench.reference.printed import look_up
from bench.stats import LEVEL, holm

FURTHER: Final = "Further seeds would be a new test, of seeds whose number is fixed beforehand"


def judge(records: Iterable[Record], claims: Sequence[Claim] | None = None) -> tuple[Verdict, ...]:
    """One verdict per claim, in the order of the claims; by default of all that there are."""
    return judge_observed((observe(record) for record in records), claims)


def judge_observed(
    observations: Iterable[Observed], claims: Sequence[Claim] | None = None
) -> tuple[Verdict, ...]:
    index = Index(observations)
    claims = load_claims() if claims is None else claims
    verdicts = [_judge_one(claim, index) for claim in claims]
    tested = {place: each.p for place, each in enumerate(verdicts) if each.p is not None}
    for place, p in zip(tested, holm(tuple(tested.values())), strict=True):
        verdicts[place] = replace(verdicts[place], p_adjusted=p, tests=len(tested))
    return tuple(decided(verdict) for verdict in verdicts)


def _judge_one(claim: Claim, index: Index) -> Verdict:
    test = claim.test
    if isinstance(test, ExactCost):
        return exact_cost(claim, test, index)
    if isinstance(test, CostRatio):
        return cost_ratio(claim, test, index)
    if isinstance(test, Elsewhere):
        return _elsewhere(claim, test)
    return judge_seeds(claim, index)


def observe_folder(folder: Path, problems: list[str]) -> Iterator[Observed]:
    """What is kept of every valid record below ``folder``, one after the other.

    What is wrong with the others is added to ``problems``.
    """
    yield from map(observe, store.load_each(folder, problems))


def _elsewhere(claim: Claim, test: Elsewhere) -> Verdict:
    """Never run; the reason says what it needs and what others got."""
    told = f"needs {test.needs}; printed {look_up(test.reference).value:g}{test.unit}"
    values = [each.value for each in claim.others]
    if values:
        span = " to ".join(number(value, 1) for value in sorted({min(values), max(values)}))
        told = f"{told}; others got {span} % ({len(values)} results, tested in other ways too)"
    return Verdict(claim=claim, word="not run", reason=told, test="none here")


def decided(verdict: Verdict) -> Verdict:
    """What the adjusted p-value leaves of where a test points, with the reason as a sentence."""
    word, conclusion, p = verdict.word, "", verdict.p_adjusted
    if p is not None:
        p_text = "p < 0.001" if p < 0.001 else f"p = {p:.2g}"
        if verdict.tests > 1:
            p_text += f" by Holm's method for {verdict.tests} tests"
        conclusion = f"; {verdict.shown} ({p_text})"
        if p > LEVEL:
            word = "inconclusive"
            conclusion = f"; neither the claim nor its opposite is shown ({p_text}). {FURTHER}"
        elif verdict.but:
            word = "inconclusive"
            conclusion += f", but {verdict.but}"
    reason = f"{verdict.reason[0].upper()}{verdict.reason[1:]}{conclusion}."
    return replace(verdict, word=word, reason=reason)
