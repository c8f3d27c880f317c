"""Tables in a real browser: sorted, filtered, copied, with their header in sight."""

import csv
import io
import re

import pytest

from bench.config.profiles import DEPTHS
from tests.browser.conftest import opener

pytestmark = pytest.mark.heavy

RESULTS = "Accuracy and loss of every cell"
SPEED = "Speed and memory of every cell"


def unfold(page):
    page.evaluate("for (const each of document.querySelectorAll('.more')) each.open = true")
    return page


@pytest.fixture(scope="module")
def page(browser, address):
    """The page with every part, opened once and unfolded."""
    with opener(browser, address) as open_one:
        yield unfold(open_one())


def box(page, label):
    return page.locator(f".scroll[aria-label='{label}']")


def column(page, label, number):
    """The texts of one column, without small print; a list for each tbody."""
    return page.evaluate(
        """([label, number]) => {
          const table = document.querySelector(`.scroll[aria-label="${label}"] table`);
          const width = headersOf(table).length;
          return [...table.tBodies].map((body) =>
            unitsOf(body, width).map(([row]) => read(row.cells[number]).value));
        }""",
        [label, number],
    )


def test_numbers_are_read_as_people_write_them(page):
    numbers = {
        "1,234.5": 1234.5,
        "−3.2": -3.2,
        "≈ −0.19": -0.19,
        "▲ +3.31": 3.31,
        "40,000": 40000,
        "1e-05": 1e-05,
        "98.40 %": 98.4,
        "<0.001": 0.001,
        "6.61 ± 0.16": 6.61,
        "128 / 256": 128,
    }
    words = ["ResNet-18", "2, 2, 2, 2", "64×112×112", "failed", "✓ agrees"]
    found = page.evaluate(
        "(texts) => texts.map((text) => numberIn(text) ?? null)", [*numbers, *words]
    )
    assert found == [*numbers.values(), *[None] * len(words)]


def test_numbers_stand_before_words_and_empty_cells_last(page):
    order = """(direction) => ["b", null, 10, "ResNet-101", 2, "ResNet-18", null]
      .sort((x, y) => compareKeys(x, y, direction))"""
    up = page.evaluate(order, 1)
    assert up == [2, 10, "b", "ResNet-18", "ResNet-101", None, None]
    down = page.evaluate(order, -1)
    assert down == [10, 2, "ResNet-101", "ResNet-18", "b", None, None]


def test_a_column_sorts_up_down_and_back_within_its_groups(page):
    as_made = column(page, RESULTS, 1)
    assert [len(group) for group in as_made] == [6, 5]
    head = box(page, RESULTS).locator("thead tr:nth-child(2) th").first
    for direction, expected in (
        ("ascending", [sorted(group, key=float) for group in as_made]),
        ("descending", [sorted(group, key=float, reverse=True) for group in as_made]),
        (None, as_made),
    ):
        head.get_by_role("button", name="Ours").click()
        assert head.get_attribute("aria-sort") == direction
        assert column(page, RESULTS, 1) == expected
    groups = box(page, RESULTS).locator("tbody tr:first-child").all_inner_texts()
    assert groups == ["CIFAR-10", "MNIST"]


def test_one_column_at_a_time_is_sorted_and_totals_stay_below(page):
    label = "Layers of ResNet-18"
    for title in ("Parameters", "MACs"):
        box(page, label).get_by_role("button", name=title).click()
    assert box(page, label).locator("[aria-sort]").all_inner_texts() == ["MACs"]
    layers, total = column(page, label, 4)
    counts = [int(text.replace(",", "")) for text in layers if text != "–"]
    assert counts == sorted(counts)
    assert set(layers[len(counts) :]) == {"–"}
    assert total == ["1,814,073,344"]


def test_the_reason_of_a_failed_cell_moves_with_it(open_page):
    page = unfold(open_page("failed"))
    box(page, RESULTS).get_by_role("button", name="Network").click(click_count=2)
    rows = box(page, RESULTS).locator("tbody").first.locator("tr").all_inner_texts()
    assert [re.match(r"\w+-\d+", row)[0] for row in rows] == [
        "CIFAR-10", "ResNet-152", "ResNet-101", "ResNet-50", "ResNet-34", "ResNet-18", "ResNet-18",
    ]  # fmt: skip
    assert "failed:" in rows[-1]


def test_claims_are_filtered_by_words_and_verdict(page):
    rows = page.locator(".claim")
    total = rows.count()
    words = page.get_by_role("searchbox", name="Filter: Claims")
    words.fill("layers RESPOND plain-20")
    shown = page.locator(".claim:visible")
    assert 0 < shown.count() < total
    assert all("plain-20" in text for text in shown.all_text_contents())
    assert page.locator("#ledger output").inner_text() == f"{shown.count()} of {total}"
    assert page.locator(".question:visible").count() == 1
    words.fill("")
    page.get_by_label("Choice: Claims").select_option("reproduced")
    verdicts = shown.evaluate_all("(found) => found.map((claim) => claim.dataset.verdict)")
    assert 0 < len(verdicts) < total
    assert set(verdicts) == {"reproduced"}
    words.fill("no claim says this")
    assert shown.count() == 0
    words.fill("")
    page.get_by_label("Choice: Claims").select_option("")


