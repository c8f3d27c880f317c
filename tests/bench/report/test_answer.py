"""The first screen, what is still to come, and that no number of a record is lost on the page."""

import re

import pytest

from bench.analysis.speed import summarize
from bench.claims.verdict import Word
from bench.formats import number, significant
from bench.records import store
from bench.report import live
from bench.report.answer import budgets, sentence, six
from bench.report.page import write
from bench.report.results import gather, rows
from tests.support.factories import make_failed, make_grid, make_profile, make_record
from tests.support.pages import EVERYTHING, page_of
from tests.support.speeds import make_limits, make_speed_record
from tests.support.tools import parsed, text_of

pytestmark = pytest.mark.heavy

NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")


@pytest.mark.parametrize(
    ("records", "answer"),
    [
        ([], "nothing trained here can tell."),
        ([make_failed(18)], "nothing trained here can tell."),
        (make_grid(), "a run this short cannot tell."),
        (make_profile("project2022"), "these runs do not test."),
    ],
)
def test_cost_and_accuracy_are_answered_apart(records, answer):
    assert sentence(gather(records)) == (
        f"The networks cost what the paper prints; whether they reach its accuracy, {answer}"
    )


def test_errors_that_were_tested_are_counted():
    results = gather(make_profile("table6", seeds=5))
    words = [each.word for each in results.verdicts if each.claim.kind == "accuracy"]
    told: dict[Word, str] = {
        "reproduced": "reproduced", "refuted": "refuted", "inconclusive": "left open"
    }  # fmt: skip
    assert set(words) & set(told)
    assert f"of its {len(words)} errors on CIFAR‑10, " in sentence(results)
    for word, text in told.items():
        assert (f"{words.count(word)} {text}" in sentence(results)) == (word in words)


def test_six_numbers():
    results = gather(make_grid())
    workloads = summarize([make_speed_record()], make_limits())
    cells, accuracy, speed, share, cost, claims = six(results, workloads, coming=2)
    assert cells.value == "10 of 12"
    values = [row.test_accuracy or 0 for row in results.grid if row.dataset == "cifar10"]
    assert accuracy.value.startswith(f"{number(min(values), 1)}–{number(max(values), 1)}")
    assert "on MNIST" in accuracy.note
    speeds = results.summary["training_images_per_second"]
    assert significant(speeds.max()) in speed.value
    assert share.value == f"{number(100 * workloads['limit_share'].max(), 0)}\xa0%"
    assert (cost.value, claims.value.split()[0]) == ("23 of 23", "0")
    assert budgets(results.grid) == "10,240 images of CIFAR-10 and 10,240 of MNIST"


def test_a_disturbed_pace_is_no_speed_of_the_first_screen():
    fast, slow = make_record(18), make_record(34)
    times = {"train_step_seconds": tuple(50 * each for each in slow.speed.train_step_seconds)}
    slow = slow.model_copy(update={"speed": slow.speed.model_copy(update=times)})
    results = gather([fast, slow])
    assert list(results.summary["speed_problem"].notna()) == [False, True]
    assert six(results, summarize([], None), 0)[2].note == "ResNet‑18"


def test_no_number_of_a_record_is_lost():
    results = gather(EVERYTHING)
    expected = []
    for row in results.grid:
        expected += [number(row.test_accuracy), number(row.train_accuracy), number(row.images, 0)]
        expected += [number(row.test_loss, 3), number(row.train_loss, 3)]
        if row.theirs:
            expected += [number(row.theirs.test_accuracy), number(row.theirs.images, 0)]
    for cell in rows(results.summary):
        for name in ("training", "inference"):
            for end in ("images_per_second", "low", "high"):
                expected.append(significant(cell[f"{name}_{end}"]))
        expected += [significant(cell["latency_ms"]), number(cell["parameters"], 0)]
    for record in EVERYTHING:
        expected.append(number(record.cost.macs, 0))
        for epoch in record.epochs:
            expected += [number(100 * epoch.test_accuracy), number(epoch.test_loss, 4)]
            expected += [number(100 * epoch.train_accuracy), number(epoch.train_loss, 4)]
    for verdict in results.verdicts:
        expected += [verdict.reason, verdict.claim.text, verdict.test]
        if verdict.effect is not None:
            expected.append(number(verdict.effect, verdict.digits))
        if verdict.claim.margin:
            expected.append(verdict.claim.margin.reason)
    shown = parsed(page_of("everything")).xpath(
        "//text()[not(ancestor::script or ancestor::style)]"
    )
    found = set(NUMBER.findall(" ".join(shown)))
    wanted = {each for text in expected for each in NUMBER.findall(text)}
    assert len(wanted) > 300
    assert wanted <= found


def test_what_is_still_to_come_is_told_while_a_grid_trains(tmp_path):
    store.save(tmp_path / "runs", make_record(18, profile="quick"))
    page = tmp_path / "index.html"
    renew = live.Renewal(tmp_path / "runs", page, "quick")
    renew([make_record(34, "mnist").cell, make_record(50, seed=1).cell])
    text = text_of(page.read_text("utf-8"))
    assert "Still to come, 2 cells: ResNet-34 on MNIST, ResNet-50 on CIFAR-10, seed 1." in text
    assert "Cells done 1 of 3" in text
    page.unlink()
    renew([])  # sooner than its share of the time
    assert not page.exists()
    write(tmp_path / "runs", page)
    assert "Still to come" not in page.read_text("utf-8")


def test_a_drawing_that_fails_ends_no_run(tmp_path, capfd):
    (tmp_path / "file").touch()
    live.Renewal(tmp_path / "runs", tmp_path / "file" / "index.html", "quick")([])
    assert capfd.readouterr().err == ""
