"""``python -m bench history``: tables, JSON, and what cannot be shown."""

import json

import pytest

from tests.bench.compare.test_history import timed
from tests.support.results import write_results
from tests.support.tools import assert_refused, bench


@pytest.fixture
def results(tmp_path):
    """Four folders; the last two are slower."""
    return [
        write_results(tmp_path / each.folder, workloads=each.workloads)
        for each in timed(1, 1.01, 1.25, 1.26)
    ]


def test_the_table_has_a_line_a_commit_and_tells_the_step(results):
    done = bench("history", *results[::-1])
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].endswith(", images/s, on Example CPU @ 2.10GHz, 2 threads")
    assert [line.split()[2] for line in lines[3:7]] == [f"commit{day}" for day in range(4)]
    assert [line.split()[-1] == "%" for line in lines[3:7]] == [False, False, True, False]
    assert f"−19.9 % between {results[1]} and {results[2]}: from " in done.stdout
    assert "No step." not in done.stdout


def test_json_has_a_row_a_point(results):
    table = json.loads(bench("history", *results, "--json").stdout)
    assert [row["commit"] for row in table] == [f"commit{day}" for day in range(4)]
    assert [row["step"] is None for row in table] == [True, True, False, True]
    assert (
        bench("history", *results, "--format", "json").stdout == json.dumps(table, indent=1) + "\n"
    )
    assert bench("history", *results, "--format", "csv").stdout.count("\n") == 5


def test_few_results_are_said_to_be_too_few_and_a_folder_counts_once(results):
    done = bench("history", results[0], f"{results[1]},{results[1].parent / 'day1'}", results[0])
    assert "Too few results for a step: 4 are needed." in done.stdout
    assert done.stdout.count("commit") == 2


def test_what_is_not_there_is_named(results, tmp_path):
    done = bench("history", *results, "--of", "resnet152")
    assert_refused(
        done, 2, "none of the 4 folders has speed of anything with resnet152 in its name"
    )
    done = bench("history", *results, "--quantity", "accuracy")
    assert_refused(done, 2, "has accuracy of anything; --quantity and --of choose something else")
    assert_refused(bench("history", tmp_path / "no"), 2, "there is no such folder")
    assert_refused(bench("history", *results, "--quantity", "loss"), 2, "'loss' is not one of")
    assert_refused(bench("history"), 2, "Missing argument")
