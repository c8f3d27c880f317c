"""``python -m bench compare``: formats, refusals, exit codes."""

import csv
import json
import re
import shutil
from dataclasses import replace
from datetime import timedelta

import pytest

from bench.compare import tables
from bench.compare.comparison import compare
from bench.records.folder import read
from tests.support.factories import ENVIRONMENT, START, make_failed, make_record
from tests.support.pages import changed
from tests.support.results import cells, make_speed, slowed, write_results
from tests.support.speeds import make_workload, shorten
from tests.support.tools import HOSTILE, ROOT, assert_refused, bench

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
    row = re.search(r"  training .*", done.stdout).group()
    assert re.search(r"float32 +32 +\d+ +\d+ +0\.769 0\.\d+ to 0\.\d+ +±\d\.\d % slower$", row)
    for text in ("only in A", "failed in B: out of memory",
                 "the noise from seed to seed is not covered",
                 "6 compared: 1 same, 1 slower, 4 too noisy to tell; 2 not compared."):  # fmt: skip
        assert text in done.stdout


LATER = START + timedelta(days=1)
TRAINING = make_speed()
INFERENCE = make_speed(make_workload(direction="inference"))
NOISY = [(0.07, 0.071), (0.1, 0.101), (0.13, 0.131)]


@pytest.fixture
def gate(tmp_path):
    """What a build is told of B, beside an A with two timings and two cells of each seed."""
    a_cells = cells(9000, 9010)
    a = write_results(tmp_path / "a", a_cells, [TRAINING, INFERENCE])

    def told(workloads, b_cells, *options):
        moved = [each.model_copy(update={"started_at": LATER}) for each in workloads]
        b = write_results(tmp_path / "b", map(changed, b_cells or a_cells), moved)
        return bench("compare", a, b, *options)

    return told


@pytest.mark.parametrize(
    ("workloads", "options", "code", "why"),
    [
        ([TRAINING, INFERENCE], ["--fail-on", "slower"], 0, ""),
        ([TRAINING, INFERENCE], ["--max-slowdown", "10", "--fail-on", "slower,worse"], 0, ""),
        ([slowed(TRAINING, 1.3), INFERENCE], ["--fail-on", "slower"], 1, "fails: 1 slower"),
        ([slowed(TRAINING, 1.3), INFERENCE], ["--fail-on", "worse,faster"], 0, ""),
        ([slowed(TRAINING, 1.3), INFERENCE], [], 0, ""),
        ([slowed(TRAINING, 1.3), INFERENCE], ["--max-slowdown", "5"], 1,
         "fails: 1 slower by more than 5 %"),
        ([slowed(TRAINING, 1.3), INFERENCE], ["--max-slowdown", "30"], 3,
         "cannot tell: 1 possibly slower by more than 30 %"),
        ([slowed(TRAINING, 1.3), INFERENCE], ["--max-slowdown", "60"], 0, ""),
        ([slowed(TRAINING, 0.5), INFERENCE], ["--max-slowdown", "5.5"], 0, ""),
        ([TRAINING, make_speed(INFERENCE.workload, rounds=NOISY)], ["--fail-on", "slower"], 3,
         "cannot tell: 1 speed too noisy to tell"),
        ([TRAINING, make_speed(INFERENCE.workload, rounds=NOISY)],
         ["--fail-on", "too-noisy-to-tell"], 1, "fails: 1 too noisy to tell"),
        ([TRAINING], ["--fail-on", "slower"], 1, "fails: 1 of A not compared, or not read (--"),
        ([TRAINING], ["--fail-on", "worse"], 1, "fails: 1 of A not compared"),
        ([TRAINING], ["--max-slowdown", "10"], 1, "fails: 1 of A not compared"),
        ([TRAINING], ["--fail-on", "slower", "--allow-missing"], 0, ""),
        ([TRAINING, make_speed(INFERENCE.workload, status="failed", reason="no", rounds=())],
         ["--fail-on", "slower"], 1, "fails: 1 of A not compared"),
        ([TRAINING, INFERENCE, make_speed(make_workload(batch_size=2))],
         ["--fail-on", "slower"], 0, ""),
    ],
)  # fmt: skip
def test_a_build_passes_only_where_all_is_shown(gate, workloads, options, code, why):
    done = gate(workloads, None, *options)
    assert done.returncode == code, done.stderr
    assert done.stderr.startswith(why)
    assert bool(why) == bool(done.stderr)


