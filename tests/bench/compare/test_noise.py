"""The noise floor of a machine from further runs of the same, and how rightly it then judges."""

import json
import math
from collections import Counter
from dataclasses import replace
from itertools import count

import numpy as np
import pytest
from typer.testing import CliRunner

from bench.cli.app import app
from bench.compare import tables
from bench.compare.comparison import ASSUMED, Noise, compare, measure_noise
from bench.compare.timings import LEAST_FLOOR
from bench.errors import UsageError
from bench.records.schema import Speed
from tests.support.factories import ENVIRONMENT, make_failed, make_record
from tests.support.results import (
    QUIET_NOISE,
    make_results,
    make_speed,
    noisy_rounds,
    slowed,
    write_results,
)
from tests.support.speeds import make_workload

TRAINING = make_speed()
INFERENCE = make_speed(make_workload(direction="inference"))
ELSEWHERE = ENVIRONMENT.model_copy(update={"threads": 1, "torch": "2.14.1"})
SAME = "same within noise"


def results(tmp_path, name, *workloads, cells=()):
    return make_results(tmp_path / name, cells, workloads)


def slowed_cell(record, factor):
    """``record`` with a latency ``factor`` times as long."""
    seconds = tuple(factor * each for each in record.speed.latency_seconds)
    return record.model_copy(
        update={"speed": Speed(**record.speed.model_dump() | {"latency_seconds": seconds})}
    )


def test_the_floor_is_the_largest_ratio_of_any_two_runs(tmp_path):
    a = results(tmp_path, "a", TRAINING, INFERENCE)
    slow = results(tmp_path, "slow", slowed(TRAINING, 1.1), slowed(INFERENCE, 1.02))
    fast = results(tmp_path, "fast", slowed(TRAINING, 0.95))
    found = measure_noise(a, [slow, fast])
    assert found.largest == pytest.approx(math.log(1.1 / 0.95))
    assert (found.runs, found.ratios) == (3, 3 + 1)
    assert found.floor == found.largest


def test_runs_that_agree_leave_what_is_assumed(tmp_path):
    found = measure_noise(
        results(tmp_path, "a", TRAINING), [results(tmp_path, "b", slowed(TRAINING, 1.01))]
    )
    assert found.largest == pytest.approx(math.log(1.01))
    assert found.floor == LEAST_FLOOR == ASSUMED.floor


def test_what_cells_were_timed_by_counts_too(tmp_path):
    cell = make_record()
    a = results(tmp_path, "a", cells=[cell])
    found = measure_noise(a, [results(tmp_path, "b", cells=[slowed_cell(cell, 1.2)])])
    assert found.largest == pytest.approx(math.log(1.2))
    assert (found.runs, found.ratios) == (2, 3)  # training, inference, latency


def test_every_speed_is_findings_by_the_measured_floor(tmp_path):
    cell = make_record()
    a = results(tmp_path, "a", TRAINING, cells=[cell])
    b = results(tmp_path, "b", slowed(TRAINING, 1.15), cells=[slowed_cell(cell, 1.15)])
    repeat = results(tmp_path, "again", slowed(TRAINING, 1.2))
    alone, beside = compare(a, b), compare(a, b, [repeat])
    assert alone.noise == ASSUMED
    slower = Counter(each.verdict for each in alone.findings if each.kind == "speed")
    assert slower["slower"] >= 1
    for before, now in zip(alone.findings, beside.findings, strict=True):
        if now.kind == "accuracy":
            assert now == before
            continue
        assert now.verdict == SAME
        assert before.floor is not None
        scatter = math.log1p(before.floor) ** 2 - LEAST_FLOOR**2
        floor = math.sqrt(beside.noise.floor**2 + scatter)
        assert now.floor == pytest.approx(math.expm1(floor))


@pytest.mark.parametrize(
    ("theirs", "cells", "why"),
    [
        ([make_speed(environment=ELSEWHERE)], [], r"threads \(2 against 1\), PyTorch \(2.9.0\+cpu"),
        ([make_speed(parameters=5)], [], r"parameters \(11181642 against 5\)"),
        ([make_speed(status="failed", reason="no", rounds=())], [], "it has timed nothing that A"),
        ([make_speed(rounds=((1e12,),))], [], "it has timed nothing that A has"),
        ([INFERENCE], [make_failed()], "it has timed nothing that A has"),
        ([], [make_record(recipe={"epochs": 5})], r"recipe: epochs \(4 against 5\)"),
        ([], [make_record(environment=ELSEWHERE)], r"threads \(2 against 1\)"),
    ],
)
def test_a_repeat_of_something_else_is_refused(tmp_path, theirs, cells, why):
    a = results(tmp_path, "a", TRAINING, cells=[make_record()])
    good = results(tmp_path, "good", slowed(TRAINING, 1.1))
    end = "Name a further run of what .*a ran, on the same machine with the same software"
    with pytest.raises(UsageError, match=rf"--repeat .*bad: .*{why}.*\. {end}"):
        measure_noise(a, [good, results(tmp_path, "bad", *theirs, cells=cells)])


def test_a_repeat_counts_as_far_as_it_is_like_a(tmp_path):
    a = results(tmp_path, "a", TRAINING, INFERENCE)
    moved = slowed(INFERENCE, 2, environment=ELSEWHERE)
    found = measure_noise(a, [results(tmp_path, "b", slowed(TRAINING, 1.1), moved)])
    assert found.largest == pytest.approx(math.log(1.1))
    assert found.ratios == 1


