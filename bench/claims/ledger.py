"""The ledger: a verdict for every claim of the references, from records. No torch here.

A verdict is *reproduced* where the test shows the claim at 5 %, *refuted* where it shows the
opposite by more than the margin, *inconclusive* where it shows neither, and *not run* where a cell
was not trained as the claim needs it. p-values are two ways' (there are two ways to be wrong) and
adjusted within a family by Holm's method.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from bench.claims.cost import cost_ratio, exact_cost
from bench.claims.evidence import Index
from bench.claims.means import difference, ordering, reaches, threshold
from bench.claims.measures import Observed, observe
from bench.claims.methods import Elsewhere
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
    index = Index(observations)
    claims = load_claims() if claims is None else claims
    verdicts = [TESTS[claim.test.name](claim, claim.test, index) for claim in claims]
    families: dict[str, dict[int, float]] = defaultdict(dict)
    for place, verdict in enumerate(verdicts):
        if verdict.p is not None:
            families[verdict.claim.family][place] = verdict.p
    for family in families.values():
        adjusted = holm(tuple(family.values()))
        for place, p in zip(family, adjusted, strict=True):
            verdicts[place] = replace(verdicts[place], p_adjusted=p, family_size=len(family))
    return tuple(_decided(verdict) for verdict in verdicts)


def observe_folder(folder: Path, problems: list[str]) -> Iterator[Observed]:
    """What is kept of every valid record below ``folder``, one after the other.

    What is wrong with the others is added to ``problems``.
    """
    yield from map(observe, store.load_each(folder, problems))


def _elsewhere(claim: Claim, test: Elsewhere, _index: Index) -> Verdict:
    """Never run; the reason says what it needs and what others got."""
    told = f"needs {test.needs}; printed {look_up(test.reference).value:g}{test.unit}"
    values = [each.value for each in claim.others]
    if values:
        span = " to ".join(number(value, 1) for value in sorted({min(values), max(values)}))
        told = f"{told}; others got {span} % ({len(values)} results, tested in other ways too)"
    return Verdict(claim=claim, word="not run", reason=told, test="none here")


TESTS: Final[dict[str, Callable[[Claim, Any, Index], Verdict]]] = {
    "exact_cost": exact_cost,
    "cost_ratio": cost_ratio,
    "reaches": reaches,
    "threshold": threshold,
    "ordering": ordering,
    "difference": difference,
    "elsewhere": _elsewhere,
}


def _decided(verdict: Verdict) -> Verdict:
    """What the adjusted p-value leaves of where a test points, with the reason as a sentence."""
    word, conclusion, p = verdict.word, "", verdict.p_adjusted
    if p is not None:
        p_text = "p < 0.001" if p < 0.001 else f"p = {p:.2g}"
        if verdict.family_size > 1:
            p_text += f" by Holm's method for {verdict.family_size} tests"
        conclusion = f"; {verdict.shown} ({p_text})"
        if p > LEVEL:
            word = "inconclusive"
            conclusion = f"; neither the claim nor its opposite is shown ({p_text})"
            conclusion += _more_seeds(verdict)
        elif verdict.but:
            word = "inconclusive"
            conclusion += f", but {verdict.but}"
    reason = f"{verdict.reason[0].upper()}{verdict.reason[1:]}{conclusion}."
    return replace(verdict, word=word, reason=reason)


def _more_seeds(verdict: Verdict) -> str:
    if verdict.seeds_needed is None:
        return f", and more than {MOST_SEEDS} seeds would be needed"
    count = max(len(sample.values) for sample in verdict.samples)
    return f"; about {max(verdict.seeds_needed, count + 1)} seeds would be needed"
