"""Layer responses and gradients on the page, from the records that have them."""

import csv
import re
from io import StringIO
from statistics import fmean
from xml.etree import ElementTree

import pytest

from bench.analysis.tables import summarize
from bench.config.profiles import DEPTHS
from bench.report.figures.signals import signal_charts, signal_table
from tests.support.factories import make_failed, make_grid, make_record, make_signals
from tests.support.pages import RECORDS, page_of, table_of, without_figures


def with_signals(record):
    return record.model_copy(update={"signals": make_signals(record)})


def test_a_row_for_each_network_with_the_mean_of_its_seeds():
    rows = table_of(page_of("signals"), "Layer responses and gradients")
    networks = [row for row in rows if len(row) == 4]
    assert len(networks) == 10
    assert [row[0].split("mean")[0].strip() for row in networks[:2]] == ["ResNet-18", "ResNet-34"]
    # Gradients rise by one power of ten, from the first quarter of the blocks to the last by three
    # quarters of it.
    response = fmean(0.5 / (1 + n / 16) for n in range(16))
    assert networks[0][1:] == [f"{response:.3f}", "−0.75", "−0.75"]
    assert all("mean of 2 seeds" in row[0] for row in networks)


def test_the_means_are_those_that_claims_are_judged_by():
    records = [with_signals(make_record(50, seed=seed)) for seed in range(2)]
    (row,) = signal_table(records, summarize(records))
    assert row["cell_ids"] == [record.cell.id for record in records]
    assert row["gradient_drift_final"] == pytest.approx(-12 / 16)


def test_without_signals_there_is_no_section():
    assert 'id="shortcuts"' in page_of("signals")
    for name in ("ten", "empty", "failed"):
        assert "#shortcuts" not in page_of(name)
        assert 'id="shortcuts"' not in page_of(name)


def test_three_charts_for_each_data_set():
    records = RECORDS["signals"]
    with without_figures():
        charts = signal_charts(records, summarize(records))
    expected = ["response-final", "gradient-initial", "gradient-final"]
    assert [chart.key for chart in charts] == [
        f"signal-{name}-{panel}" for panel in (1, 2) for name in expected
    ]
    assert all("ResNet-152" in chart.description for chart in charts)


def test_each_chart_shows_every_depth():
    records = [r for r in RECORDS["signals"] if r.cell.dataset == "mnist"]
    for chart in signal_charts(records, summarize(records)):
        assert ElementTree.fromstring(chart.svg).tag == "svg"
        texts = re.findall(r"<text [^>]*>([^<]*)</text>", chart.svg)
        for depth in DEPTHS:
            assert f"var(--depth-{depth}, currentColor)" in chart.svg
            assert str(depth) in texts


def rows_of(chart):
    return list(csv.DictReader(StringIO(chart.csv)))


def test_responses_are_sorted_and_first_and_last_layers_of_blocks_stand_apart():
    record = with_signals(make_record(18))
    *_, final = record.signals
    zigzag = tuple(0.9 + n / 1000 if n % 2 == 0 else 0.1 - n / 1000 for n in range(16))
    stem = final.model_copy(
        update={"layers": ("conv1", *final.layers), "response_std": (0.5, *zigzag),
                "weight_gradient_norm": (0.1,) * 17}
    )  # fmt: skip
    drawn = record.model_copy(update={"signals": (stem,)})
    (chart, _) = signal_charts([drawn], summarize([drawn]))
    places = {
        place: [float(row["mean"]) for row in rows_of(chart) if row["place"] == place]
        for place in ("first", "last", "only")
    }
    assert places["first"] == pytest.approx(sorted(zigzag[::2], reverse=True))
    assert places["last"] == pytest.approx(sorted(zigzag[1::2], reverse=True))
    assert places["only"] == [0.5]
    assert [row["rank"] for row in rows_of(chart) if row["place"] == "last"] == [*"12345678"]
    assert chart.finding.startswith("In basic blocks first layers respond more strongly")


def test_blocks_with_one_3x3_layer_make_one_line_a_depth():
    records = [with_signals(make_record(depth)) for depth in (50, 101)]
    chart = signal_charts(records, summarize(records))[0]
    assert {row["place"] for row in rows_of(chart)} == {"only"}
    assert "last layer" not in chart.svg


@pytest.mark.parametrize("value", [1e308, -1e308, 5e-324, float("inf")])
def test_an_absurd_value_costs_its_point_and_no_figure(value):
    record = with_signals(make_record(18))
    initial, final = record.signals
    absurd = final.model_copy(
        update={
            "input_gradient_norm": (value, *final.input_gradient_norm[1:]),
            "response_std": (value, *final.response_std[1:]),
        }
    )
    odd = record.model_copy(update={"signals": (initial, absurd)})
    response, _, gradient = signal_charts([odd], summarize([odd]))
    assert [row["position"] for row in rows_of(gradient)] == [*"2345678"]
    assert len(rows_of(response)) == 15


def test_odd_values_leave_the_others_to_be_seen():
    record = with_signals(make_record(18))
    initial, final = record.signals
    odd = final.model_copy(update={"input_gradient_norm": (0.0, float("nan"), 1.0, 2.0) * 2})
    diverged = record.model_copy(update={"signals": (initial, odd)})
    charts = signal_charts([diverged], summarize([diverged]))
    assert len(charts) == 3
    (row,) = signal_table([diverged], summarize([diverged]))
    assert row["gradient_drift_final"] is None
    partly = [with_signals(make_grid()[0]), make_grid()[1], make_failed(50)]
    assert len(signal_table(partly, summarize(partly))) == 1
