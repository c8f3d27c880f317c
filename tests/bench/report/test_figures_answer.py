"""The figures of the first screen, and what the points of any figure say."""

import csv
import json
import re
from io import StringIO
from xml.etree import ElementTree

import pytest

from bench.analysis.baselines import grid, table6
from bench.analysis.tables import curves, summarize
from bench.reference.loader import load_paper, load_project2022
from bench.report.figures.answer import answer_charts
from bench.report.figures.curves import curve_charts
from bench.report.figures.readings import Reading
from tests.support.factories import make_grid, make_profile, make_record, make_with_error
from tests.support.pages import without_figures

pytestmark = pytest.mark.heavy

SLOT = r"stroke-dasharray: [^;]*; stroke-dashoffset: 0; stroke: var\(--ours\)"


def charts_of(records):
    rows = grid(summarize(records))
    return answer_charts(rows, table6(rows))


def rows_of(chart, source):
    rows = csv.DictReader(StringIO(chart.csv))
    return [row for row in rows if row["source"] == source]


def points_of(chart):
    """The title and the data of each point."""
    root = ElementTree.fromstring(chart.svg)
    points = [each for each in root.iter() if each.get("class") == "point"]
    return {each[0].text: each.attrib for each in points}


@pytest.fixture(scope="module")
def ten():
    return charts_of(make_grid())


def test_three_figures_that_fit_side_by_side(ten):
    assert [chart.key for chart in ten] == ["answer-cifar10", "answer-mnist", "answer-table6"]
    boxes = [re.search(r'viewBox="([^"]*)"', chart.svg)[1] for chart in ten]
    assert len(set(boxes)) == 1  # so that their axes line up
    width = float(boxes[0].split()[2])
    sizes = {
        float(size) for chart in ten for size in re.findall(r"font-size: ([\d.]+)px", chart.svg)
    }
    assert min(sizes) * 309 / width > 11.5  # pixels, where each is a third of 61 rem


def test_every_point_says_its_value_interval_images_and_seeds(ten):
    points = points_of(ten[0])
    assert len(points) == 10
    row = grid(summarize(make_grid()))[0]
    title = (
        f"ResNet-18, ours: {row.test_accuracy:.2f} % ({row.test_low:.2f} to {row.test_high:.2f}), "
        "10,240 training images, 1 seed"
    )
    data = points[title]
    assert float(data["data-value"]) == pytest.approx(row.test_accuracy, rel=1e-5)
    assert float(data["data-low"]) == pytest.approx(row.test_low, rel=1e-5)
    assert float(data["data-high"]) == pytest.approx(row.test_high, rel=1e-5)
    assert (data["data-images"], data["data-seeds"], data["data-depth"]) == ("10240", "1", "18")
    cell = next(c for c in load_project2022().cells() if (c.dataset, c.depth) == ("mnist", 50))
    (slip,) = [title for title in points_of(ten[1]) if title.startswith("ResNet-50, 2022 project")]
    assert f"{cell.test_accuracy:.2f} %" in slip
    assert slip.endswith("1 seed, trains ResNet-34")


def test_ours_are_the_means_of_their_seeds_of_one_panel():
    chart = charts_of(make_grid(seeds=2))[0]
    assert [row["seeds"] for row in rows_of(chart, "ours")] == ["2"] * 5
    full = charts_of(make_profile("full"))
    assert [row["depth"] for row in rows_of(full[0], "ours")] == ["18", "34", "50", "101", "152"]
    assert "imagenet stem" in full[0].panel


def test_without_results_the_references_stand_alone():
    for records in ([], make_profile("lecture")):
        cifar10, mnist, _ = charts_of(records)
        for chart in (cifar10, mnist):
            assert rows_of(chart, "ours") == []
            assert len(rows_of(chart, "2022 project")) == 5
            assert "ours, 95 % interval" not in chart.svg
        assert cifar10.finding.endswith("; ours is to come")


def test_a_dashed_circle_stands_where_a_network_of_table_6_was_not_trained(ten):
    printed = load_paper().tables.table6.resnets
    chart = ten[2]
    assert [int(row["depth"]) for row in rows_of(chart, "paper")] == sorted(printed)
    assert "ours, not run yet" in chart.svg
    assert len(points_of(chart)) == len(printed)
    assert len(re.findall(SLOT, chart.svg)) == len(printed) + 1  # and one in the legend
    trained = charts_of([make_with_error(8.5)])[2]
    title = next(title for title in points_of(trained) if title.startswith("ResNet-20, ours"))
    assert title.startswith("ResNet-20, ours: 8.50 % (")
    assert title.endswith("64,000 of 64,000 iterations")
    assert len(re.findall(SLOT, trained.svg)) == len(printed)
    assert trained.finding.endswith("ours lies within the noise of it for ResNet-20")


def test_other_shortcuts_and_plain_nets_are_not_set_beside_the_papers():
    records = [make_record(20, network="cifar_plain"),
               make_record(20, network="cifar_resnet", shortcut="B")]  # fmt: skip
    with without_figures():
        assert rows_of(charts_of(records)[2], "ours") == []


def test_a_reading_leaves_out_what_it_does_not_have():
    assert Reading(who="A", value=1.0, unit=" s").sentence == "A: 1.00 s"
    several = Reading(who="A", value=1.0, seeds=3, images=2000, note="B")
    assert several.sentence == "A: 1.00 %, 2,000 training images, 3 seeds, B"


def test_lines_are_read_where_they_are_drawn():
    records = [make_record(depth) for depth in (18, 50)]
    rows = curves(records)
    chart = curve_charts(rows, rows.iloc[:0])[0]
    root = ElementTree.fromstring(chart.svg)
    lines = json.loads(root.attrib["data-lines"])
    assert lines["unit"] == "{} training images"
    assert lines["x"] == [2560, 5120, 7680, 10240]
    assert [line[:2] for line in lines["lines"]] == [["ResNet-18", 18], ["ResNet-50", 50]]
    expected = [float(f"{value:.4g}") for value in rows[rows["depth"] == 50]["test_accuracy"]]
    assert lines["lines"][1][2] == expected
    # Markers stand at the places of the crosshair.
    marks = sorted(
        {
            round(float(x), 1)
            for x in re.findall(r'<use [^>]*x="([\d.]+)"[^>]*--depth-50', chart.svg)
        }
    )
    assert marks == pytest.approx(lines["px"], abs=0.11)
    *_, width, height = map(float, root.get("viewBox").split())
    assert 0 < lines["top"] < lines["bottom"] < height
    assert all(0 < px < width for px in lines["px"])


def test_curves_are_headed_by_what_their_ends_show():
    """Of the places that all depths share; nothing where they share none."""
    falling = [make_record(18), make_record(152)]
    headed = curve_charts(curves(falling), curves([]))
    assert [chart.finding for chart in headed[1:]] == [""] * 3
    assert headed[0].finding == "Accuracy falls with depth, after 2,560 images as after 10,240"
    apart = [make_record(18), make_record(152, recipe={"images_per_epoch": 128})]
    assert curve_charts(curves(apart), curves([]))[0].finding == ""
