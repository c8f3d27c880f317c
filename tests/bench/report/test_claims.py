"""Verdicts on the page and as JSON."""

import json
import re
from functools import cache

from bench.claims.files import load_claims, parse
from bench.claims.ledger import judge
from bench.claims.published import Published
from bench.claims.verdict import WORDS
from bench.report.claims import MARKS, ORIGINS, PARTS, TITLES, as_json, by_title, counts, needed
from bench.report.page import fill
from tests.bench.claims.test_schema import GOOD
from tests.support.factories import make_profile
from tests.support.tools import HOSTILE, ROOT, parsed, text_of


@cache
def verdicts():
    return judge(make_profile("table6", seeds=2) + make_profile("project2022", seeds=5))


def page(judged, on_page=(), published=None, published_at=None):
    """The part of the report, alone."""
    return fill(
        "claims",
        claims=by_title(judged),
        on_page=on_page,
        claim_counts=counts(judged),
        parts=PARTS,
        origins=ORIGINS,
        marks=MARKS,
        needed=needed,
        total=len(judged),
        published=published or {},
        published_at=published_at,
    )


def test_every_claim_stands_once_under_its_kind():
    found = by_title(verdicts())
    ids = [verdict.claim.id for part in found.values() for verdict in part]
    assert sorted(ids) == sorted(claim.id for claim in load_claims())
    assert list(found) == list(TITLES.values())


def test_costs_and_experiments_and_whose_they_are_are_counted_apart():
    totals = counts(verdicts())
    assert list(totals) == list(PARTS)
    assert all(list(words) == list(WORDS) for words in totals.values())
    for part, words in totals.items():
        assert sum(words.values()) == sum(claim.part == part for claim in load_claims())
    costs = sum(verdict.claim.kind == "cost" for verdict in verdicts())
    assert sum(totals["arithmetic"].values()) == costs
    text = text_of(page(verdicts()))
    for part, words in totals.items():
        (said,) = re.findall(rf"{PARTS[part]}: ((?:\S\s\d+\s[a-z ]+(?:,\s)?)+)", text)
        assert sum(map(int, re.findall(r"\d+", said))) == sum(words.values())
    assert "same 10,000 images" in text


def test_an_entry_says_everything():
    tree = parsed(page(verdicts()))

    def entry(name):
        (found,) = tree.xpath(f"//*[@id='claim-{name}']")
        return found, " ".join(found.text_content().split())

    found, text = entry("project2022.cifar10.base.50")
    assert found.tag == "details"
    line = " ".join(found.xpath("./summary")[0].text_content().split())
    assert re.search(r" [+−]\d+\.\d+ points \([+−]?\d+\.\d+ to [+−]?\d+\.\d+\)$", line)
    assert "; margin 5 points" in text
    assert "Margin: " in text
    assert "Seeds: 5." in text
    assert re.search(r" p \S+( \S+)? of \d+ tests\.", text)
    assert "5 of other profiles" in text
    assert "5 seeds of ResNet-50 (lineage project2022) (60 epochs" in text
    assert "If it is true, they show it in 98 of 100 cases" in text
    for name in ("table3.error.50", "table6.error.20"):
        assert "results of others" in entry(name)[1]
    found, text = entry("table6.parameters.20")
    assert "Needs nothing trained." in text
    assert "Seeds: " not in text
    line = " ".join(found.xpath("./summary")[0].text_content().split())
    assert line.endswith("269,722, which rounds to the printed 0.27 million.")


def test_what_was_not_run_is_one_line_for_each_question_and_judged_claims_come_first():
    for question in parsed(page(verdicts())).find_class("question"):
        words = [claim.get("data-verdict") for claim in question.find_class("claim")]
        assert words == sorted(words, key=lambda word: word == "not run")
        waiting = question.find_class("waiting")
        assert len(waiting) == ("not run" in words)
        for group in waiting:
            assert group.get("open") is None
            line = group.xpath("./summary")[0].text_content()
            assert line.startswith(f"{words.count('not run')} not run: need")
        assert len(question.xpath(".//i")) == len(words)


def test_what_published_records_show_stands_beside_this_run():
    here, there = "table6.error.20", "shortcut.options.56"  # two seeds of the first were run here
    said = Published(word="refuted", reason="As published.", records=("some/runs/cell",))
    known = {here: said, there: said}
    tree = parsed(page(verdicts(), published=known, published_at="../published"))
    for name, word in {here: "inconclusive", there: "not run"}.items():
        (claim,) = tree.xpath(f"//details[@id='claim-{name}']")  # neither is folded away
        marks = [each.text_content() for each in claim.xpath("summary/b")]
        assert marks == [f"{MARKS[word]}{word}", f"{MARKS['refuted']}published: refuted"]
        assert "Published records: refuted. As published." in claim.text_content()
        (link,) = claim.xpath(".//a[contains(@href, 'published')]/@href")
        assert link == "../published/some/runs/cell/record.json"
    assert "which judge 2 of the claims" in text_of(page(verdicts(), published=known))


def test_json_is_whole_and_not_rounded():
    content = json.loads(json.dumps([as_json(verdict) for verdict in verdicts()]))
    by_id = {each["id"]: each for each in content}
    judged = by_id["project2022.cifar10.base.50"]
    assert judged["tests"] >= 1
    assert judged["p"] <= judged["p_holm"]
    assert [sample["n"] for sample in judged["samples"]] == [5]
    assert len(judged["records"]) == 5
    assert judged["interval"]["low"] < judged["effect"] < judged["interval"]["high"]
    assert (judged["origin"], judged["part"]) == ("project2022", "project2022")
    flops = by_id["table1.flops.50"]
    assert (flops["origin"], flops["part"]) == ("paper", "arithmetic")
    assert by_id["table6.error.20"]["verdict"] == "inconclusive"
    assert by_id["table6.error.20"]["power"][0] > 0.9
    assert by_id["table2.plain.18"]["verdict"] == "not run"


def test_every_field_of_the_json_is_documented():
    document = (ROOT / "docs" / "summary.md").read_text()
    table = document.partition("## The ledger as JSON")[2].partition("\n## ")[0]
    documented = set(re.findall(r"`(\w+)`", table))
    content = [as_json(verdict) for verdict in verdicts()]
    nested = [each for claim in content for each in (*claim["samples"], claim["interval"] or {})]
    fields = {name for each in (*content, *nested) for name in each}
    assert {"values", "low"} <= fields <= documented
    assert documented >= {*PARTS, *ORIGINS}
    for claim in content:
        assert set(claim) == set(content[0])


def test_the_section_has_every_claim():
    judged = verdicts()
    html = page(judged)
    text = text_of(html)
    for claim in load_claims():
        assert claim.id in text
    for origin in ORIGINS.values():
        assert f"({origin})" in text


def test_a_record_is_linked_where_the_page_has_it():
    judged = verdicts()
    ids = {name for verdict in judged for name in verdict.records}
    shown = sorted(ids)[0]
    html = page(judged, on_page={shown})
    assert f'href="#cell-{shown}"' in html
    assert html.count('class="trace"') < html.count("of other profiles") + 50


def test_without_a_ledger_there_is_no_part():
    assert "<div" not in page(())


def test_what_a_claim_says_is_text():
    (claim,) = parse(GOOD.replace("ResNet-20 has", f"{HOSTILE.replace(chr(34), chr(39))} has"))
    html = page(judge([], [claim]))
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_needs_are_told():
    for claim in load_claims():
        assert str(claim.needs)
        assert "None" not in str(claim.needs)
