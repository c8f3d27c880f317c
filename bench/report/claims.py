"""Verdicts -> rows for a page, lines for a terminal, objects for JSON. Rounding happens here."""

from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from bench.claims.evidence import label_of
from bench.claims.ledger import WORDS, Verdict
from bench.claims.outcome import Outcome, Word, listed, span
from bench.claims.schema import Claim, Kind
from bench.formats import number
from bench.reference.loader import Reproduction
from bench.stats import standard_deviation

TITLES: Final[dict[Kind, str]] = {
    "cost": "Parameters and FLOPs",
    "accuracy": "Errors on CIFAR-10",
    "ordering": "Depth, with and without shortcuts",
    "warm-up": "Warm-up of 110 layers",
    "shortcuts": "Shortcuts: option A against B",
    "responses": "Layer responses",
    "gradients": "Gradients",
    "2022 project": "The 2022 project",
    "ImageNet": "ImageNet, not run here",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """One claim on the page, every number as text; empty where there is none.

    Attributes:
        needs: cells, seeds and budget.
        seeds: how many of each cell were judged.
        p: with how many tests it was adjusted for.
        linked: records that have their own entry on the page.
        unlinked: how many others the verdict rests on.
    """

    id: str
    sentence: str
    source: str
    note: str
    needs: str
    word: Word
    reason: str
    test: str
    seeds: str
    effect: str
    interval: str
    margin: str
    margin_reason: str
    p: str
    linked: tuple[str, ...]
    unlinked: int
    others: tuple[Reproduction, ...]


def sections(
    verdicts: Sequence[Verdict], *, on_page: Container[str] = ()
) -> dict[str, list[LedgerRow]]:
    """Rows of the page by title; claims of one kind stand together.

    Args:
        verdicts: of the whole ledger.
        on_page: ids of the cells that have an entry on the page, to link to.
    """
    return {
        title: rows
        for kind, title in TITLES.items()
        if (rows := [_row(each, on_page) for each in verdicts if each.claim.kind == kind])
    }


def counts(verdicts: Sequence[Verdict]) -> dict[Word, int]:
    """How many claims have each verdict."""
    found = Counter(verdict.word for verdict in verdicts)
    return {word: found[word] for word in WORDS}


def as_json(verdict: Verdict) -> dict[str, Any]:
    """Everything about one verdict, nothing rounded."""
    claim, outcome = verdict.claim, verdict.outcome
    return {
        "id": claim.id,
        "kind": claim.kind,
        "sentence": claim.text,
        "source": claim.source,
        "verdict": verdict.word,
        "reason": verdict.reason,
        "test": outcome.test,
        "samples": [_sample(sample.label, sample.values) for sample in outcome.samples],
        "effect": outcome.effect,
        "unit": outcome.unit.strip(),
        "interval": asdict(outcome.interval) if outcome.interval else None,
        "margin": outcome.margin,
        "margin_reason": claim.margin.reason if claim.margin else None,
        "p": outcome.p,
        "p_holm": verdict.p_adjusted,
        "family": claim.family,
        "family_tests": verdict.family_size,
        "seeds_needed": outcome.seeds_needed if verdict.word == "inconclusive" else None,
        "needs": needs(claim),
        "records": list(verdict.records),
    }


def needs(claim: Claim) -> str:
    """``5 seeds of ResNet-110 (64,000 iterations of paper_cifar_warmup)``."""
    if not claim.needs.seeds:
        return "nothing trained" if claim.needs.cells else "what is not run here"
    budgets: dict[str, list[str]] = {}
    for group in claim.needs.groups:
        budgets.setdefault(str(group.needed), []).append(label_of(group))
    parts = [f"{listed(labels)} ({budget})" for budget, labels in budgets.items()]
    return f"{claim.needs.seeds} seeds of {'; of '.join(parts)}"


def _sample(label: str, values: Sequence[float]) -> dict[str, Any]:
    std = standard_deviation(values) if len(values) > 1 else None
    return {"label": label, "n": len(values), "std": std, "values": list(values)}


def _row(verdict: Verdict, on_page: Container[str]) -> LedgerRow:
    claim, outcome = verdict.claim, verdict.outcome
    linked = tuple(name for name in verdict.records if name in on_page)
    return LedgerRow(
        id=claim.id,
        sentence=claim.text,
        source=claim.source,
        note=claim.note,
        needs=needs(claim),
        word=verdict.word,
        reason=verdict.reason,
        test=outcome.test,
        seeds=", ".join(str(len(sample.values)) for sample in outcome.samples),
        effect=_effect(outcome),
        interval=span(outcome.interval, outcome.digits) if outcome.interval else "",
        margin="" if outcome.margin is None else f"{_plain(outcome.margin)}{outcome.unit}",
        margin_reason=claim.margin.reason if claim.margin else "",
        p=_p(verdict),
        linked=linked,
        unlinked=len(verdict.records) - len(linked),
        others=claim.others,
    )


def _effect(outcome: Outcome) -> str:
    if outcome.effect is None:
        return ""
    is_difference = outcome.margin is not None and outcome.unit != " %"
    return f"{number(outcome.effect, outcome.digits, signed=is_difference)}{outcome.unit}"


def _p(verdict: Verdict) -> str:
    if verdict.p_adjusted is None:
        return ""
    p = verdict.p_adjusted
    return f"{'< 0.001' if p < 0.001 else f'{p:.2g}'} of {verdict.family_size}"


def _plain(margin: float) -> str:
    """A margin without an exponent: those of FLOPs are hundreds of millions."""
    return number(margin, 0) if margin >= 1000 else f"{margin:g}"
