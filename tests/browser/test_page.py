"""The page in a real browser: no wider than its window, accessible, whole without scripts."""

import re

import pytest
from PIL import Image

from tests.browser.conftest import PUBLISHED_NAMES
from tests.support.pages import EVERYTHING

pytestmark = pytest.mark.heavy


def test_only_those_who_like_motion_get_smooth_scrolling(page):
    behaviour = "getComputedStyle(document.documentElement).scrollBehavior"
    assert page.evaluate(behaviour) == "auto"
    page.emulate_media(reduced_motion="no-preference")
    assert page.evaluate(behaviour) == "smooth"
    page.emulate_media(reduced_motion="reduce")


def background(page):
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


WHITE, DARK = "rgb(255, 255, 255)", "rgb(18, 22, 27)"
# One of them each time: "everything" has what they have.
PUBLISHED = [
    pytest.param(name, marks=[] if name.startswith("project2022") else pytest.mark.slow)
    for name in PUBLISHED_NAMES
]
PRINTED = 695  # pixels: A4 within the page's margins


@pytest.mark.parametrize("name", ["empty", "everything", "long texts", *PUBLISHED])
def test_no_width_makes_the_page_scroll_sideways(open_page, name):
    page = open_page(name)
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    for width in (360, 768, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function(f"innerWidth === {width}")
        assert page.evaluate("document.documentElement.scrollWidth") == width
    if name != "long texts":
        page.emulate_media(media="print")
        page.set_viewport_size({"width": PRINTED, "height": 900})
        page.wait_for_function(f"innerWidth === {PRINTED}")
        assert page.evaluate("document.documentElement.scrollWidth") == PRINTED


def test_axe_finds_no_serious_violation(open_page, axe):
    """In light, and what depends on colours in dark; of rows and details alike the first ones."""
    page = open_page(color_scheme="light")
    alike = ("tr:nth-child(n+5)", *(f"{each} ~ {each}" for each in (".layers", ".cell", ".claim")))
    more = ", ".join(alike)
    page.evaluate(f"for (const each of document.querySelectorAll('{more}')) each.remove()")
    page.evaluate(axe)
    for scheme, rules, passed in (("light", [], 20), ("dark", ["color-contrast"], 0)):
        page.emulate_media(color_scheme=scheme)
        assert background(page) == {"light": WHITE, "dark": DARK}[scheme]
        only = f"runOnly: {rules}," if rules else ""
        found = page.evaluate(f"axe.run(document, {{{only} resultTypes: ['violations']}})")
        assert len(found["passes"]) > passed
        bad = [each for each in found["violations"] if each["impact"] in ("serious", "critical")]
        assert [(each["id"], each["nodes"][0]["html"]) for each in bad] == []


def test_the_theme_is_switched_and_remembered(open_page):
    page = open_page(color_scheme="dark")
    button = page.get_by_role("button", name="Theme:")
    line = '.chart [style*="stroke: var(--depth-18"]'
    colour = f"getComputedStyle(document.querySelector('{line}')).stroke"
    dark = page.evaluate(colour)
    assert background(page) == DARK
    button.click()
    assert button.inner_text() == "Theme: light"
    assert background(page) == WHITE
    assert page.evaluate(colour) != dark
    page.reload()
    assert button.inner_text() == "Theme: light"
    assert background(page) == WHITE
    button.click()
    assert button.inner_text() == "Theme: dark"
    assert background(page) == DARK
    button.click()
    assert button.inner_text() == "Theme: system"


def test_the_theme_is_switched_where_storage_is_forbidden(open_page):
    forbid = "Object.defineProperty(window, 'localStorage', {get() {throw new Error('forbidden')}})"
    page = open_page("empty", script=forbid)
    page.get_by_role("button", name="Theme:").click(click_count=2)
    assert background(page) == DARK


def test_without_scripts_the_page_is_whole_and_has_no_dead_button(open_page):
    page = open_page(java_script_enabled=False)
    assert page.locator("button:not([popovertarget]), input, select").count() == 0
    assert page.locator(".short tbody tr").first.is_visible()
    assert page.locator(".claim").count() > 100
    page.locator("[popovertarget='term-macs']").first.click()
    assert page.locator("#term-macs").is_visible()
    assert page.locator("figure.chart svg").first.is_visible()


def test_print_is_light_without_controls_and_nothing_is_clipped_or_torn(open_page):
    page = open_page(color_scheme="dark", viewport={"width": PRINTED, "height": 900})
    page.emulate_media(media="print")
    assert background(page) == WHITE
    assert page.locator("button:not(.sort):visible, input:visible, .anchor:visible").count() == 0
    for selector, style, expected in (
        (".scroll", "overflow", "visible"),
        ("h2, h3, summary, .group", "breakAfter", "avoid"),
        ("tr, figure, main p, thead", "breakInside", "avoid"),
        (".sort", "display", "contents"),  # else a header is repeated without its words
    ):
        styles = f"""[...document.querySelectorAll('{selector}')]
          .map((element) => getComputedStyle(element).{style})"""
        assert set(page.evaluate(styles)) == {expected}


def test_the_keyboard_reaches_the_skip_link_then_the_chapters_then_the_theme(open_page):
    page = open_page("empty")
    page.keyboard.press("Tab")
    skip = page.locator(".skip")
    assert skip.evaluate("(link) => link === document.activeElement")
    assert skip.bounding_box()["x"] >= 0
    page.keyboard.press("Tab")
    links = page.locator("#chapters a")
    for _ in range(links.count()):
        page.keyboard.press("Tab")
    assert links.last.evaluate("(link) => link === document.activeElement")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.get_by_role("button", name="Theme:").inner_text() == "Theme: light"
    width = "getComputedStyle(document.activeElement).outlineWidth"
    assert page.evaluate(width) == "2px"


def test_chapters_claims_and_cells_have_a_link_of_their_own(page):
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((element) => element.id)")
    assert len(ids) == len(set(ids))
    targets = page.evaluate(
        "[...document.querySelectorAll('.anchor')].map((link) => link.hash.slice(1))"
    )
    cells = [f"cell-{record.cell.id}" for record in EVERYTHING]
    claims = [name for name in ids if name.startswith("claim-")]
    assert len(claims) > 100
    assert {"accuracy", "claims", "ledger", *cells, *claims} <= set(targets) <= set(ids)
    anchor = page.locator("#ledger > h3 > .anchor")
    assert anchor.evaluate("(link) => getComputedStyle(link).opacity") == "0"
    anchor.focus()
    assert anchor.evaluate("(link) => getComputedStyle(link).opacity") == "1"
    anchor.click()
    assert page.url.endswith("#ledger")


def test_a_link_to_a_cell_opens_it(open_page):
    name = f"cell-{EVERYTHING[3].cell.id}"
    page = open_page(fragment=f"#{name}")
    assert page.locator(f"[id='{name}']").evaluate("(cell) => cell.open")
    assert page.locator("details.cell[open]").count() == 1
    other = EVERYTHING[0].cell.id
    page.locator(f".short a.trace[href='#cell-{other}']").first.click()
    page.locator(f"[id='cell-{other}'][open]").wait_for()


@pytest.mark.parametrize("name", ["empty", "everything", *PUBLISHED])
def test_a_page_is_short_and_its_first_screen_holds_the_picture(open_page, name):
    page = open_page(name, viewport={"width": 1280, "height": 900})
    if name != "everything":  # which no folder holds
        assert page.evaluate("document.documentElement.scrollHeight") <= 12_000
    assert page.locator("details details").count() == 0  # a chapter and a fold: two clicks
    picture = page.locator(".picture svg, .lesson svg").first  # the lecture's is its lesson
    for width, height in ((1280, 900), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_function(f"innerWidth === {width}")
        box = picture.bounding_box()
        assert box["y"] + box["height"] <= height
        assert page.locator("h1").bounding_box()["y"] >= 0


def test_the_navigation_tells_where_one_is_and_is_a_menu_on_a_phone(open_page):
    page = open_page()
    here = page.locator("#chapters [aria-current]")
    assert here.get_attribute("href") == "#answer"
    page.locator("#chapters [href='#claims']").click()
    page.locator("#chapters [href='#claims'][aria-current]").wait_for()
    assert here.count() == 1
    assert page.locator("#chapters").bounding_box()["y"] >= 0  # it stays in sight
    page.set_viewport_size({"width": 390, "height": 844})
    page.locator("#chapters").wait_for(state="hidden")
    page.locator(".menu").click()
    page.locator("#chapters [href='#cost']").click()
    page.locator("#chapters").wait_for(state="hidden")
    page.locator(".menu", has_text="Cost and speed").wait_for()


def test_a_printed_page_has_at_most_eight_sheets_with_what_printing_needs(open_page):
    page = open_page("quick-cpu-2-cores-2026-12-01")
    pdf = page.pdf(format="A4", prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 8
    page.emulate_media(media="print")
    assert page.locator(".grid tbody tr").first.is_visible()
    assert page.locator("#term-macs").is_visible()
    assert not page.locator(".list").is_visible()


def test_the_page_is_cited_by_one_button(open_page):
    page = open_page()
    page.get_by_role("button", name="Copy as citation").click()
    page.get_by_role("status").filter(has_text="Copied as BibTeX").wait_for()
    page.evaluate("document.body.append(make('textarea', {id: 'pasted'}))")
    page.locator("#pasted").focus()
    page.keyboard.press("Control+V")
    assert page.locator("#pasted").input_value().startswith("@misc{resnet-bench-")


def test_a_figure_is_saved_as_svg_and_png_with_its_colours(open_page, tmp_path):
    page = open_page(color_scheme="dark")
    figure = page.locator("#speed figure.chart").first
    for kind in ("SVG", "PNG"):
        with page.expect_download() as started:
            figure.get_by_role("button", name=kind).click()
        assert started.value.suggested_filename == f"speed-1.{kind.lower()}"
        started.value.save_as(tmp_path / kind)
    svg = (tmp_path / "SVG").read_text("utf-8")
    assert svg.startswith("<svg ")
    assert 'xmlns="http://www.w3.org/2000/svg" width="338.4" height="216"' in svg
    assert "var(" not in svg
    assert "currentColor" not in svg
    assert "rgb(53, 178, 127)" in svg  # --depth-18 on a dark page
    with Image.open(tmp_path / "PNG") as image:
        assert image.size == (1353, 864)
        colours = {colour for _, colour in image.convert("RGB").getcolors(2**20)}
    assert {(18, 22, 27), (53, 178, 127)} <= colours
