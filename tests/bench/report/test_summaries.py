"""The files beside the page: complete, reproducible, and safe wherever they are put."""

import csv
import json
import math
import statistics
from io import StringIO
from pathlib import Path

import pytest

from bench.analysis.tables import summarize
from bench.claims.files import load_claims
from bench.records import store
from bench.records.folder import Results
from bench.report import page as report
from bench.report import summaries
from bench.report.results import gather
from bench.report.summaries import NetworkSummary, Summary
from tests.bench.analysis.test_times import learning
from tests.support.factories import (
    ENVIRONMENT,
    make_failed,
    make_grid,
    make_record,
    make_with_clean,
)
from tests.support.pages import RECORDS, without_figures
from tests.support.speeds import make_limits, make_speed_record, make_workload
from tests.support.tools import HOSTILE

pytestmark = pytest.mark.heavy

DOCUMENT = (Path(__file__).parents[3] / "docs" / "summary.md").read_text()
NAMES = ("summary.md", "summary.json", "results.csv")
ROGUE = "=cmd|' /C calc'!A0 | <img src=x> `code` *bold* [link](x)\nsecond line"


def with_loss(record, **losses):
    last = record.epochs[-1].model_copy(update=losses)
    return record.model_copy(update={"epochs": (*record.epochs[:-1], last)})


def strict_json(text):
    """As a strict reader takes it: without NaN and infinity."""

    def refuse(constant):
        raise AssertionError(constant)

    return json.loads(text, parse_constant=refuse)


def files_of(records, damaged=0, **found):
    damaged_cells = ["damaged"] * damaged
    held = Results(
        folder=Path(), runs=Path("runs"), cells=records, damaged_cells=damaged_cells, **found
    )
    return summaries.files(gather(records), held)


def content_of(records, name, damaged=0):
    return files_of(records, damaged)[name]


@pytest.fixture(scope="module", params=RECORDS)
def records(request):
    return RECORDS[request.param]


def test_every_kind_of_page_has_its_summaries(records):
    files = files_of(records)
    assert tuple(files) == NAMES
    assert Summary.model_validate(strict_json(files["summary.json"]))
    assert files == files_of(list(reversed(records)))


def test_json_tells_what_the_page_tells():
    found = Summary.model_validate_json(content_of(make_grid(seeds=2), "summary.json", damaged=3))
    assert found.schema_version == 2
    assert found.profile == "quick"
    assert found.damaged_records == 3
    assert found.headline.startswith("Test accuracy: 39.1 % (ResNet-152) to 44.4 % (ResNet-18) on")
    assert len(found.networks) == 10
    first = found.networks[0]
    assert (first.network, first.dataset, first.seeds) == ("ResNet-18", "cifar10", 2)
    assert first.test_accuracy == pytest.approx(44.43)
    assert first.test_min == pytest.approx(44.28)
    assert first.test_max == pytest.approx(44.58)
    assert first.theirs_test_accuracy == 76.69
    assert first.equal_budget is False
    assert len(first.cell_ids) == 2
    assert set(found.claims) == {claim.id for claim in load_claims()}
    assert sum(n for words in found.verdicts.values() for n in words.values()) == len(found.claims)
    assert found.verdicts["arithmetic"]["reproduced"] == 23


def test_failed_and_absent_networks_say_so():
    found = Summary.model_validate_json(content_of([make_failed(18)], "summary.json"))
    status = {(n.network, n.dataset): n.status for n in found.networks}
    assert status["ResNet-18", "cifar10"] == "failed: out of memory"
    assert status["ResNet-50", "mnist"] == "not run"
    assert found.networks[0].test_accuracy is None
    assert found.networks[0].not_finite == ()


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_null_and_named(value):
    diverged = [with_loss(make_record(seed=1), test_loss=value), make_record(seed=0)]
    text = content_of(diverged, "summary.json")
    first = Summary.model_validate(strict_json(text)).networks[0]
    assert first.test_loss is None
    assert first.not_finite == ("test_loss",)
    assert first.train_loss > 0


