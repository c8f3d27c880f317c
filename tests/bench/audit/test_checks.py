"""What the audit finds in the 2022 project, and that it finds nothing where there is nothing."""

import itertools
from collections import Counter
from dataclasses import replace
from math import ceil

import numpy as np
import pytest

from bench.analysis.logs import run_logs
from bench.audit.architecture import printed_network
from bench.audit.checks import CHECKS, audit, audit_project2022
from bench.audit.finding import between, p_value
from bench.audit.losses import losses
from bench.reference.loader import load_project2022
from bench.report.figures.freezes import freeze_charts
from bench.report.page import fill
from tests.support.synthetic_logs import clean_log, make_log
from tests.support.tools import HOSTILE, text_of

PROJECT = load_project2022()
LOGS = run_logs(PROJECT)
AUDIT = audit_project2022()
MODELS = ["resnet18", "resnet34", "resnet50"]


def found(check, result=AUDIT):
    return [finding for finding in result.findings if finding.check == check]


def clean_table(kind="constant", epochs=60, seed=0, **changes):
    """Three depths, two seeds each, on one recipe."""
    rng = np.random.default_rng(seed)
    return [
        clean_log(rng, kind, epochs, model=model, seed=number, name=f"{model}-{number}", **changes)
        for model in MODELS
        for number in (0, 1)
    ]


def test_findings_in_the_2022_project():
    assert Counter(finding.check for finding in AUDIT.findings) == {
        "unequal-epochs": 1, "frozen": 2, "unreached-milestones": 2, "single-runs": 1,
        "labels": 1, "parameters": 1, "structure": 1, "resolution": 1, "loss-units": 1,
    }  # fmt: skip
    assert {check.id for check in CHECKS} == {finding.check for finding in AUDIT.findings}


def test_the_audit_reads_nothing_that_was_found_by_hand_about_training():
    runs = tuple(run.model_copy(update={"frozen_after_epoch": None}) for run in PROJECT.runs)
    assert audit(run_logs(PROJECT.model_copy(update={"runs": runs}))) == AUDIT


def test_unequal_epochs():
    (finding,) = found("unequal-epochs")
    epochs = {log.depth: finding.numbers[log.name]["epochs"] for log in finding.runs}
    assert epochs == {18: 100, 34: 100, 50: 60, 101: 60, 152: 60}
    assert {log.recipe for log in finding.runs} == {"base"}
    assert "100 epochs (5.0 million images) of ResNet-18 and ResNet-34" in finding.evidence


def test_frozen_columns():
    frozen = {
        (log.recipe, log.depth): int(finding.numbers[log.name]["last moving epoch"])
        for finding in found("frozen")
        for log in finding.runs
    }
    by_hand = {
        (run.recipe, run.labelled_depth): run.frozen_after_epoch
        for run in PROJECT.runs
        if run.frozen_after_epoch
    }
    assert frozen == by_hand
    assert "ResNet-34 after epoch 60" in found("frozen")[0].evidence
    assert "The code of 4 of them resumes at exactly that epoch." in found("frozen")[0].evidence


def test_what_is_left_after_equally_many_epochs():
    base, _, batch32, _ = AUDIT.rankings
    assert [(r.recipe, r.epoch, r.fair) for r in AUDIT.rankings] == [
        ("base", 20, False), ("normalize", 50, False), ("normalize_batch32", 100, True),
        ("base", 20, True),
    ]  # fmt: skip
    runs = {run.notebook: run for run in PROJECT.runs}
    for ranking in AUDIT.rankings:
        assert [column.log.depth for column in ranking.columns] == [18, 34, 50, 101, 152]
        for column in ranking.columns:
            run, epoch = runs[column.log.name], ranking.epoch
            assert column.train_accuracy == run.train_accuracy_percent[epoch - 1]
            assert column.reported == run.test_accuracy_percent[-1]
            mean = sum(run.test_accuracy_percent[epoch - 5 : epoch]) / 5
            assert column.test_accuracy == pytest.approx(mean)
    assert (base.reported_worse, base.equal_worse) == ((7, 10), (8, 10))
    spans = [max(values) - min(values) for values in (
        [column.train_accuracy for column in ranking.columns] for ranking in (base, batch32)
    )]  # fmt: skip
    assert spans == pytest.approx([19.828, 3.456])
    assert "in 8 of 10 pairs there, and in 7 of 10" in found("unequal-epochs")[0].consequence
    assert "(recipe normalize_batch32, 100 epochs)" in found("unequal-epochs")[0].consequence


def test_milestones_that_no_run_reaches():
    assert [len(finding.runs) for finding in found("unreached-milestones")] == [15, 5]
    cifar10, mnist = (finding.evidence for finding in found("unreached-milestones"))
    assert "epochs 100 and 150, counted from 0; the longest of 15 runs has 100" in cifar10
    assert "the longest of 5 runs has 20" in mnist


def test_the_mislabelled_column():
    (label,), (total,) = found("labels"), found("parameters")
    assert [log.name for log in (*label.runs, *total.runs)] == ["Resnet50_MNIST.ipynb"] * 2
    assert label.title == "The column ResNet-50 is ResNet-34: MNIST, recipe base"
    assert "0.69 points" in label.consequence
    assert total.numbers == {
        "Resnet50_MNIST.ipynb": {"printed": 23_522_250, "of ResNet-34": 21_283_530}
    }


def test_printed_totals_are_those_of_the_label():
    for log in LOGS:
        printed = printed_network(log)
        assert (printed.model, printed.shortcut, printed.stem) == (log.model, "B", "imagenet")


