"""Verdicts on the page and as JSON."""

import json
from functools import cache

import pytest

from bench.claims.ledger import WORDS, judge
from bench.claims.schema import load_claims, parse
from bench.report.claims import TITLES, as_json, counts, needs, sections
from bench.report.figures.verdicts import MARKS, verdict_chart
from bench.report.page import fill
from tests.bench.claims.test_schema import GOOD
from tests.support.factories import make_profile
from tests.support.tools import HOSTILE, text_of


@cache
def verdicts():
    return judge(make_profile("table6", seeds=2) + make_profile("project2022", seeds=3))


def page(judged, on_page=()):
    """The section of the report, alone."""
    return fill(
        "claims",
        claims=sections(judged, on_page=on_page),
        claim_counts=counts(judged),
        marks=MARKS,
        verdict_chart=verdict_chart(judged) if judged else None,
    )


def test_every_claim_stands_once_under_its_kind():
    rows = [row.id for part in sections(verdicts()).values() for row in part]
    assert sorted(rows) == sorted(claim.id for claim in load_claims())
    assert list(sections(verdicts())) == list(TITLES.values())


def test_counts_add_up():
    found = counts(verdicts())
    assert list(found) == list(WORDS)
    assert sum(found.values()) == len(load_claims())


def test_a_row_says_everything():
    rows = {row.id: row for part in sections(verdicts()).values() for row in part}
    row = rows["project2022.cifar10.base.50"]
    assert row.seeds == "3"
    assert row.margin == "5 points"
    assert row.margin_reason
    assert row.effect.endswith(" points")
    assert " to " in row.interval
    assert row.p
    assert row.unlinked == 3
    assert "3 seeds of ResNet-50 (lineage project2022) (60 epochs" in row.needs
    assert rows["table3.error.50"].others
    assert rows["table6.error.20"].others
    assert rows["table6.parameters.20"].needs == "nothing trained"


def test_json_is_whole_and_not_rounded():
    content = json.loads(json.dumps([as_json(verdict) for verdict in verdicts()]))
    by_id = {each["id"]: each for each in content}
    judged = by_id["project2022.cifar10.base.50"]
    assert judged["family_tests"] >= 1
    assert judged["p"] <= judged["p_holm"]
    assert [sample["n"] for sample in judged["samples"]] == [3]
    assert len(judged["records"]) == 3
    assert judged["interval"]["low"] < judged["effect"] < judged["interval"]["high"]
    assert by_id["table6.error.20"]["verdict"] == "inconclusive"
    assert by_id["table6.error.20"]["seeds_needed"] == 3
    assert by_id["table2.plain.18"]["verdict"] == "not run"


def test_the_section_has_every_claim():
    judged = verdicts()
    html = page(judged)
    text = text_of(html)
    for claim in load_claims():
        assert claim.id in text
    assert f"{counts(judged)['reproduced']} reproduced" in text


def test_a_record_is_linked_where_the_page_has_it():
    judged = verdicts()
    ids = {name for verdict in judged for name in verdict.records}
    shown = sorted(ids)[0]
    html = page(judged, on_page={shown})
    assert f'href="#cell-{shown}"' in html
    assert html.count('class="trace"') < html.count("of other profiles") + 50


def test_without_a_ledger_there_is_no_section():
    assert "<section" not in page(())


def test_what_a_claim_says_is_text():
    (claim,) = parse(GOOD.replace("ResNet-20 has", f"{HOSTILE.replace(chr(34), chr(39))} has"))
    html = page(judge([], [claim]))
    assert "<script" not in html
    assert "&lt;script&gt;" in html


@pytest.mark.parametrize("claim", load_claims(), ids=lambda claim: claim.id)
def test_needs_are_told(claim):
    assert needs(claim)
    assert "None" not in needs(claim)