def test_clean_training_error_is_in_both_files():
    records = [make_with_clean(make_record(18), error=2.5), make_record(34)]
    first, second = Summary.model_validate_json(content_of(records, "summary.json")).networks[:2]
    assert (first.clean_train_accuracy, first.clean_train_images) == (97.5, 2560)
    assert (second.clean_train_accuracy, second.clean_train_loss) == (None, None)
    rows = list(csv.DictReader(StringIO(content_of(records, "results.csv"))))
    assert [row["clean_train_accuracy"] for row in rows] == ["97.5", ""]


def test_times_to_accuracy_are_means_only_where_every_seed_has_them():
    seeds = [learning(80, 90, 91, 92), learning(92, 92, 92, 92.5, seed=1)]
    (row, *_) = strict_json(content_of(seeds, "summary.json"))["networks"]
    assert row["times"] == [
        {"target": 90, "reached": 2, "images": 1.5 * 2560, "seconds": 15.0},
        {"target": 91.25, "reached": 2, "images": 2.5 * 2560, "seconds": 25.0},
        {"target": 93, "reached": 0, "images": None, "seconds": None},
    ]
    seeds[0] = learning(80, 80, 80, 80)
    (row, *_) = strict_json(content_of(seeds, "summary.json"))["networks"]
    assert row["times"][0] == {"target": 90, "reached": 1, "images": None, "seconds": None}
    (row, *_) = strict_json(content_of([make_failed(18)], "summary.json"))["networks"]
    assert row["times"] == []


def test_csv_has_every_record_unrounded():
    records = [*make_grid(), make_failed(18, "mnist"), with_loss(make_record(), test_loss=math.inf)]
    rows = list(csv.DictReader(StringIO(content_of(records, "results.csv"))))
    frame = summarize(records)
    assert [row["cell_id"] for row in rows] == list(frame["cell_id"])
    assert list(rows[0]) == ["kind", *frame.columns]
    assert {row["kind"] for row in rows} == {"cell"}
    for row, expected in zip(rows, frame.to_dict("records"), strict=True):
        for name in ("test_accuracy", "test_loss", "training_images_per_second"):
            value = float(row[name]) if row[name] else math.nan
            assert value == expected[name] or (math.isnan(value) and math.isnan(expected[name]))
    assert any(row["test_loss"] == "inf" for row in rows)


def test_csv_has_workloads_too():
    workloads = [
        make_speed_record(make_workload(model="resnet50", batch_size=8)),
        make_speed_record(make_workload(), status="failed", reason="no memory", rounds=()),
    ]
    for cells in ([make_record()], []):
        text = files_of(cells, workloads=workloads, limits=make_limits())["results.csv"]
        *trained, timed, failed = csv.DictReader(StringIO(text))
        assert [row["kind"] for row in trained] == ["cell"] * len(cells)
        assert all(row["cell_id"] and not row["workload_id"] for row in trained)
        assert (timed["kind"], timed["workload_id"]) == ("workload", workloads[0].id)
        assert (timed["network"], timed["depth"], timed["batch_size"]) == ("resnet", "50", "8")
        assert (timed["cell_id"], timed["device"]) == ("", ENVIRONMENT.device_name)
        assert float(timed["images_per_second"]) == pytest.approx(8 / timed_median(workloads[0]))
        assert (failed["reason"], failed["images_per_second"]) == ("no memory", "")


def timed_median(workload):
    return statistics.median(workload.samples)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", "\n+", " ="])
def test_csv_gives_a_spreadsheet_no_formula(start):
    text = content_of([make_failed(reason=f"{start}1+1\nsecond, line")], "results.csv")
    (row,) = csv.DictReader(StringIO(text))
    assert row["reason"].startswith("'")
    assert row["reason"].lstrip("' \t") == f"{start.strip()}1+1 second, line"
    assert text.count("\n") == 2


def test_other_text_in_csv_is_left_alone():
    (row,) = csv.DictReader(StringIO(content_of([make_failed(reason=HOSTILE)], "results.csv")))
    assert row["reason"] == HOSTILE