def test_a_lost_seed_fails_a_build(gate):
    done = gate([TRAINING, INFERENCE], cells(9000), "--fail-on", "faster")
    assert (done.returncode, "1 of A not compared" in done.stderr) == (1, True)
    assert "1 completed in B, 2 in A" in done.stdout


def test_a_file_that_cannot_be_read_fails_a_build(gate, tmp_path):
    bad = tmp_path / "a" / "speed" / "bad.json"
    bad.write_text("{")
    done = gate([TRAINING, INFERENCE], None, "--fail-on", "slower")
    assert (done.returncode, "fails: 1 of A not compared" in done.stderr) == (1, True)


def test_a_kind_of_which_nothing_was_compared_cannot_pass(tmp_path):
    for name, record in (("a", TRAINING), ("b", slowed(TRAINING, 1.01))):
        write_results(tmp_path / name, [], [record])
    done = bench("compare", tmp_path / "a", tmp_path / "b", "--fail-on", "worse")
    assert (done.returncode, done.stderr) == (3, "cannot tell: no accuracy was compared\n")


@pytest.mark.parametrize("option", [["--fail-on", "slower"], ["--max-slowdown", "5"]])
def test_a_build_that_has_not_run_is_refused(folders, tmp_path, option):
    copy = shutil.copytree(folders[0], tmp_path / "copy")
    for b in (folders[0], copy):
        assert_refused(bench("compare", folders[0], b, *option), 2, "records are those of")
        assert bench("compare", folders[0], b).returncode == 0


def test_json_holds_everything_unrounded(comparison):
    content = json.loads(tables.as_json(comparison, comparison.findings))
    found = {(each["name"], each["quantity"]): each for each in content["compared"]}
    slower = found[WORK, "training"]
    assert slower["verdict"] == "slower"
    assert slower["effect"] == pytest.approx(1 / 1.3, rel=1e-12)
    assert slower["low"] < slower["effect"] < slower["high"] < 1
    assert slower["visible"] == pytest.approx(slower["high"] / slower["effect"])
    assert (slower["direction"], slower["precision"], slower["batch_size"]) == (
        "training", "float32", 32,
    )  # fmt: skip
    assert content["schema_version"] == 2
    assert {each["kind"] for each in content["compared"]} <= content["units"].keys()
    assert content["conditions"][0]["what"] == "machine"
    reasons = [each["why"] for each in content["not_compared"]]
    assert reasons == ["only in A", "failed in B: out of memory"]


def test_csv_has_a_line_for_each_quantity(comparison, folders):
    rows = list(csv.DictReader(tables.csv(comparison, comparison.findings).splitlines()))
    assert len(rows) == 6
    assert {row["kind"] for row in rows} == {"speed", "accuracy"}
    latency = next(row for row in rows if row["quantity"] == "latency")
    assert (latency["direction"], latency["precision"], latency["batch_size"]) == (
        "inference", "bfloat16", "1",
    )  # fmt: skip
    head, *none = tables.csv(comparison, []).splitlines()
    assert (head.split(","), none) == (list(rows[0]), [])
    done = bench("compare", *folders, "--format", "csv")
    assert len(list(csv.DictReader(done.stdout.splitlines()))) == 6
    assert "not compared: " in done.stderr


def test_markdown_tables_stay_whole(comparison):
    text = tables.markdown(comparison, comparison.findings)
    for block in re.split(r"### .*\n\n", text)[1:]:
        lines = [line for line in block.splitlines() if line.startswith("|")]
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) == 1
    assert "<script" not in text
    assert r"\| a\_b 5%\\n\\\\end" in text  # the line break as Python writes it


def test_latex_is_escaped_and_balanced(comparison):
    text = tables.latex(comparison, comparison.findings)
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") == 5
    assert r"a\_b 5\%" in text
    assert "Visible" in text
    assert r"\textbackslash end" in text


def test_the_table_fits_a_terminal(folders):
    for options in ([], ["--only", "changed"]):
        done = bench("compare", *folders, *options, COLUMNS="80")
        assert max(map(len, done.stdout.splitlines())) <= 80


