"""How far runs of the same lie apart, from further runs, and how rightly it is then judged."""

import json
import math
import shutil
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from bench.cli.app import app
from bench.compare import tables
from bench.compare.comparison import compare
from bench.compare.noise import NOT_MEASURED, measure_noise
from bench.compare.timings import RUN
from bench.errors import UsageError
from bench.records.schema import Speed
from bench.stats import total
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


def results(tmp_path, name, *workloads, cells=()):
    return make_results(tmp_path / name, cells, workloads)


def slowed_cell(record, factor):
    """``record`` with a latency ``factor`` times as long."""
    seconds = tuple(factor * each for each in record.speed.latency_seconds)
    return record.model_copy(
        update={"speed": Speed(**record.speed.model_dump() | {"latency_seconds": seconds})}
    )


def test_the_deviation_is_that_of_runs_over_all_timings(tmp_path):
    """Three runs of two timings: their pooled variance, which the two parts add up to."""
    factors = np.array([[1, 1.1, 0.95], [1, 1.02, 0.9]])
    a, *more = (
        results(tmp_path, str(n), slowed(TRAINING, train), slowed(INFERENCE, infer))
        for n, (train, infer) in enumerate(factors.T)
    )
    found = measure_noise(a, more)
    assert (found.runs, found.timings) == (3, 2)
    logs = np.log(factors)
    assert found.deviation == pytest.approx(math.sqrt(logs.var(axis=1, ddof=1).mean()))
    assert [part.freedom for part in found.parts] == [2, 2]


def test_timings_that_move_together_tell_no_more_than_one(tmp_path):
    """Ten timings, all 10 % longer in the second run: one ratio, not ten."""
    a = results(tmp_path, "a", *map(make_speed, WORKLOADS))
    slow = results(tmp_path, "b", *(slowed(make_speed(each), 1.1) for each in WORKLOADS))
    found = measure_noise(a, [slow])
    assert total(found.parts).freedom == pytest.approx(1)
    assert found.deviation == pytest.approx(math.log(1.1) / math.sqrt(2))


def test_runs_that_agree_leave_what_is_assumed(tmp_path):
    a, b, again = (
        results(tmp_path, n, slowed(TRAINING, f)) for n, f in zip("abc", (1, 1.1, 1), strict=True)
    )
    alone, beside = compare(a, b).findings[0], compare(a, b, [again]).findings[0]
    assert beside.visible == pytest.approx(alone.visible, rel=1e-3)
    assert compare(a, b).noise == NOT_MEASURED


def test_what_cells_were_timed_by_counts_too(tmp_path):
    cell = make_record()
    a = results(tmp_path, "a", cells=[cell])
    found = measure_noise(a, [results(tmp_path, "b", cells=[slowed_cell(cell, 1.2)])])
    assert found.deviation == pytest.approx(math.log(1.2) / math.sqrt(2 * 3))
    assert (found.runs, found.timings) == (2, 3)  # training, inference, latency


def test_every_speed_is_judged_by_what_repeats_show(tmp_path):
    a = results(tmp_path, "a", TRAINING, INFERENCE)
    b = results(tmp_path, "b", slowed(TRAINING, 1.15), slowed(INFERENCE, 1.15))
    repeat = results(tmp_path, "again", slowed(TRAINING, 1.2), slowed(INFERENCE, 0.9))
    alone, beside = compare(a, b), compare(a, b, [repeat])
    assert {each.verdict for each in alone.findings} == {"slower"}
    assert {each.verdict for each in beside.findings} == {"too noisy to tell"}
    for before, now in zip(alone.findings, beside.findings, strict=True):
        assert before.change is not None
        assert now.change is not None
        measured = now.change.error**2 - before.change.error**2
        assert measured == pytest.approx(2 * beside.noise.deviation**2)


def test_accuracies_know_nothing_of_it(tmp_path):
    cell = make_record()
    a, again = (
        results(tmp_path, n, cells=[slowed_cell(cell, f)])
        for n, f in zip("ab", (1, 1.2), strict=True)
    )
    assert compare(a, a).findings[-1] == compare(a, a, [again]).findings[-1]


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
    assert found.deviation == pytest.approx(math.log(1.1) / math.sqrt(2))
    assert found.timings == 1


def test_timings_that_a_later_repeat_lacks_are_left_out(tmp_path):
    a = results(tmp_path, "a", TRAINING, INFERENCE)
    both = results(tmp_path, "b", slowed(TRAINING, 1.1), slowed(INFERENCE, 1.1))
    one, other = (results(tmp_path, "c", slowed(each, 0.9)) for each in (TRAINING, INFERENCE))
    assert measure_noise(a, [both, one]).timings == 1
    with pytest.raises(UsageError, match="timed nothing that A has"):
        measure_noise(a, [one, other])


