"""``python -m bench claims``: what is shown, what is refused, how it ends."""

import csv
import io
import json
import re

import pytest

from bench.config import recipes
from bench.records import store
from tests.support.factories import make_grid, make_record
from tests.support.tools import ROOT, assert_refused, bench


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A results folder with the ten cells, and one far too short run of ResNet-20."""
    folder = tmp_path_factory.mktemp("results")
    for record in make_grid():
        store.save(folder / "runs", record)
    store.save(
        folder / "runs", make_record(20, network="cifar_resnet", recipe=recipes.quick("cifar10"))
    )
    return folder


def test_the_ledger_is_printed_by_kind_with_reasons_and_totals(results):
    done = bench("claims", "--results", results)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert "Do the networks cost what the paper prints?" in lines
    assert any(line.startswith("reproduced   table1.flops.18: ResNet-18 takes") for line in lines)
    assert lines[-6:-1] == [
        "Arithmetic, costs by formula: 23 reproduced.",
        "Experiments that the paper prints: 45 not run.",
        "What it says of ImageNet, carried to CIFAR-10: 12 not run.",
        "The 2022 project: 27 not run.",
        "Our own hypotheses: 27 not run.",
    ]


def test_what_was_not_run_is_one_line_a_kind_unless_asked_for(results):
    text = bench("claims", "--results", results).stdout
    assert "\nDo they reach the printed errors on ImageNet? 18 not run, need ImageNet\n" in text
    question = "\nDo they reach the printed errors on CIFAR-10?"
    assert f"{question} 9 not run, need ResNet-20, ResNet-32, ResNet-44 and 4 more\n" in text
    assert f"{question}\n" not in text  # nothing of it was judged
    assert "\nnot run  " not in text
    assert text.endswith("--verdict not-run shows each that was not run, and why.\n")
    lines = bench("claims", "--results", results, "--verdict", "not-run").stdout.splitlines()
    assert (
        "not run      shortcut.options.20: ResNet-20 has about the same test error with option A "
        "and option B. [Section 4.1, of 34 layers on ImageNet; said of ImageNet, carried to "
        "CIFAR-10]"
    ) in lines
    assert "             ResNet-20 needs 64,000 iterations, had 200." in lines
    assert lines[-1] == "Our own hypotheses: 27 not run."


def judged(*arguments):
    done = bench("claims", *arguments, "--format", "json")
    return {each["id"]: each for each in json.loads(done.stdout)}


def test_other_formats_have_a_row_a_claim(results):
    done = bench("claims", "--results", results, "--format", "csv")
    rows = {row["id"]: row for row in csv.DictReader(io.StringIO(done.stdout))}
    assert len(rows) == 134
    found = judged("--results", results)["table1.flops.50"]
    assert float(rows["table1.flops.50"]["effect"]) == found["effect"]
    assert rows["table1.flops.50"]["records"].split("; ") == found["records"]
    assert "table1.flops.18" in bench("claims", "--format", "markdown").stdout


def test_folders_of_records_do_as_well_and_several_are_judged_as_one(results, tmp_path):
    found = judged("--results", results / "runs")
    assert len(found["table1.flops.50"]["records"]) == 2
    assert found["table6.error.20"]["reason"] == "ResNet-20 needs 64,000 iterations, had 200."
    store.save(tmp_path, make_record(50, seed=1))
    found = judged("--results", results, "--results", tmp_path)
    assert len(found["table1.flops.50"]["records"]) == 3
    assert judged("--results", f"{results},{tmp_path}") == found


def test_verdicts_can_be_chosen(results):
    found = judged("--results", results, "--verdict", "reproduced")
    assert {each["verdict"] for each in found.values()} == {"reproduced"}
    both = bench("claims", "--results", results, "--verdict", "not-run,refuted")
    assert "\nreproduced " not in both.stdout
    assert "\nnot run " in both.stdout


@pytest.mark.parametrize(
    ("words", "code"),
    [("refuted", 0), ("refuted,inconclusive", 0), ("reproduced", 1), ("not-run", 1)],
)
def test_a_verdict_can_fail_a_build(results, words, code):
    done = bench("claims", "--results", results, "--fail-on", words, "--verdict", "refuted")
    assert done.returncode == code, done.stderr


def test_an_empty_folder_leaves_what_needs_no_training(tmp_path):
    done = bench("claims", "--results", tmp_path)
    assert done.returncode == 0
    assert f"no records in {tmp_path}: only what needs no training is judged" in done.stderr
    assert "23 reproduced" in done.stdout


def test_a_damaged_record_is_left_out_and_told(results, tmp_path):
    cell = store.save(tmp_path, make_record(18))
    (cell / "record.json").write_text("{")
    done = bench("claims", "--results", tmp_path)
    assert done.returncode == 0
    assert re.search("left out: .* is damaged", done.stderr)


@pytest.mark.parametrize(
    ("arguments", "texts"),
    [
        (["--verdict", "true"], ["--verdict true: no such verdict", "reproduced, refuted"]),
        (["--fail-on", "refused"], ["--fail-on refused: no such verdict", "not-run"]),
        (["--results", "nowhere"], ["--results nowhere: there is no such folder"]),
        (["--json=yes"], ["--json"]),
    ],
)
def test_wrong_words_exit_with_2(arguments, texts):
    assert_refused(bench("claims", *arguments), 2, *texts)


def test_all_published_folders_are_judged_together():
    text = bench("claims", "--results", ROOT / "reports" / "published").stdout
    assert "reproduced   project2022.accident.costs_accuracy.18.small: " in text
    assert "reproduced   gradients.healthy.initial: " in text
