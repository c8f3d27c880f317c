"""What only a process of its own shows: what it imports, where its output goes, how it stops."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bench.config.profiles import PROFILES
from bench.records import store
from bench.report.headlines import OTHER_CONCLUSION
from tests.support import block_files
from tests.support.factories import make_evaluation, make_record
from tests.support.pages import without_figures
from tests.support.results import make_speed, slowed, write_results
from tests.support.small import small_config, small_dataset
from tests.support.tools import ROOT, assert_refused, bench, bench_process

pytestmark = pytest.mark.heavy

LISTINGS = [["models"], ["models", "resnet18"], ["models", "resnet18", "--csv"]]
LISTINGS += [["models", "--table1"]]
WITHOUT_TORCH = """
import json, sys
from bench.cli.app import app

listings, others = json.loads(sys.argv[1])
for words in listings:
    app(words, standalone_mode=False)
assert not {"torch", "matplotlib", "scipy"} & set(sys.modules)
for words in others:
    app(words, standalone_mode=False)
assert "torch" not in sys.modules
"""
WRONG_WORDS = [
    ["run", "--profile", "fast"],
    ["run", "--models", "resnet19"],
    ["run", "--profile", "table6", "--epochs", "3"],
    ["run", "--device", "tpu"],
    ["run", "--data-source", "usb"],
    ["run", "--seeds", "many"],
    ["data", "--datasets", "svhn"],
    ["signals", "--models", "resnet19"],
    ["speed", "--models", "resnet19"],
    ["speed", "--precision", "float8"],
    ["speed", "--models", "cifar_resnet20", "--stem", "imagenet"],
    ["compare-loops", "--models", "resnet19"],
    ["compare-loops", "--precision", "int8"],
    ["evaluate", "--checkpoint", "weights.pt", "--dataset", "cifar11"],
    ["evaluate", "--checkpoint", "weights.pt", "--dataset", "mnist", "--model", "resnet19"],
    ["evaluate", "--record", "some", "--model", "resnet18"],
    ["run", "--experiment", "tenht"],
    ["run", "--experiment", "tenth", "--seed", "9"],
    ["experiments", "tenht"],
]
REFUSED_WITHOUT_TORCH = """
import json, sys
from bench.cli.app import main

for words in json.loads(sys.argv[1]):
    sys.argv = ["python -m bench", *words]
    try:
        main()
    except SystemExit as end:
        assert end.code == 2, words
    else:
        raise AssertionError(words)
assert "torch" not in sys.modules
"""


def python(program, *arguments):
    return subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=250,
    )


def test_what_reads_records_and_networks_imports_no_torch(tmp_path):
    results, other, out = (str(tmp_path / name) for name in ("results", "other", "out"))
    write_results(Path(other), [make_record(seed=1)], [slowed(make_speed(), 1.3)])
    write_results(Path(results), [make_record()], [make_speed()])
    store.save_file(Path(results) / store.EVALUATIONS, make_evaluation())
    block_files.write(Path(results), block_files.content())
    others = [
        ["claims", "--results", results],
        ["compare", results, other],
        ["report", "--results", results, "--against", other, "--out", out],
    ]
    done = python(WITHOUT_TORCH, json.dumps([LISTINGS, others]))
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "out" / "index.html").read_text("utf-8")
    for part in ("results", "against", "workloads", "checkpoints", "blocks", "ledger"):
        assert f'id="{part}"' in page


def test_wrong_words_are_told_before_torch_is_loaded():
    done = python(REFUSED_WITHOUT_TORCH, json.dumps(WRONG_WORDS))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("arguments", [[], pytest.param(["--csv"], marks=pytest.mark.slow)])
def test_an_output_that_cannot_be_written_exits_with_1(arguments):
    with Path("/dev/full").open("w") as full:
        done = bench_process("models", *arguments, stdout=full)
    assert_refused(done, 1, "^error: cannot write the output: No space left on device\n$")


def test_an_output_without_the_letters_exits_with_1():
    done = bench_process("models", PYTHONIOENCODING="ascii")
    assert_refused(done, 1, r"^error: .* ascii has no .*; set PYTHONIOENCODING=utf-8\n$")


@pytest.mark.parametrize("arguments", [["--csv"], pytest.param([], marks=pytest.mark.slow)])
def test_a_closed_pipe_is_left_quietly(arguments):
    reader, writer = os.pipe()
    os.close(reader)
    done = bench_process("models", *arguments, stdout=writer)
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, "")


# The program, which gets the signal in argv[1] when it begins to measure its second cell.
STOPPED = """
import os, sys
import pytest
from bench.cli.app import main
from bench.speed import cell
from tests.bench.cli.test_processes import make_small

make_small(pytest.MonkeyPatch())
number, measure, measured = int(sys.argv.pop(1)), cell.measure, []

def stopped(*arguments):
    measured.append(arguments)
    if len(measured) == 2:
        os.kill(os.getpid(), number)
    return measure(*arguments)

cell.measure = stopped
main()
"""


def make_small(patch):
    """A profile of two small cells and few images."""
    config = small_config(models=("cifar_resnet20", "cifar_resnet32"))
    patch.setitem(PROFILES, "small", lambda: config)
    patch.setattr("bench.data.sources.load", lambda name, **_: small_dataset(name))


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGINT, 130),
        pytest.param(signal.SIGTERM, 130, marks=pytest.mark.slow),
        pytest.param(signal.SIGKILL, -9, marks=pytest.mark.slow),
    ],
)
def test_a_stopped_run_keeps_its_cells_and_goes_on(number, code, tmp_path, monkeypatch):
    arguments = ["run", "--profile", "small", "--device", "cpu", "--out", tmp_path]
    stopped = python(STOPPED, int(number), *arguments)
    assert stopped.returncode == code, stopped.stderr
    if number != signal.SIGKILL:
        assert "Stopped: 1 of 2 cells have a record and keep it." in stopped.stdout
    (first,) = (tmp_path / "runs").glob("*/record.json")
    kept = first.read_bytes()

    make_small(monkeypatch)
    with without_figures():
        done = bench(*arguments)
    assert done.returncode == 0, done.stderr
    assert "2 cells, 1 finished before" in done.stdout
    assert OTHER_CONCLUSION in done.stdout
    assert "1 cells run, 1 reused, 0 failed" in done.stdout
    assert first.read_bytes() == kept
