"""Figures: what a reader sees, what a page needs, and that matplotlib is left as it was."""

import csv
import re
from importlib.resources import files
from io import StringIO
from urllib.parse import unquote
from xml.etree import ElementTree

import matplotlib as mpl
import pytest

from bench.analysis.baselines import project_curves
from bench.analysis.labels import model_title
from bench.analysis.tables import curves, summarize
from bench.config.profiles import DEPTHS, PROFILES
from bench.report.figures.chart import spread
from bench.report.figures.costs import cost_charts, speed_charts
from bench.report.figures.curves import curve_charts
from tests.support.factories import make_failed, make_grid, make_profile, make_record
from tests.support.pages import without_figures

pytestmark = pytest.mark.heavy


def curves_of(records):
    return curve_charts(curves(records), project_curves())


def all_charts(records):
    summary = summarize(records)
    return [*curves_of(records), *speed_charts(summary), *cost_charts(summary)]


def texts_of(chart):
    return re.findall(r"<text [^>]*>([^<]*)</text>", chart.svg)


def rows_of(chart):
    return list(csv.DictReader(StringIO(chart.csv)))


@pytest.fixture(scope="module")
def charts():
    """Of one data set: what costs time is the drawing."""
    return all_charts(make_grid()[:5])


def test_four_curves_speed_and_cost_for_each_data_set(charts):
    metrics = ("test-accuracy", "train-accuracy", "test-loss", "train-loss")
    expected = [f"{metric}-{panel}" for panel in (1, 2) for metric in metrics]
    for pair in (("speed", "latency"), ("cost", "parameters")):
        expected += [f"{name}-{panel}" for panel in (1, 2) for name in pair]
    with without_figures():
        assert [chart.key for chart in all_charts(make_grid())] == expected
    assert [chart.key for chart in charts] == [key for key in expected if key.endswith("1")]


def test_svg_is_well_formed_and_named(charts):
    for chart in charts:
        root = ElementTree.fromstring(chart.svg)
        assert root.tag == "svg"
        assert root.get("role") == "img"
        assert root.get("aria-labelledby") == f"{chart.key}-title {chart.key}-description"
        assert "ResNet-152" in chart.description


def test_every_depth_has_its_colour_and_its_label(charts):
    for chart in charts:
        for depth in DEPTHS:
            assert f"var(--depth-{depth}, currentColor)" in chart.svg
            assert str(depth) in texts_of(chart)


def test_charts_of_table_6_have_one_family_each():
    with without_figures():
        table6 = all_charts(make_profile("table6"))
    assert len(table6) == 2 * (4 + 2 + 2)
    assert [chart.key for chart in table6[:4]] == [
        "test-accuracy-1", "train-accuracy-1", "test-loss-1", "train-loss-1",
    ]  # fmt: skip
    for chart in table6:
        network = "plain" if "plain nets" in chart.panel else "resnet"
        named = set(re.findall(r"(?:ResNet|plain)-\d+", chart.description))
        depths = [20, 32, 44, 56] if network == "plain" else [20, 32, 44, 56, 110]
        assert named == {model_title(network, depth) for depth in depths}


@pytest.mark.parametrize("profile", PROFILES)
def test_every_depth_of_a_profile_has_a_colour_on_the_page(profile):
    css = files("bench.report").joinpath("templates", "figures.css").read_text()
    for plan in PROFILES[profile]().plans:
        assert re.search(rf"--depth-{plan.cell.depth}: ", css), plan.cell.depth


@pytest.mark.parametrize("family", ["Table 1", "Table 6"])
def test_depths_differ_without_colour(charts, family):
    chart = charts[0]
    if family == "Table 6":
        chart = curves_of([r for r in make_profile("table6") if "resnet" in r.cell.model])[0]
        for depth in (20, 32, 44, 56, 110):
            assert f"var(--depth-{depth}, currentColor)" in chart.svg
    dashes = set(re.findall(r"stroke-dasharray: ([^;]*);", chart.svg))
    assert len(dashes) == 5 - 1  # the first line is solid


def test_axes_name_their_units(charts):
    texts = [texts_of(chart) for chart in charts]
    assert {"Training images seen", "Test accuracy (%)"} <= set(texts[0])
    assert "Test loss (nats per image)" in texts[2]
    assert "Images per second (log scale)" in texts[4]
    assert "Milliseconds (log scale)" in texts[5]
    assert "Multiply-adds per image (MACs)" in texts[6]
    assert "Parameters" in texts[7]