def test_negative_numbers_stay_numbers_in_csv():
    record = with_loss(make_record(), test_loss=-0.5)
    (row,) = csv.DictReader(StringIO(content_of([record], "results.csv")))
    assert row["test_loss"] == "-0.5"


def test_markdown_fits_an_issue():
    text = content_of(make_grid(), "summary.md")
    assert text.startswith(
        "**Test accuracy: 38.9 % (ResNet-152) to 44.3 % (ResNet-18) on CIFAR-10;"
    )
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 2 + 10
    assert rows[2] == (
        "| CIFAR-10 | ResNet-18 | 44.28 (43.31 – 45.26) | 10,240 | 76.69 | 5,000,000 |"
    )
    lines = text.splitlines()
    assert "- Arithmetic, costs by formula: 23 reproduced" in lines
    assert "- Experiments that the paper prints: 45 not run" in lines
    assert "Example CPU @ 2.10GHz" in text
    assert "could not be read" not in text


def test_markdown_of_seeds_of_nothing_and_of_damage():
    assert "(44.28 – 44.88, 3 seeds)" in content_of(make_grid(seeds=3), "summary.md")
    assert "No results yet" in content_of([], "summary.md")
    timed = files_of([], workloads=[make_speed_record()])["summary.md"]
    assert timed.startswith("**No cell was trained; the folder holds 1 workload**")
    assert "2 record file(s) could not be read" in content_of([], "summary.md", damaged=2)
    alone = content_of([make_record(56, network="cifar_plain")], "summary.md")
    assert "2022 project" not in alone.splitlines()[4]


@pytest.mark.parametrize("reason", [HOSTILE, ROGUE])
def test_markdown_shows_foreign_text_as_it_is(reason):
    text = content_of([make_failed(reason=reason)], "summary.md")
    (row,) = [line for line in text.splitlines() if "failed: " in line]
    assert row.replace("\\|", "").count("|") == 7
    assert "<" not in text.replace("&lt;", "")
    assert "second line" not in text or "second line" in row
    for mark in "`*[":
        assert mark not in row.replace(f"\\{mark}", "")


def test_markdown_calls_nobody_and_links_no_issue():
    text = content_of([make_failed(reason="see @octocat/team, #12, a@b or mail @ 5")], "summary.md")
    (row,) = [line for line in text.splitlines() if "failed: " in line]
    assert r"see @&#8203;octocat/team, \#&#8203;12, a@&#8203;b or mail @ 5" in row


def test_write_puts_them_beside_the_page_and_again_the_same(tmp_path):
    for record in make_grid()[:2]:
        store.save(tmp_path / "runs", record)
    (tmp_path / "runs" / "broken").mkdir()
    (tmp_path / "runs" / "broken" / "record.json").write_text("garbage")
    page = tmp_path / "pages" / "index.html"
    with without_figures():
        report.write(tmp_path / "runs", page)
    before = {name: (page.parent / name).read_bytes() for name in NAMES}
    assert sorted(path.name for path in page.parent.iterdir()) == sorted([*NAMES, "index.html"])
    assert strict_json(before["summary.json"])["damaged_records"] == 1
    with without_figures():
        report.write(tmp_path / "runs", page)
    assert {name: (page.parent / name).read_bytes() for name in NAMES} == before


def test_every_field_is_documented():
    documented = set(DOCUMENT.split("`"))
    assert documented >= {*Summary.model_fields, *NetworkSummary.model_fields}
    assert documented >= set(summarize([]).columns)
    workloads = summaries.workload_rows([make_speed_record()], make_limits())
    assert documented >= set(workloads.columns)
    assert documented >= set(NAMES)


def test_a_schema_of_another_version_is_refused():
    content = strict_json(content_of([], "summary.json"))
    for version in (1, 3):
        with pytest.raises(ValueError, match="schema_version"):
            Summary.model_validate(content | {"schema_version": version})