def test_blocks_of_the_2022_project():
    (finding,) = found("structure")
    assert finding.severity == "comparison"
    counts = {log.depth: tuple(finding.numbers[log.name].values()) for log in finding.runs}
    counts[50] = tuple(finding.numbers["Resnet50_Training_CIFAR10.ipynb"].values())
    assert counts == {18: (8, 0), 34: (16, 0), 50: (16, 3), 101: (33, 3), 152: (50, 3)}
    (tiny,) = found("resolution")
    assert "39 of 50 blocks of ResNet-152 have maps of 2×2" in tiny.evidence


def test_loss_units_are_those_that_the_file_states():
    assert {"train_loss_sum_of_batch_means", "test_loss_batch_mean_sum_over_images"} <= set(
        PROJECT.meta.units
    )
    for run, log in zip(PROJECT.runs, LOGS, strict=True):
        train, test = losses(log, "train"), losses(log, "test")
        assert train.unit == "sums of batch means"
        assert test.unit == "sums of batch means over the number of images"
        facts = PROJECT.meta.datasets[run.dataset]
        sums = run.train_loss_sum_of_batch_means[-1]
        assert train.mean == pytest.approx(sums / ceil(facts.train_images / run.train_batch_size))
        sums = run.test_loss_batch_mean_sum_over_images[-1] * facts.test_images
        assert test.mean == pytest.approx(sums / ceil(facts.test_images / run.test_batch_size))


def test_single_runs():
    (finding,) = found("single-runs")
    assert "20 of 20 columns are single runs, 20 of them without" in finding.evidence
    assert "from 62.57 to 79.75 %, and 76.69 % is reported" in finding.evidence


def test_what_is_in_order():
    in_order = {result.check.id: (result.in_order, result.judged) for result in AUDIT.results}
    assert in_order == {
        "unequal-epochs": (15, 20), "frozen": (9, 17), "unreached-milestones": (0, 20),
        "single-runs": (0, 20), "labels": (19, 20), "parameters": (19, 20),
        "structure": (0, 20), "resolution": (0, 20), "loss-units": (0, 20),
    }  # fmt: skip


def test_the_gravest_findings_stand_first():
    order = ["conclusion", "comparison", "note"]
    severities = [finding.severity for finding in AUDIT.findings]
    assert severities == sorted(severities, key=order.index)


@pytest.mark.parametrize("kind", ["constant", "step", "cosine"])
def test_nothing_is_found_in_clean_tables(kind):
    for epochs, seed in itertools.product((5, 20, 60, 150), range(2)):
        result = audit(clean_table(kind, epochs, seed))
        assert result.findings == ()
        assert all(checked.in_order == checked.judged for checked in result.results)


def test_no_logs_no_findings():
    result = audit([])
    assert (result.findings, result.rankings, result.runs) == ((), (), 0)


@pytest.mark.parametrize(
    ("check", "changes", "text"),
    [
        ("labels", {"built_model": "resnet18"}, "builds ResNet-18"),
        ("parameters", {"parameters": 11_173_962}, "11,173,962 parameters, the exact total of Res"),
        ("structure", {"lineage": "project2022"}, "no ReLU follows the addition"),
        ("unreached-milestones", {"milestones": (60, 90)}, "epochs 60 and 90, counted from 0"),
        ("loss-units", {"train_loss": (200.0,) * 60}, "train losses are sums of batch means"),
        ("loss-units", {"test_loss": (0.01,) * 60}, "sums of batch means over the number"),
        ("resolution", {"parameters": 23_528_522}, "the stem is ImageNet's"),
        (
            "unequal-epochs",
            {"epochs": 40},
            "and 40 epochs (2.0 million images) of ResNet-50",
        ),
    ],
)
def test_one_fault_one_finding(check, changes, text):
    faulty = clean_table(**changes)[4:]
    result = audit([*clean_table()[:4], *faulty])
    findings = [finding for finding in result.findings if finding.check == check]
    assert {log.model for finding in findings for log in finding.runs} >= {"resnet50"}
    assert text in findings[0].evidence


def test_a_column_that_ran_once_is_found():
    (finding,) = audit(clean_table()[:5]).findings
    assert (finding.check, [log.name for log in finding.runs]) == ("single-runs", ["resnet50-0"])
    assert "1 of 3 columns are single runs, 0 of them without" in finding.evidence


def test_a_log_that_cannot_be_is_refused():
    log = make_log([50], [50], name="x")
    with pytest.raises(ValueError, match=r"x: series of \[1, 2\] epochs"):
        replace(log, train_loss=(1.0, 2.0))
    with pytest.raises(ValueError, match="x: no network of the catalog has 1,234,567 parameters"):
        audit([replace(log, parameters=1_234_567)])
    with pytest.raises(ValueError, match=r"losses like 1e\+09 have no known unit"):
        audit([replace(log, test_loss=(1e9,))])


def test_words():
    assert [between([2, 1]), between([1.04, 1], 1)] == ["1 to 2", "1.0"]
    assert [p_value(0.078), p_value(8.6e-9), p_value(0)] == ["0.078", "9·10⁻⁹", "0"]


def page(shown):
    charts = freeze_charts(LOGS) if shown is AUDIT else []
    return fill("audit", audit=shown, freeze_charts=charts)


def test_the_section_of_the_report():
    text = text_of(page(AUDIT))
    for finding in AUDIT.findings:
        assert " ".join(finding.evidence.split()) in text
        assert " ".join(finding.consequence.split()) in text
    assert "after epoch 20" in text
    assert "training that stops moving (9 of 17 runs in order)" in text
    assert "undefined" not in text.lower()


def test_a_section_without_an_audit_is_empty():
    assert page(None).strip() == ""


def test_names_of_logs_are_escaped():
    hostile = [replace(log, name=HOSTILE + log.name) for log in LOGS]
    assert HOSTILE not in page(audit(hostile))
