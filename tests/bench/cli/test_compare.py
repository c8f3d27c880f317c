"""``python -m bench compare``: formats, refusals, exit codes."""

import csv
import json
import re

import pytest

from bench.compare import tables
from bench.compare.comparison import compare
from bench.records.folder import read
from tests.support.factories import ENVIRONMENT, make_failed, make_record
from tests.support.results import make_speed, slowed, write_results
from tests.support.speeds import make_workload
from tests.support.tools import HOSTILE, assert_refused, bench

WORK = make_speed().workload.id


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """B does one workload in 1.3 times the time, and has cells with a hostile machine's name."""
    root = tmp_path_factory.mktemp("results")
    named = ENVIRONMENT.model_copy(update={"device_name": f"{HOSTILE} | a_b 5%\n\\end"})
    same = make_speed(make_workload(direction="inference"))
    lone = make_speed(make_workload(batch_size=1))
    a = write_results(root / "a", [make_record(), make_record(34)], [make_speed(), same, lone])
    b_cells = [make_record(environment=named), make_failed(34)]
    b = write_results(root / "b", b_cells, [slowed(make_speed(), 1.3), same])
    return a, b


@pytest.fixture(scope="module")
def comparison(folders):
    a, b = map(read, folders)
    return compare(a, b)


def test_the_table_says_what_differs_then_what_was_found(folders):
    done = bench("compare", *folders)
    assert (done.returncode, done.stderr) == (0, "")
    titles = ["What differs between A and B", "Speed", "Accuracy", "Notes", "Not compared"]
    places = [done.stdout.index(f"\n{title}\n" if n else title) for n, title in enumerate(titles)]
    assert places == sorted(places)
    row = re.search(rf"{WORK} .*", done.stdout).group()
    assert re.search(r" 30, 30 +0\.769 +0\.\d+ to 0\.\d+ +±\d\.\d % +< 0\.001  slower", row)
    for text in ("only in A", "failed in B: out of memory",
                 "the noise from seed to seed is not covered",
                 "6 compared: 5 same within noise, 1 slower; 2 not compared."):  # fmt: skip
        assert text in done.stdout


@pytest.mark.parametrize(
    ("words", "code"),
    [(["slower"], 1), (["faster", "slower"], 1), (["faster,worse"], 0), (["undecided"], 0)],
)
def test_a_verdict_can_fail_a_build(folders, words, code):
    done = bench("compare", *folders, *[part for word in words for part in ("--fail-on", word)])
    assert done.returncode == code, done.stderr
    assert "slower" in done.stdout


def test_json_holds_everything_unrounded(comparison):
    content = json.loads(tables.as_json(comparison))
    found = {(each["name"], each["quantity"]): each for each in content["compared"]}
    slower = found[WORK, "training"]
    assert slower["verdict"] == "slower"
    assert slower["effect"] == pytest.approx(1 / 1.3, rel=1e-12)
    assert slower["low"] < slower["effect"] < slower["high"]
    assert content["conditions"][0]["what"] == "machine"
    reasons = [each["why"] for each in content["not_compared"]]
    assert reasons == ["only in A", "failed in B: out of memory"]


def test_csv_has_a_line_for_each_quantity(comparison, folders):
    rows = list(csv.DictReader(tables.csv(comparison).splitlines()))
    assert len(rows) == 6
    assert {row["kind"] for row in rows} == {"speed", "accuracy"}
    done = bench("compare", *folders, "--format", "csv")
    assert len(list(csv.DictReader(done.stdout.splitlines()))) == 6
    assert "not compared: " in done.stderr


def test_markdown_tables_stay_whole(comparison):
    text = tables.markdown(comparison)
    for block in re.split(r"### .*\n\n", text)[1:]:
        lines = [line for line in block.splitlines() if line.startswith("|")]
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) == 1
    assert "<script" not in text
    assert r"\| a\_b 5%\\n\\\\end" in text  # the line break as Python writes it


def test_latex_is_escaped_and_balanced(comparison):
    text = tables.latex(comparison)
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") == 5
    assert r"a\_b 5\%" in text
    assert r"95 \% interval" in text
    assert r"\textbackslash end" in text


@pytest.mark.parametrize("form", ["markdown", "latex", "json"])
def test_every_format_is_written(folders, form):
    done = bench("compare", *folders, "--format", form)
    assert done.returncode == 0, done.stderr
    assert WORK.replace("_", r"\_") in done.stdout or WORK in done.stdout


def test_damaged_files_are_left_out_and_told(folders, tmp_path):
    b = write_results(tmp_path, [make_record()], [make_speed()])
    (b / "speed" / "x.json").write_text('{"schema_version": 9}')
    next((b / "runs").glob("*/record.json")).write_text("{")
    done = bench("compare", folders[0], b)
    assert done.returncode == 0, done.stderr
    assert "schema version 9, this program reads 1" in done.stderr
    assert "is damaged" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "texts"),
    [
        (["nowhere", "nowhere"], ["nowhere: there is no such folder"]),
        (["{a}", "docs"], ["docs holds no record that can be read", "bench run --out docs"]),
        (["{a}"], ["Missing argument 'B'"]),
        (["{a}", "{b}", "--format", "pdf"], ["'pdf'", "markdown"]),
        (["{a}", "{b}", "--fail-on", "bad"], ["--fail-on bad: no such verdict; there are faster"]),
    ],
)
def test_wrong_words_exit_with_2(folders, arguments, texts):
    names = dict(zip("ab", map(str, folders), strict=True))
    done = bench("compare", *(argument.format(**names) for argument in arguments))
    assert_refused(done, 2, *texts)


def test_nothing_alike_exits_with_2(folders, tmp_path):
    b = write_results(tmp_path, [make_record(50)])
    assert_refused(bench("compare", folders[0], b), 2, r"nothing in .* can be compared with")
