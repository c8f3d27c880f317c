"""These results beside those of another folder, on the page."""

import re
from urllib.parse import unquote

import pytest

from bench.compare.comparison import compare
from bench.compare.finding import Finding, Side
from bench.formats import number
from bench.records.folder import read
from bench.report.figures.speedups import Row, speedup_chart
from bench.stats import Interval
from tests.support.factories import make_failed, make_record
from tests.support.pages import beside, changed, render, table_of, without_figures, write_page
from tests.support.results import cells, make_speed, predictions, slowed, stored, write_results
from tests.support.speeds import make_workload
from tests.support.tools import HOSTILE, assert_refused, bench, parsed, text_of

pytestmark = pytest.mark.heavy

ACCURACY = "Test accuracy of this run and of the other"
SPEED = "Speed of this run and of the other"
CONDITIONS = "Conditions of this run and of the other"


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """The other, then this run: slower in one workload, better in one of three cells."""
    root = tmp_path_factory.mktemp("against")
    same = make_speed(make_workload(direction="inference"))
    other = write_results(
        root / 'the "other" <b>',
        [*cells(4000, 4050, 4020), make_record(34), make_record(50), make_record(101)],
        [make_speed(), same, make_speed(make_workload(batch_size=1))],
    )
    better = [changed(record) for record in cells(4400, 4450, 4420)]
    failed = make_failed(34, reason=HOSTILE)
    this = write_results(
        root / "this", [*better, failed, make_record(50)], [slowed(make_speed(), 1.3), same]
    )
    return other, this


@pytest.fixture(scope="module")
def page_file(folders):
    other, this = folders
    file = this / "pages" / "index.html"
    assert write_page(this / "runs", file, against=other) == []
    return file


@pytest.fixture(scope="module")
def page(page_file):
    return page_file.read_text()


def section_text(page):
    (section,) = parsed(page).findall(".//div[@id='against']")
    return " ".join("".join(section.itertext()).split())


def test_one_sentence_sums_it_up(page):
    assert (
        "This run beside the other: of 2 test accuracies 1 better, 1 too noisy to tell; of 8 "
        "timings 1 slower, 4 same, 3 too noisy to tell." in section_text(page)
    )


def _visible(found):
    if found.kind == "speed":
        return number(100 * (found.visible - 1), 1)
    return number(found.visible)


def test_every_finding_of_the_comparison_has_its_row(page, folders):
    baseline, candidate = map(read, folders)
    findings = compare(baseline, candidate).findings
    rows = [row for label in (ACCURACY, SPEED) for row in table_of(page, label) if len(row) > 1]
    assert len(rows) == len(findings) == 10
    texts = [" ".join(row) for row in rows]
    for found in findings:
        digits = 3 if found.kind == "speed" else 2
        signed = found.kind == "accuracy"
        interval = " to ".join(
            number(end, digits, signed=signed) for end in (found.interval.low, found.interval.high)
        )
        effect = number(found.effect, digits, signed=signed)
        assert [
            text
            for text in texts
            if interval in text
            and effect in text
            and found.verdict in text
            and _visible(found) in text.split()
        ], found


def test_this_run_is_judged_beside_the_other(page):
    rows = table_of(page, SPEED)
    titles = [row[0] for row in rows if len(row) == 1]
    assert titles[:3] == [
        "CIFAR-10: training step", "CIFAR-10: inference", "CIFAR-10: latency of one image",
    ]  # fmt: skip
    slower = rows[[row[0] for row in rows].index("Training, float32, 32 images at a time") + 1]
    assert slower[0] == "ResNet-18"
    assert slower[3].startswith("▼\xa00.769")
    assert slower[-1] == "slower"
    assert float(slower[1]) / float(slower[2]) == pytest.approx(1.3, rel=0.01)
    better = table_of(page, ACCURACY)[1]
    assert better[1:4] == [
        "44.23n\xa0=\xa03: 1 2 3", "40.23n\xa0=\xa03: 1 2 3", better[3],
    ]  # fmt: skip
    assert better[3].startswith("▲\xa0+4.00")
    assert better[-1] == "better"


def test_what_differs_besides_stands_first_this_run_before_the_other(page):
    rows = {row[0]: row[1:] for row in table_of(page, CONDITIONS)}
    # The cell that was not changed, and the workloads, keep the machine of both.
    assert rows["PyTorch"] == ["2.9.0+cpu, 3.0", "2.9.0+cpu"]
    assert HOSTILE in rows["machine"][0]


def test_links_lead_to_entries_of_the_page_and_to_files_of_the_other(page, page_file, folders):
    (section,) = parsed(page).findall(".//div[@id='against']")
    links = [a.get("href") for a in section.iter("a") if a.get("class") == "trace"]
    ids = set(re.findall(r' id="([^"]*)"', page))
    inside = [link[1:] for link in links if link.startswith("#")]
    files = [page_file.parent / unquote(link) for link in links if not link.startswith("#")]
    assert set(inside) <= ids
    assert any(name.startswith("workload-") for name in inside)
    assert f"cell-{cells(1)[0].cell.id}" in inside
    assert {file.resolve().parents[1].name for file in files} == {"runs", folders[0].name}
    assert all(file.is_file() for file in files)


