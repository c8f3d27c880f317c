"""What is odd in a record stays in its own place: the rest of the page is as without it."""

import re
from math import inf, nan
from typing import Any

import pytest
from pydantic import ValidationError

from bench.config.profiles import DEPTHS
from bench.records import store
from bench.records.schema import EpochRecord
from tests.bench.records.test_migrate import PUBLISHED
from tests.support.factories import make_record
from tests.support.own import add_networks
from tests.support.pages import odd_page, render, table_of
from tests.support.tools import HOSTILE, parsed, text_of

pytestmark = pytest.mark.heavy

RESULTS = "Accuracy and loss of every cell"


def outline(page, text):
    """Every element with its attributes and texts, ``text`` in them replaced by a word."""

    def plain(each):
        return (each or "").replace(text, "word")

    return [
        (element.tag, {name: plain(each) for name, each in element.attrib.items()},
         plain(element.text), plain(element.tail))
        for element in parsed(page).iter()
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [HOSTILE, "x" * 10_000, "word " * 2_000, "</script></style><!--", "{{ 7 * 7 }}", "&lt;&amp;"],
    ids=lambda text: text[:12],
)
def test_a_text_changes_nothing_but_its_own_place(text):
    page = odd_page(text)
    assert text_of(page).count(" ".join(text.split())) > 20
    assert outline(page, text) == outline(odd_page("word"), "word")


def test_characters_that_no_page_may_hold_are_replaced():
    page = odd_page("\x1b[31mred\x00")
    assert "\ufffd[31mred\ufffd" in page


def with_last(record, **changes):
    last = record.epochs[-1].model_copy(update=changes)
    return record.model_copy(update={"epochs": (*record.epochs[:-1], last)})


def tables_of(page):
    return {
        box.get("aria-label"): table_of(page, box.get("aria-label"))
        for box in parsed(page).findall(".//div[@class='scroll']")
    }


@pytest.fixture(scope="module")
def three():
    records = [make_record(18), make_record(34), make_record(18, "mnist")]
    return records, tables_of(render(records))


@pytest.mark.parametrize("value", [nan, inf, -inf, 1e300])
def test_an_odd_number_changes_no_other_row(value, three):
    (first, *others), expected = three
    odd = with_last(first, train_loss=value, test_loss=value, learning_rate=value)
    page = render([odd, *others])
    assert len(re.findall(r"\b(nan|inf)\b", page)) <= 1  # the learning rate, as it was
    found = tables_of(page)
    assert {name: len(rows) for name, rows in found.items()} == {
        name: len(rows) for name, rows in expected.items()
    }
    changed = [
        (name, row[0])
        for name, rows in found.items()
        for row, before in zip(rows, expected[name], strict=True)
        if row != before
    ]
    assert changed == [(RESULTS, "ResNet-18"), (f"Epochs of {first.cell.id}", "4")]


def test_an_endless_time_is_no_record():
    content = make_record().epochs[0].model_dump()
    for name in ("train_seconds", "test_seconds"):
        with pytest.raises(ValidationError, match=name):
            EpochRecord.model_validate(content | {name: inf})


def test_records_of_the_first_schema_make_a_page():
    records, problems = store.load_all(PUBLISHED)
    page = render(records, problems)
    assert page.count('<details class="cell"') == len(records) == 10
    assert 'id="shortcuts"' not in page
    assert 'id="pairs"' not in page


def test_a_seed_that_failed_or_is_missing_is_no_part_of_the_mean():
    broken: dict[str, Any] = {"status": "failed", "reason": "out of memory", "epochs": ()}
    records = [make_record(18), make_record(18, seed=1, **broken), make_record(18, seed=3)]
    page = render([*records, make_record(34)])
    first, reason, second = table_of(page, RESULTS)[1:4]
    accuracies = [100 * records[n].final.test_accuracy for n in (0, 2)]
    assert first[1].startswith(f"{sum(accuracies) / 2:.2f}")
    assert "n\xa0=\xa02" in first[1]
    assert reason == ["ResNet-18 2 of 3 seeds completed; failed: out of memory"]
    assert second[0].startswith("ResNet-34")
    assert len(re.findall(r"seed \d</span></summary>", page)) == 4


def test_a_recipe_of_ones_own_is_not_told_to_be_that_of_the_profile():
    by_ours = text_of(render([make_record(18)]))
    by_own = text_of(render([make_record(18, recipe={"name": "mine"})]))
    assert "This run shows whether each network learns." in by_ours
    assert "This run shows whether each network learns." not in by_own
    assert "Compare budgets in the table before you compare accuracies." in by_own


def test_networks_that_the_paper_does_not_have_stand_among_the_results_alone(monkeypatch):
    add_networks(monkeypatch)
    records = [make_record(26), make_record(26, network="cifar_resnet"), make_record(50)]
    found = tables_of(render(records))
    assert sum("ResNet-26" in row[0] for row in found[RESULTS]) == 2
    assert not [row for row in found["Table 6 of the paper"] if "26" in row[1]]
    costs = found["Parameters and MACs beside the printed FLOPs"]
    assert [row[0] for row in costs] == [f"ResNet-{depth}" for depth in DEPTHS]
