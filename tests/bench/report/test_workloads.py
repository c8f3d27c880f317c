"""Timed workloads on the page: their numbers, the roofline, what went wrong."""

import re

import pytest

from bench.analysis.roofline import roof, whole, work_of
from bench.analysis.speed import summarize
from bench.records import store
from bench.records.speed import Conditions
from bench.report.figures.roofline import roofline_charts
from bench.report.workloads import section
from tests.support.factories import make_record
from tests.support.pages import render, table_of, write_page
from tests.support.speeds import make_limits, make_speed_record, make_split, make_workload
from tests.support.tools import HOSTILE, text_of

LABEL = "Speed of every workload"


def matrix():
    """Two depths, trained and tried, one of them on single images, and one that failed."""
    records = [
        make_speed_record(
            make_workload(model=f"resnet{depth}", direction=direction, batch_size=batch),
            split=make_split() if direction == "training" else None,
        )
        for depth in (18, 50)
        for direction, batch in (("training", 32), ("inference", 32), ("inference", 1))
    ]
    failed = make_speed_record(
        make_workload(model="resnet152"), status="failed", reason=HOSTILE, rounds=(), warmup=(),
        peak_memory=None,
    )  # fmt: skip
    return [*records, failed]


@pytest.fixture(scope="module")
def page():
    return render([make_record()], workloads=matrix(), limits=make_limits())


def test_a_row_for_each_workload_in_groups(page):
    rows = table_of(page, LABEL)
    groups = [row[0] for row in rows if len(row) == 1]
    assert groups == [
        "Training, float32, 32 images at a time",
        "Inference, float32, 32 images at a time",
        "Inference, float32, one image at a time",
    ]
    trained = rows[1]
    assert trained[0].startswith("ResNet-18")
    assert trained[1].startswith("278")  # 32 images in a median of 0.115 s
    assert trained[2] == "115"
    assert re.fullmatch(r"\d+, \d+, \d+, \d+", trained[9])
    assert "1.00 GiB" in trained[7]


def test_every_number_leads_to_its_record(page):
    for record in matrix():
        name = record.workload.id
        assert f'<a class="trace" href="#workload-{name}">' in page
        entry = page[page.index(f'id="workload-{name}"') :].partition("</details>")[0]
        assert record.command in entry
        assert f'href="speed/{name}.json"' in entry
    assert page.count('id="workload-') == len(matrix())


def test_what_is_unusual_of_a_workload_stands_in_its_title():
    unusual = make_workload(
        model="resnet50", lineage="torchvision", shortcut="C", resolution=64,
        memory_format="contiguous", compiled=True,
    )  # fmt: skip
    plain = make_workload(model="plain18", shortcut="none")
    records = [make_speed_record(each) for each in (unusual, plain)]
    usual = "Training, float32, 32 images at a time"
    words = "lineage torchvision, option C, 64×64 pixels, contiguous, compiled"
    assert set(section(records, None).groups) == {usual, f"{usual}, {words}"}


def test_what_failed_is_told_and_escaped(page):
    (failed,) = [row for row in table_of(page, LABEL) if row[0].startswith("ResNet-152")]
    assert failed[1].startswith("failed")
    assert HOSTILE in failed[1]
    assert "<script>alert" not in page


def test_limits_and_warnings_stand_with_the_numbers():
    warned = Conditions(
        load_before=3.0, foreign_cpu_share=0.5, cpu_governor=None, gpu_clock_mhz=None,
        warnings=("other programs took half of the CPU.",),
    )  # fmt: skip
    records = [make_speed_record(conditions=warned)]
    text = text_of(render([], workloads=records, limits=make_limits()))
    assert "The machine's limits:" in text
    assert "warning (1 of 1 workloads): other programs took half of the CPU." in text
    without = text_of(render([], workloads=records))
    assert "Its limits were not measured." in without


def test_the_roofline_has_the_fastest_batch_of_each_network():
    limits = make_limits()
    records = matrix()
    (chart,) = roofline_charts(summarize(records, limits), limits)
    lines = chart.csv.splitlines()
    assert len(lines) == 1 + 4  # two depths, two directions
    assert {line.split(",")[4] for line in lines[1:]} == {"32"}
    top = roof(limits, "float32")
    work = whole(work_of(records[0].workload))
    assert f"{work.intensity:.9g}" in chart.csv
    assert f"{top.operations_per_second / 1e9:.4g} GFLOP/s" in chart.description
    texts = re.findall(r"<text [^>]*>([^<]*)</text>", chart.svg)
    assert texts.count("18") == 2
    assert texts.count("50") >= 2  # an axis may have this number too


def test_without_limits_there_is_no_roofline():
    assert roofline_charts(summarize(matrix(), None), None) == []
    assert section(matrix(), None).charts == []


def test_the_report_reads_them_beside_the_records(tmp_path):
    store.save_file(tmp_path / "speed", make_speed_record())
    store.save_file(tmp_path / "speed", make_limits())
    (tmp_path / "speed" / "broken.json").write_text("{")
    problems = write_page(tmp_path / "runs", tmp_path / "index.html")
    assert len(problems) == 1
    assert "broken.json is not a valid speed record" in problems[0]
    page = (tmp_path / "index.html").read_text()
    assert 'id="workloads"' in page
    assert 'id="workloads"' not in render([])
