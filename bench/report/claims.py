"""Verdicts by kind for the page and the terminal, and as objects for JSON."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from bench.claims.schema import Kind, Origin, Part
from bench.claims.verdict import WORDS, Verdict, Word
from bench.formats import listed
from bench.stats import standard_deviation

TITLES: Final[dict[Kind, str]] = {
    "cost": "Do the networks cost what the paper prints?",
    "accuracy": "Do they reach the printed errors on CIFAR-10?",
    "ordering": "Does depth harm plain networks, and help residual ones?",
    "warm-up": "Does a network of 110 layers need its warm-up?",
    "shortcuts": "Are projections better than shortcuts without parameters?",
    "responses": "Do residual layers respond less than plain ones?",
    "gradients": "Do gradients reach the first layers?",
    "2022 project": "Does what the 2022 project found come out again?",
    "ImageNet": "Do they reach the printed errors on ImageNet?",
}


PARTS: Final[dict[Part, str]] = {
    "arithmetic": "Arithmetic, costs by formula",
    "paper": "Experiments that the paper prints",
    "carried": "What it says of ImageNet, carried to CIFAR-10",
    "project2022": "The 2022 project",
    "own": "Our own hypotheses",
}
"""Counted apart: costs need no run, and what the paper does not say is no claim of the paper."""

ORIGINS: Final[dict[Origin, str]] = {
    "paper": "printed in the paper",
    "carried": "said of ImageNet, carried to CIFAR-10",
    "project2022": "said by the 2022 project",
    "own": "our own hypothesis",
}

MARKS: Final[dict[Word, str]] = {
    "reproduced": "✓",
    "refuted": "✗",
    "inconclusive": "?",
    "not run": "–",
}

_MOST_LABELS: Final = 3


def by_title(verdicts: Sequence[Verdict]) -> dict[str, list[Verdict]]:
    """Claims of one kind stand together, below the question that they answer."""
    return {
        title: found
        for kind, title in TITLES.items()
        if (found := [each for each in verdicts if each.claim.kind == kind])
    }


def needed(verdicts: Sequence[Verdict]) -> str:
    """What the claims of one kind wait for: ``ResNet-20, ResNet-32, ResNet-44 and 3 more``."""
    labels = list(
        dict.fromkeys(group.label for each in verdicts for group in each.claim.needs.groups)
    )
    if not labels:
        return verdicts[0].claim.kind  # ImageNet
    more = len(labels) - _MOST_LABELS
    return listed([*labels[:_MOST_LABELS], *([f"{more} more"] if more > 0 else [])])


def counts(verdicts: Sequence[Verdict]) -> dict[Part, dict[Word, int]]:
    """How many claims have each verdict, part by part; a part without claims is left out."""
    found = Counter((verdict.claim.part, verdict.word) for verdict in verdicts)
    parts = {verdict.claim.part for verdict in verdicts}
    return {part: {word: found[part, word] for word in WORDS} for part in PARTS if part in parts}


def told(counted: dict[Word, int]) -> str:
    """``3 reproduced, 1 not run``: the verdicts that there are."""
    return ", ".join(f"{number} {word}" for word, number in counted.items() if number)


def flat(verdict: Verdict) -> dict[str, Any]:
    """One verdict as a row of a table, nothing rounded."""
    everything = as_json(verdict)
    interval = everything.pop("interval") or {}
    everything["samples"] = "; ".join(
        f"{sample['label']}: {sample['n']}" for sample in everything["samples"]
    )
    everything["records"] = "; ".join(everything["records"])
    return everything | {"low": interval.get("low"), "high": interval.get("high")}


def as_json(verdict: Verdict) -> dict[str, Any]:
    """Everything about one verdict, nothing rounded."""
    claim = verdict.claim
    return {
        "id": claim.id,
        "kind": claim.kind,
        "sentence": claim.text,
        "source": claim.source,
        "origin": claim.origin,
        "part": claim.part,
        "verdict": verdict.word,
        "reason": verdict.reason,
        "test": verdict.test,
        "samples": [
            {
                "label": sample.label,
                "n": len(sample.values),
                "std": standard_deviation(sample.values) if len(sample.values) > 1 else None,
                "engine": sample.engine,
                "values": list(sample.values),
            }
            for sample in verdict.samples
        ],
        "effect": verdict.effect,
        "unit": verdict.unit.strip(),
        "interval": asdict(verdict.interval) if verdict.interval else None,
        "margin": verdict.margin,
        "margin_reason": claim.margin.reason if claim.margin else None,
        "p": verdict.p,
        "p_holm": verdict.p_adjusted,
        "tests": verdict.tests,
        "power": claim.power,
        "needs": str(claim.needs),
        "records": list(verdict.records),
    }