def test_a_cell_of_another_profile_leads_to_its_file(tmp_path):
    records = [make_record(18), make_record(34, recipe={"name": "other"}, profile="other")]
    for folder in ("a", "b"):
        write_results(tmp_path / folder, records)
    file = tmp_path / "b" / "index.html"
    write_page(tmp_path / "b" / "runs", file, "quick", tmp_path / "a")
    page = file.read_text()
    assert f'href="runs/{records[1].cell.id}/record.json"' in page
    assert f'href="#cell-{records[0].cell.id}"' in page
    assert f'href="#cell-{records[1].cell.id}"' not in page


def test_what_was_not_compared_is_told_with_the_reason(page):
    reasons = {row[0]: row[1] for row in table_of(page, "What was not compared")}
    assert "resnet101-paper-imagenet-cifar10-quick" in reasons["only in A"]
    assert "batch1-" in reasons["only in A"]
    (failed,) = [why for why in reasons if why.startswith("failed in B")]
    assert failed.startswith("failed in B: <script>alert('x')")


def test_names_from_records_and_folders_are_escaped(page):
    assert "<script>alert" not in page
    assert "<b>bold" not in page
    assert 'Beside the "other" <b>' in section_text(page)


def test_same_folders_same_bytes(page, page_file, folders):
    write_page(folders[1] / "runs", page_file, against=folders[0])
    assert page_file.read_text() == page


def test_a_copy_is_the_same_in_everything(folders):
    _, this = folders
    records = read(this).cells
    section = beside(records, records)
    verdicts = {verdict for found in section.totals.values() for verdict in found}
    assert verdicts == {"same", "too noisy to tell"}
    page = render(records, against=section)
    assert "machine, software and commit are the same" in section_text(page)


@pytest.mark.parametrize(
    ("these", "those", "words"),
    [
        (
            [make_record()],
            [make_record(50)],
            ["Nothing in other can be compared with this: resnet50-paper-imagenet",
             "model (resnet50 against resnet18)"],
        ),
        ([], [make_record()], ["Nothing can be compared: there is no record in this yet."]),
    ],
    ids=["nothing alike", "nothing here"],
)  # fmt: skip
def test_what_cannot_be_compared_is_one_sentence_and_no_failure(these, those, words):
    page = render(these, against=beside(these, those))
    text = section_text(page)
    assert [each for each in words if each not in text] == []
    assert table_of(page, "Accuracy and loss of every cell")


def test_damaged_records_of_the_other_are_listed_and_hide_no_good_one(tmp_path):
    other = write_results(tmp_path / "other", [make_record(), make_record(34)])
    this = write_results(tmp_path / "this", [make_record()])
    (other / "runs" / make_record(34).cell.id / "record.json").write_text("{")
    problems = write_page(this / "runs", tmp_path / "index.html", against=other)
    text = section_text((tmp_path / "index.html").read_text())
    assert len(problems) == 1
    assert problems[0] in text
    assert "of 1 test accuracies 1 too noisy to tell" in text


def test_predictions_are_found_whatever_the_folder_of_records_is_called(tmp_path):
    ours, theirs = predictions(9000, 20, 60, 920)
    stored(tmp_path / "other", cells(9020), ours)
    stored(tmp_path / "this", cells(9060), theirs)
    folder = (tmp_path / "this" / "runs").rename(tmp_path / "this" / "mine")
    write_page(folder, tmp_path / "index.html", against=tmp_path / "other")
    row = table_of((tmp_path / "index.html").read_text(), ACCURACY)[1]
    assert "McNemar" in row


def speed_row(depth, effect, low, high, p):
    side = Side(0.1, 3, [])
    found = Finding(
        kind="speed", name="cell", quantity="training step", baseline=side, candidate=side,
        effect=effect, interval=Interval(low, high), same=1.1, p=p, p_holm=p, test="t",
    )  # fmt: skip
    return Row(network=f"ResNet-{depth}", depth=depth, found=found, links=[], other_links=[])


def test_the_figure_has_a_row_for_each_timing():
    rows = {"A & <b>": [speed_row(18, 1.3, 1.2, 1.4, 0.01), speed_row(50, 30, 20, 40, 0.2)]}
    chart = speedup_chart("speedup", "title", rows)
    assert len(chart.csv.splitlines()) == 3
    assert "ResNet-18 1.3 faster, ResNet-50 30 too noisy to tell" in chart.description
    assert "var(--depth-18" in chart.svg
    assert "var(--depth-50" in chart.svg
    assert "<b>" not in chart.svg
    assert speedup_chart("speedup", "title", rows) == chart
    assert chart.svg.count("var(--page)") == 1  # one hollow dot


def test_the_command_draws_any_folder_beside_another(folders, tmp_path):
    other, this = folders
    with without_figures():
        done = bench("report", "--results", this, "--against", other, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "44.23" in text_of((tmp_path / "index.html").read_text())


@pytest.mark.parametrize(
    ("options", "texts"),
    [
        (["--against", "nowhere"], ["--against nowhere: there is no such folder"]),
        (["--against", "docs"], ["docs holds no record that can be read"]),
        (["--results", "nowhere"], ["--results nowhere: there is no such folder"]),
        (["--results", "docs"], ["--results docs: there is no record in it", "--out docs"]),
    ],
)
def test_a_wrong_folder_exits_with_2_and_draws_nothing(folders, tmp_path, options, texts):
    given = ["--results", folders[1], *options, "--out", tmp_path]
    assert_refused(bench("report", *given), 2, *texts)
    assert list(tmp_path.iterdir()) == []