def test_what_has_changed_can_stand_alone(folders):
    done = bench("compare", *folders, "--only", "changed")
    assert re.findall(r" (same|slower|too noisy)$", done.stdout, re.M) == ["slower"]
    assert "6 compared: 1 same, 1 slower, 4 too noisy to tell" in done.stdout


def test_the_largest_change_comes_first_whichever_way(comparison):
    shown = tables.select(comparison.findings, changed=False, by_change=True)
    assert shown[0].verdict == "slower"
    assert [each.kind for each in shown] == ["speed"] * 5 + ["accuracy"]
    sizes = [each.size for each in shown[:5]]
    assert sizes == sorted(sizes, reverse=True)
    turned = [replace(each, effect=1 / each.effect) for each in shown[:5]]
    assert tables.select(turned, changed=False, by_change=True) == turned


def test_what_was_not_compared_is_counted_by_reason(tmp_path):
    many = [make_speed(make_workload(batch_size=2**power)) for power in range(9)]
    a = write_results(tmp_path / "a", [], [TRAINING, *many])
    b = write_results(tmp_path / "b", [], [TRAINING])
    done = bench("compare", a, b)
    assert re.search(r"only in A  8 .* and 5 more", " ".join(done.stdout.split("\n")))


def test_the_gate_of_the_documents_gates(tmp_path, monkeypatch):
    """Its commands as they stand there, short; then on timings whose verdicts are known."""
    shorten(monkeypatch)
    lines = re.findall(
        r"- run: cd (\w+) && python -m bench (.*)", (ROOT / "docs/ci.md").read_text()
    )
    assert [command.split()[0] for _, command in lines] == ["speed", "speed", "compare"]
    codes = []
    for folder, command in lines:
        (tmp_path / folder).mkdir(exist_ok=True)
        monkeypatch.chdir(tmp_path / folder)
        codes.append(bench(*command.split()).returncode)
    assert codes[:2] == [0, 0]
    assert codes[2] in (0, 1, 3)
    made = {path.name for path in (tmp_path / "results" / "b" / "speed").iterdir()}
    assert made == {path.name for path in (tmp_path / "results" / "a" / "speed").iterdir()}
    shutil.rmtree(tmp_path / "results")
    for b, code in (
        ([slowed(TRAINING, 1.02), INFERENCE], 0),
        ([slowed(TRAINING, 1.3), INFERENCE], 1),
        ([TRAINING], 1),
        ([TRAINING, make_speed(INFERENCE.workload, rounds=NOISY)], 3),
    ):
        shutil.rmtree(tmp_path / "results", ignore_errors=True)
        write_results(tmp_path / "results" / "a", [], [TRAINING, INFERENCE])
        moved = [each.model_copy(update={"started_at": LATER}) for each in b]
        write_results(tmp_path / "results" / "b", [], moved)
        assert bench(*lines[-1][1].split()).returncode == code


@pytest.mark.parametrize("form", ["markdown", "latex", "json"])
def test_every_format_is_written(folders, form):
    done = bench("compare", *folders, "--format", form)
    assert done.returncode == 0, done.stderr
    assert "resnet18-paper-imagenet-3x32-10classes" in done.stdout


def test_a_comparison_goes_to_a_file(folders, tmp_path):
    for form in ("table", "csv"):
        done = bench("compare", *folders, "--format", form)
        to_file = bench("compare", *folders, "--format", form, "--output", tmp_path / form)
        assert (tmp_path / form).read_text() == done.stdout
        assert (to_file.stdout, to_file.stderr) == ("", done.stderr)


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
        (["{a}", "{b}", "--fail-on", ""], ["--fail-on without a word; give one of faster, slower"]),
        (["{a}", "{b}", "--max-slowdown", "nan"], ["--max-slowdown nan: give percent above 0"]),
        (["{a}", "{b}", "--max-slowdown", "0"], ["--max-slowdown 0: give percent above 0"]),
    ],
)
def test_wrong_words_exit_with_2(folders, arguments, texts):
    names = dict(zip("ab", map(str, folders), strict=True))
    done = bench("compare", *(argument.format(**names) for argument in arguments))
    assert_refused(done, 2, *texts)


def test_nothing_alike_exits_with_2(folders, tmp_path):
    b = write_results(tmp_path, [make_record(50)])
    assert_refused(bench("compare", folders[0], b), 2, r"nothing in .* can be compared with")
