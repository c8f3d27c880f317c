"""Figures in a real browser: values on hover, touch and focus; depths off and in front."""

from xml.etree import ElementTree

import pytest

pytestmark = pytest.mark.heavy


def svg_of(page, key):
    return page.locator(f"figure:has(#{key}-title) svg")


def into_view(page, locator):
    """Scrolled to it, and the scroll event over, which hides the tip."""
    locator.evaluate("(element) => element.scrollIntoView({block: 'center'})")
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")


def tip_of(page):
    return page.locator(".tip:visible")


def centre(page, point):
    box = point.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_point_near_the_pointer_says_its_value(page):
    svg = svg_of(page, "speed-1")
    into_view(page, svg)
    point = svg.locator(".point[data-depth='18']").first
    sentence = point.get_attribute("data-tip")
    x, y = centre(page, point)
    page.mouse.move(x + 12, y + 12)
    assert tip_of(page).inner_text().replace("\n", ": ") == sentence
    assert sentence.startswith("ResNet-18, training: ")
    assert "images/s (" in sentence
    assert point.evaluate("(each) => each.classList.contains('on')")
    page.mouse.move(x, y - 300)
    assert tip_of(page).count() == 0
    assert page.locator(".point.on").count() == 0


def test_the_browsers_own_tips_do_not_come_on_top(page):
    assert page.locator(".chart svg g > title").count() == 0
    assert page.locator(".chart .point[data-tip]").count() > 100


def test_without_scripts_points_have_the_browsers_own_tips(open_page):
    page = open_page(java_script_enabled=False)
    titles = page.locator(".chart .point > title")
    assert titles.count() == page.locator(".chart .point").count() > 100
    assert page.locator(".depths, .tip").count() == 0


def test_a_thumb_shows_a_value_until_it_touches_elsewhere(open_page):
    page = open_page(has_touch=True, viewport={"width": 390, "height": 844})
    svg = svg_of(page, "speed-1")
    into_view(page, svg)
    x, y = centre(page, svg.locator(".point").first)
    page.touchscreen.tap(x + 15, y)
    assert "ResNet-18, training" in tip_of(page).inner_text()
    box = tip_of(page).bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    page.touchscreen.tap(195, 5)
    assert tip_of(page).count() == 0


def test_a_crosshair_reads_all_curves_at_one_place(page):
    svg = svg_of(page, "test-accuracy-1")
    into_view(page, svg)
    svg.hover()
    head, *rest = tip_of(page).inner_text().split("\n")
    assert head.endswith(" training images")
    values = [float(each) for each in rest[1::2]]
    assert len(values) == len(rest[::2]) == 5
    assert values == sorted(values, reverse=True)
    assert svg.locator(".crosshair").count() == 1
    line = svg.locator(".crosshair").bounding_box()
    assert line["height"] > 100
    page.mouse.move(1, 1)
    assert page.locator(".crosshair").count() == 0


def test_keys_alone_read_a_figure(page):
    """One tab stop; arrows go on and back, Escape and leaving hide; what shows is read out."""
    svg = svg_of(page, "speed-1")
    reader = page.locator("p.hidden[role=status]")
    assert page.locator(".chart svg [tabindex]").count() == 0
    page.locator("#speed .depths button").last.focus()
    page.keyboard.press("Tab")
    assert svg.evaluate("(each) => each === document.activeElement")
    into_view(page, svg)
    sentences = svg.locator(".point").evaluate_all("(all) => all.map((each) => each.dataset.tip)")
    for key, place in (("ArrowRight", 0), ("ArrowDown", 1), ("ArrowLeft", 0), ("ArrowUp", -1)):
        page.keyboard.press(key)
        assert tip_of(page).inner_text().replace("\n", ": ") == sentences[place]
        assert reader.text_content() == sentences[place]
    page.keyboard.press("Escape")
    assert tip_of(page).count() == 0
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    assert tip_of(page).count() == 0
    curve = svg_of(page, "test-accuracy-1")
    curve.focus()
    into_view(page, curve)
    page.keyboard.press("ArrowRight")
    first = reader.text_content()
    page.keyboard.press("ArrowRight")
    assert reader.text_content() != first
    assert "training images: ResNet-" in first
    assert (
        page.locator("#test-accuracy-1-description")
        .text_content()
        .endswith(" Arrow keys read its values.")
    )
    curve.blur()


def shown_depths(svg):
    """Of the labels at the ends of lines."""
    return svg.evaluate(
        """(svg) => [...svg.querySelectorAll('text[style*="--depth-"]')]
          .filter((each) => each.getClientRects().length).map((each) => each.textContent)"""
    )


def test_a_depth_goes_off_and_on_in_every_figure(open_page):
    page = open_page()
    curve, speed = svg_of(page, "test-accuracy-1"), svg_of(page, "speed-1")
    assert sorted(shown_depths(curve)) == ["101", "152", "18", "34", "50"]
    points = speed.locator(".point:visible").count()
    button = page.locator("#curves .depths button[value='34']")
    other = page.locator("#speed .depths button[value='34']")
    assert button.get_attribute("aria-pressed") == "true"
    button.focus()
    page.keyboard.press("Enter")
    assert button.get_attribute("aria-pressed") == other.get_attribute("aria-pressed") == "false"
    assert sorted(shown_depths(curve)) == ["101", "152", "18", "50"]
    assert speed.locator(".point[data-depth='34']:visible").count() == 0
    assert speed.locator(".point:visible").count() == points - 2
    into_view(page, curve)
    curve.hover()
    assert "ResNet-34" not in tip_of(page).inner_text()
    other.click()
    assert button.get_attribute("aria-pressed") == "true"
    assert speed.locator(".point:visible").count() == points


def test_what_is_off_is_not_saved(open_page, tmp_path):
    page = open_page()
    page.locator("#curves .depths button[value='34']").click()
    figure = page.locator("figure:has(#test-accuracy-1-title)")
    with page.expect_download() as started:
        figure.get_by_role("button", name="SVG").click()
    started.value.save_as(tmp_path / "figure.svg")
    svg = ElementTree.parse(tmp_path / "figure.svg")
    texts = {text for each in svg.iter() if (text := (each.text or "").strip())}
    assert {"18", "50"} <= texts
    assert "34" not in texts
    assert "data-lines" not in svg.getroot().attrib


def opacity(svg, depth):
    line = svg.locator(f"[style*='stroke: var(--depth-{depth},']").first
    return float(line.evaluate("(each) => getComputedStyle(each).opacity"))


def test_a_depth_comes_to_the_front_in_every_figure(page):
    curves = [svg_of(page, key) for key in ("test-accuracy-1", "train-loss-1")]
    button = page.locator("#curves .depths button[value='50']")
    into_view(page, button)
    for bring, release in (
        (button.hover, lambda: page.mouse.move(1, 1)),
        (button.focus, button.blur),
    ):
        bring()
        assert [opacity(curve, 50) for curve in curves] == [1, 1]
        assert all(opacity(curve, 18) < 0.2 for curve in curves)
        release()
        assert [opacity(curve, 18) for curve in curves] == [1, 1]


def test_a_figure_that_failed_breaks_no_script(open_page):
    page = open_page("a failed figure")
    assert page.locator("figure.chart .failed").count() == 2
    assert page.locator(".save").count() == page.locator("figure.chart svg").count() > 5
    svg = svg_of(page, "speed-1")
    svg.focus()
    page.keyboard.press("ArrowRight")
    assert "ResNet-18" in page.locator("p.hidden[role=status]").text_content()