def test_a_link_to_what_is_filtered_away_brings_it_back(page):
    name = "claim-table1.flops.18"
    row = page.locator(f"[id='{name}']")
    page.get_by_role("searchbox", name="Filter: Claims").fill("no claim says this")
    assert not row.is_visible()
    page.evaluate(f"location.hash = '{name}'")
    row.wait_for(state="visible")
    assert page.get_by_role("searchbox", name="Filter: Claims").input_value() == ""


def test_cells_and_long_tables_are_filtered_and_empty_groups_vanish(page):
    cells = page.get_by_role("searchbox", name="Filter: Everything that ran")
    cells.fill("resnet-20 cifar-10")
    assert page.locator("details.cell:visible").count() == 2
    words = page.get_by_role("searchbox", name=f"Filter: {SPEED}")
    words.fill("no such cell")
    assert box(page, SPEED).locator("tbody tr:visible").count() == 0
    words.fill("ResNet-18")
    assert box(page, SPEED).locator("tbody tr:visible").count() == 4  # two titles, two cells
    cells.fill("")
    words.fill("")


def pasted(page):
    page.evaluate(
        "document.body.append(make('textarea', {id: 'pasted'})); "
        "document.getElementById('pasted').focus()"
    )
    page.keyboard.press("Control+V")
    text = page.locator("#pasted").input_value()
    page.evaluate("document.getElementById('pasted').remove()")
    return text


def copied(page, label, form):
    button = page.get_by_role("group", name=f"Copy: {label}").get_by_role("button", name=form)
    button.click()
    page.get_by_role("status").filter(has_text=f"Copied as {form}").wait_for()
    assert button.evaluate("(button) => button === document.activeElement")
    return pasted(page)


@pytest.mark.parametrize("script", ["", "delete Navigator.prototype.clipboard"])
def test_a_table_is_copied_as_csv(open_page, script):
    page = unfold(open_page(script=script))
    head, *rows = csv.reader(io.StringIO(copied(page, RESULTS, "CSV")))
    assert head[:4] == [
        "Group",
        "Network",
        "Test accuracy, %: Ours",
        "Test accuracy, %: Ours: note",
    ]
    assert [row[:2] for row in rows] == [
        [dataset, f"ResNet-{depth}"]
        for dataset, depths in {"CIFAR-10": (*DEPTHS, 20), "MNIST": DEPTHS}.items()
        for depth in depths
    ]
    assert {len(row) for row in rows} == {len(head)}
    assert [float(row[2]) for row in rows] == [
        float(text) for group in column(page, RESULTS, 1) for text in group
    ]
    assert "10240" in rows[0]


def test_a_table_is_copied_as_markdown_and_latex_as_it_is_shown(page):
    words = page.get_by_role("searchbox", name=f"Filter: {SPEED}")
    words.fill("resnet-1")
    box(page, SPEED).get_by_role("button", name="Network").click()
    lines = copied(page, SPEED, "Markdown").splitlines()
    assert lines[0].startswith("| Group | Network | Training, images/s | ")
    assert lines[1].startswith("| :--- | :--- | ---: | ")
    assert len(lines) == 2 + 6
    assert len({line.count(" | ") for line in lines}) == 1
    words.fill("")
    latex = copied(page, "Table 6 of the paper", "LaTeX")
    assert "\\begin{tabular}{lrrrrrrr}\n\\toprule\nMethod & Layers & " in latex
    assert "Printed parameters, 10$^{6}$ & " in latex
    assert "6.61 $\\pm$ 0.16" in latex
    assert "Error, \\%" in latex
    assert latex.endswith("\\bottomrule\n\\end{tabular}\n")


def test_what_a_format_means_by_a_sign_is_escaped(page):
    grid = """[[{value: 'a, "b"', note: ""}], [{value: "50 % | <i>_x_</i> #1 & ~", note: "n"}]]"""
    assert page.evaluate(f"toCsv({grid})") == (
        '"a, ""b""","a, ""b"": note"\n50 % | <i>_x_</i> #1 & ~,n\n'
    )
    assert page.evaluate(f"toMarkdown({grid}, [true])").splitlines()[2] == (
        r"| 50 % \| \<i>\_x\_\</i> #1 & ~ (n) |"
    )
    assert page.evaluate(f"toLatex({grid}, [true])").splitlines()[5] == (
        r"50 \% | $<$i$>$\_x\_$<$/i$>$ \#1 \& \textasciitilde{} (n) \\"
    )
    small = """[[{value: "p", note: ""}], [{value: "≤ 9·10⁻¹²", note: ""}]]"""
    assert page.evaluate(f"toLatex({small}, [true])").splitlines()[5] == (
        r"$\leq$ 9$\cdot$10$^{-12}$ \\"
    )


def test_the_header_stays_in_sight_while_its_table_is(page):
    table = box(page, RESULTS).locator("table")
    table.evaluate("(table) => scrollTo(0, table.getBoundingClientRect().top + scrollY + 300)")
    assert table.locator("thead").bounding_box()["y"] == pytest.approx(0, abs=1)


def test_only_boxes_that_scroll_are_stops_for_tab(open_page):
    page = unfold(open_page(viewport={"width": 360, "height": 900}))
    assert box(page, RESULTS).get_attribute("tabindex") == "0"
    page.set_viewport_size({"width": 1440, "height": 900})
    page.locator(f".scroll[aria-label='{RESULTS}'][tabindex='-1']").wait_for()