def test_no_fixed_colour_would_vanish_in_the_dark(charts):
    for chart in charts:
        assert re.findall(r"#[0-9a-fA-F]{6}\b", chart.svg) == []
        assert "<style" not in chart.svg


def test_every_chart_offers_what_it_draws(charts):
    for chart in charts:
        prefix, _, content = chart.data_uri.partition(",")
        assert prefix == "data:text/csv;charset=utf-8"
        assert unquote(content) == chart.csv
        assert not re.search(r"[\s\"<>&]", chart.data_uri)
        assert {int(row["depth"]) for row in rows_of(chart)} == set(DEPTHS)


def test_data_of_a_curve_are_its_means_over_seeds():
    with without_figures():
        chart = curves_of(make_grid(seeds=3))[0]
    rows = [row for row in rows_of(chart) if row["depth"] == "18"]
    assert [row["images"] for row in rows] == ["2560", "5120", "7680", "10240"]
    assert float(rows[-1]["mean"]) == pytest.approx(44.58)
    assert float(rows[-1]["min"]) == pytest.approx(44.28)
    assert float(rows[-1]["max"]) == pytest.approx(44.88)
    assert {row["source"] for row in rows} == {"ours"}


def test_a_label_stands_left_of_a_point_with_a_close_neighbour(charts):
    (chart,) = [chart for chart in charts if chart.key == "parameters-1"]
    places = {
        match[3]: match[1]
        for match in re.finditer(r'<text [^>]*style="([^"]*)"([^>]*)>(\d+)</text>', chart.svg)
    }
    assert "text-anchor: end" in places["34"]
    assert "text-anchor: end" not in places["50"]


def test_costs_stand_beside_what_of_them_is_live():
    with without_figures():
        charts = cost_charts(summarize([make_record(18), make_record(20, network="cifar_resnet")]))
    titles = {chart.key: chart.title.endswith(", hollow = live ones alone") for chart in charts}
    assert titles["parameters-1"] != titles["parameters-2"]  # those of Table 6 are all live
    (row,) = [
        row for chart in charts for row in rows_of(chart) if row.get("parameters") == "11181642"
    ]
    assert row["live_parameters"] == "4234826"


def test_ids_are_unique_in_a_page_and_references_resolve(charts):
    page = "".join(chart.svg for chart in charts)
    ids = re.findall(r' id="([^"]*)"', page)
    assert len(ids) == len(set(ids))
    references = re.findall(r"url\(#([^)]*)\)", page) + re.findall(r'href="#([^"]*)"', page)
    assert references
    assert set(references) <= set(ids)


def test_several_seeds_get_a_band():
    single, several = (
        curves_of([make_record(depth, seed=seed) for depth in (18, 50) for seed in range(seeds)])
        for seeds in (1, 3)
    )
    assert "fill-opacity" not in single[0].svg
    assert several[0].svg.count("fill-opacity") >= 2


@pytest.mark.parametrize(("loss", "is_log"), [(50.0, False), (5e6, True)])
def test_a_loss_that_would_flatten_the_others_makes_its_axis_logarithmic(loss, is_log):
    record = make_record(50)
    first = record.epochs[0].model_copy(update={"test_loss": loss})
    records = [record.model_copy(update={"epochs": (first, *record.epochs[1:])}), make_record(18)]
    charts = {chart.key: chart.svg for chart in curves_of(records)}
    assert ("log scale" in charts["test-loss-1"]) == is_log
    assert "log scale" not in charts["train-loss-1"]
    # The ends of the lines are close: their labels still stand apart, in reading size.
    svg = charts["test-loss-1"]
    heights = re.findall(r'font-weight: 700[^>]* y="([\d.]+)"[^>]*>(?:18|50)<', svg)
    assert abs(float(heights[0]) - float(heights[1])) > 8


def test_one_epoch_failures_and_nothing():
    assert all_charts([]) == []
    assert all_charts([make_failed()]) == []
    assert len(all_charts([make_record(recipe={"epochs": 1}), make_failed(34)])) == 8


def test_matplotlib_settings_are_put_back():
    before = dict(mpl.rcParams)
    cost_charts(summarize([make_record()]))
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
    assert spread(heights, 1.0) == pytest.approx(expected, abs=1e-3)
