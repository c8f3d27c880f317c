"""Figures: what a reader sees, what a page needs, and that matplotlib is left as it was."""

import re
from importlib.resources import files
from xml.etree import ElementTree

import matplotlib as mpl
import pytest

from bench.config import DEPTHS, PROFILES
from bench.figures import _spread, cost_charts, curve_charts, speed_charts
from bench.tables import curves, summarize
from bench.words import model_title
from tests.bench.factories import make_failed, make_grid, make_profile, make_record


def all_charts(records):
    summary = summarize(records)
    return [*curve_charts(curves(records)), *speed_charts(summary), *cost_charts(summary)]


@pytest.fixture(scope="module")
def charts():
    return all_charts(make_grid())


def test_four_curves_speed_and_cost_for_each_data_set(charts):
    metrics = ("test-accuracy", "train-accuracy", "test-loss", "train-loss")
    expected = [f"{metric}-{panel}" for panel in (1, 2) for metric in metrics]
    expected += ["speed-1", "speed-2", "cost-1", "cost-2"]
    assert [chart.key for chart in charts] == expected


def test_svg_is_well_formed_and_named(charts):
    for chart in charts:
        root = ElementTree.fromstring(chart.svg)
        assert root.tag == "svg"
        assert root.get("role") == "img"
        assert root.get("aria-labelledby") == f"{chart.key}-title {chart.key}-description"
        assert "ResNet-152" in chart.description


def test_every_depth_has_its_colour_and_its_label(charts):
    for chart in charts:
        texts = re.findall(r"<text [^>]*>([^<]*)</text>", chart.svg)
        for depth in DEPTHS:
            assert f"var(--depth-{depth}, currentColor)" in chart.svg
            assert str(depth) in texts


@pytest.fixture(scope="module")
def table6():
    return all_charts(make_profile("table6"))


def test_charts_of_table_6_have_one_family_each(table6):
    for chart in table6:
        network = "plain" if "plain nets" in chart.panel else "resnet"
        named = set(re.findall(r"(?:ResNet|plain)-\d+", chart.description))
        depths = [20, 32, 44, 56] if network == "plain" else [20, 32, 44, 56, 110]
        assert named == {model_title(network, depth) for depth in depths}
        for depth in depths:
            assert f"var(--depth-{depth}, currentColor)" in chart.svg
    assert [chart.key for chart in table6[:4]] == [
        "test-accuracy-1", "train-accuracy-1", "test-loss-1", "train-loss-1",
    ]  # fmt: skip
    assert len(table6) == 2 * (4 + 1 + 1)


@pytest.mark.parametrize("profile", PROFILES)
def test_every_depth_of_a_profile_has_a_colour_on_the_page(profile):
    css = files("bench").joinpath("templates", "report.css").read_text()
    for plan in PROFILES[profile]().plans:
        assert re.search(rf"--depth-{plan.cell.depth}: ", css), plan.cell.depth


def test_depths_differ_without_colour_in_table_6(table6):
    dashes = set(re.findall(r"stroke-dasharray: ([^;]*);", table6[0].svg))
    assert len(dashes) == 4


def test_depths_differ_without_colour(charts):
    dashes = set(re.findall(r"stroke-dasharray: ([^;]*);", charts[0].svg))
    assert len(dashes) == len(DEPTHS) - 1  # the first line is solid


def test_axes_name_their_units(charts):
    texts = [re.findall(r"<text [^>]*>([^<]*)</text>", chart.svg) for chart in charts]
    assert {"Training images seen", "Test accuracy (%)"} <= set(texts[0])
    assert "Test loss (nats per image)" in texts[2]
    assert "Images per second (log scale)" in texts[8]
    assert "Multiply-adds per image (MACs)" in texts[10]


def test_no_fixed_colour_would_vanish_in_the_dark(charts):
    for chart in charts:
        assert re.findall(r"#[0-9a-fA-F]{6}\b", chart.svg) == []
        assert "<style" not in chart.svg


def test_ids_are_unique_in_a_page_and_references_resolve(charts):
    page = "".join(chart.svg for chart in charts)
    ids = re.findall(r' id="([^"]*)"', page)
    assert len(ids) == len(set(ids))
    references = re.findall(r"url\(#([^)]*)\)", page) + re.findall(r'href="#([^"]*)"', page)
    assert references
    assert set(references) <= set(ids)


def test_several_seeds_get_a_band():
    single, several = (all_charts(make_grid(seeds))[0].svg for seeds in (1, 3))
    assert "fill-opacity" not in single
    assert several.count("fill-opacity") >= len(DEPTHS)


def test_one_epoch_failures_and_nothing():
    assert all_charts([]) == []
    assert all_charts([make_failed()]) == []
    assert len(all_charts([make_record(recipe={"epochs": 1}), make_failed(34)])) == 6


def test_matplotlib_settings_are_put_back():
    before = dict(mpl.rcParams)
    all_charts([make_record()])
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize(
    ("heights", "expected"),
    [
        ([0.0, 5.0, 9.0], [0.0, 5.0, 9.0]),
        ([5.0, 5.0], [4.5, 5.5]),
        ([5.2, 5.0, 9.0], [5.6, 4.6, 9.0]),
        ([1.0, 1.1, 2.0], [0.3667, 1.3667, 2.3667]),
    ],
)
def test_labels_keep_their_order_and_distance(heights, expected):
    assert _spread(heights, 1.0) == pytest.approx(expected, abs=1e-3)