def test_the_output_says_where_the_noise_comes_from(tmp_path):
    a, b = results(tmp_path, "a", TRAINING), results(tmp_path, "b", slowed(TRAINING, 1.1))
    for repeats, measured in (([], None), ([b], pytest.approx(math.log(1.1) / math.sqrt(2)))):
        compared = compare(a, a, repeats)
        words = tables.noise_words(compared.noise)
        assert ("--repeat" in words) == (not repeats)
        assert ("6.7 %" in words) == bool(repeats)
        assert "1.1 %" in words
        for text in (
            tables.markdown(compared, compared.findings),
            tables.latex(compared, compared.findings).replace(r"\%", "%"),
        ):
            assert words in text
        assert json.loads(tables.as_json(compared, compared.findings))["noise"] == {
            "assumed": RUN,
            "measured": measured,
            "runs": 1 + len(repeats),
            "timings": len(repeats),
        }


def test_no_noise_is_told_where_no_speed_was_compared(tmp_path):
    cell = make_record().model_copy(update={"speed": None})
    a = results(tmp_path, "a", cells=[cell])
    assert "as a whole" not in tables.markdown(compare(a, a), [])


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
    assert "It is assumed" in alone.output
    done = run_compare(a, b, "--fail-on", "slower", "--repeat", again)
    assert done.exit_code == 3
    assert "2 runs, 1 timings in each, were measured to differ" in " ".join(done.output.split())
    written = run_compare(a, b, "--format", "csv", "--repeat", again)
    assert "noise: It is assumed" in written.stderr


@pytest.mark.parametrize(
    ("repeats", "text"),
    [
        (["{a}"], "a: 1 of its records stand in a folder that is given already"),
        (["{b}"], "b: 1 of its records"),
        (["{again}", "{again}/../again"], "again: 1 of its records"),
        (["{copy}"], "copy: 1 of its records"),
        (["{again}", "nowhere"], "nowhere: there is no such folder"),
    ],
)
def test_a_folder_that_is_no_further_run_is_refused(folders, tmp_path, repeats, text):
    names = dict(zip(("a", "b", "again"), folders, strict=True))
    names["copy"] = shutil.copytree(folders[0], tmp_path / "copy")
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


def shares(tmp_path, repeats, *, workloads, together, comparisons):
    """Percent of each verdict on two runs of the same, which differ by 8 % as a whole.

    ``together``: all workloads of a run by the same factor, rather than each by its own.
    """
    found = Counter[str]()
    rng = np.random.default_rng(7)
    noise = replace(WANDERING, run=0) if together else WANDERING

    def run():
        factor = math.exp(rng.normal(0, WANDERING.run)) if together else 1
        made = [
            make_speed(each, rounds=noisy_rounds(rng, noise, seconds=0.1 * factor))
            for each in WORKLOADS[:workloads]
        ]
        return results(tmp_path, "run", *made)

    for _ in range(comparisons):
        baseline, candidate, *more = (run() for _ in range(2 + repeats))
        found.update(each.verdict for each in compare(baseline, candidate, more).findings)
    percent = {word: round(100 * count / found.total(), 1) for word, count in found.items()}
    print(f"\n{workloads} workloads, {repeats} repeats, {together=}: {percent}")
    return found["faster"] + found["slower"], found.total()


MOST_WRONG = {1: 0.12, 2: 0.07, 5: 0.05}
"""By repeats, as a share: a single one measures too little, and the documents say so."""


@pytest.mark.parametrize(
    ("repeats", "together", "comparisons"),
    [
        (1, False, 20),
        (2, True, 40),
        *(
            pytest.param(repeats, together, 200, marks=pytest.mark.slow)
            for repeats in MOST_WRONG
            for together in (False, True)
        ),
    ],
)
def test_on_a_machine_whose_speed_wanders_repeats_keep_verdicts_right(
    tmp_path, repeats, together, comparisons
):
    size = {"workloads": 10, "together": together, "comparisons": comparisons}
    wrong, compared = shares(tmp_path, repeats, **size)
    assert wrong <= MOST_WRONG[repeats] * compared


@pytest.mark.parametrize("repeats", [1, *(pytest.param(n, marks=pytest.mark.slow) for n in (2, 5))])
def test_a_single_workload_is_judged_as_carefully(tmp_path, repeats):
    wrong, compared = shares(tmp_path, repeats, workloads=1, together=False, comparisons=300)
    assert wrong <= MOST_WRONG[repeats] * compared


def test_without_repeats_such_a_machine_is_not_known(tmp_path):
    """So the documents say: what no run shows cannot be judged."""
    wrong, compared = shares(tmp_path, 0, workloads=10, together=False, comparisons=10)
    assert wrong > 0.3 * compared