def test_the_output_says_where_the_floor_comes_from(tmp_path):
    noise = Noise(largest=math.log(1.082), runs=3, ratios=18)
    assert tables.noise_words(noise).startswith(
        "Runs of the same differ by up to 8.2 %: the largest of 18 ratios between 3 runs."
    )
    agreeing = tables.noise_words(replace(noise, largest=math.log(1.01)))
    assert "up to 1.0 %" in agreeing
    assert "The floors are made with 3.0 %" in agreeing
    a, b = results(tmp_path, "a", TRAINING), results(tmp_path, "b", slowed(TRAINING, 1.01))
    for repeats, largest in (([], None), ([b], pytest.approx(0.01))):
        compared = compare(a, a, repeats)
        words = tables.noise_words(compared.noise)
        for text in (tables.markdown(compared), tables.latex(compared).replace(r"\%", "%")):
            assert words in text
        assert json.loads(tables.as_json(compared))["noise_floor"] == {
            "floor": pytest.approx(math.expm1(LEAST_FLOOR)),
            "runs": 1 + len(repeats),
            "ratios": len(repeats),
            "largest": largest,
        }
    assert "assumed, not measured" in tables.noise_words(ASSUMED)
    assert "--repeat" in tables.noise_words(ASSUMED)


def test_no_floor_is_told_where_no_speed_was_compared(tmp_path):
    cell = make_record().model_copy(update={"speed": None})
    a = results(tmp_path, "a", cells=[cell])
    assert "noise floor" not in tables.markdown(compare(a, a))


def run_compare(*arguments):
    return CliRunner().invoke(app, ["compare", *map(str, arguments)])


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A, B that takes 1.15 times as long, and a further run of A that took 1.2 times as long."""
    root = tmp_path_factory.mktemp("results")
    return [
        write_results(root / name, [], [slowed(TRAINING, factor)])
        for name, factor in (("a", 1), ("b", 1.15), ("again", 1.2))
    ]


def test_repeats_on_the_command_line(folders):
    a, b, again = folders
    alone = run_compare(a, b, "--fail-on", "slower")
    assert alone.exit_code == 1
    assert "assumed, not measured" in alone.output
    done = run_compare(a, b, "--fail-on", "slower", "--repeat", again)
    assert done.exit_code == 0
    assert "differ by up to 20.0 %: the only ratio between 2 runs" in done.output
    written = run_compare(a, b, "--format", "csv", "--repeat", again)
    assert "noise floor: Runs of the same differ by up to 20.0 %" in written.stderr


@pytest.mark.parametrize(
    ("repeats", "text"),
    [
        (["{a}"], "a: this folder is given already. Name a further run"),
        (["{b}"], "b: this folder is given already"),
        (["{again}", "{again}/../again"], "again: this folder is given already"),
        (["{again}", "nowhere"], "nowhere: there is no such folder"),
    ],
)
def test_a_folder_that_is_no_further_run_is_refused(folders, repeats, text):
    names = dict(zip(("a", "b", "again"), folders, strict=True))
    options = [word for name in repeats for word in ("--repeat", name.format(**names))]
    refused = run_compare(*folders[:2], *options).exception
    assert isinstance(refused, UsageError)
    assert text in str(refused)


WANDERING = replace(QUIET_NOISE, run=0.08)
WORKLOADS = [
    make_workload(direction=direction, batch_size=2**power)
    for direction in ("training", "inference")
    for power in range(1, 6)
]


def share_of_same(tmp_path, repeats, *, workloads, comparisons):
    """Of what is said of two runs of the same, each with so many workloads."""
    numbers, found = count(), Counter[str]()

    def run():
        rng = np.random.default_rng((7, next(numbers)))
        made = [
            make_speed(each, rounds=noisy_rounds(rng, WANDERING)) for each in WORKLOADS[:workloads]
        ]
        return results(tmp_path, "run", *made)

    for _ in range(comparisons):
        baseline, candidate, *more = (run() for _ in range(2 + repeats))
        found.update(each.verdict for each in compare(baseline, candidate, more).findings)
    share = found[SAME] / found.total()
    print(f"\n{workloads} workloads, {repeats} repeats: {100 * share:g} % {SAME}")
    return share


@pytest.mark.parametrize("comparisons", [6, pytest.param(20, marks=pytest.mark.slow)])
def test_on_a_machine_whose_speed_wanders_repeats_keep_verdicts_right(tmp_path, comparisons):
    """Each workload of each run is off by 8 %, which no round in it shows."""
    size = {"workloads": 10, "comparisons": comparisons}
    assert share_of_same(tmp_path, 0, **size) < 0.4
    assert share_of_same(tmp_path, 2, **size) >= 0.95


@pytest.mark.parametrize("comparisons", [40, pytest.param(200, marks=pytest.mark.slow)])
def test_a_single_workload_needs_more_repeats(tmp_path, comparisons):
    """So does a machine that is slow as a whole for a whole run: the documents say so."""
    size = {"workloads": 1, "comparisons": comparisons}
    few, many = (share_of_same(tmp_path, repeats, **size) for repeats in (2, 5))
    assert 0.6 < few < many
    assert many >= 0.85
