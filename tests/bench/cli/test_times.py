"""``python -m bench times``: how long until an accuracy; what is never reached is said."""

import json

import pytest

from bench.records import store
from tests.bench.analysis.test_times import learning
from tests.support.factories import make_failed
from tests.support.tools import assert_refused, bench


@pytest.fixture
def results(tmp_path):
    for record in (learning(80, 90.5, 91.5, 92), learning(99, 98.5, dataset="mnist")):
        store.save(tmp_path / "runs", record)
    store.save(tmp_path / "runs", make_failed(34))
    return tmp_path


def test_the_table_tells_epoch_images_and_time(results):
    done = bench("times", "--results", results)
    assert (done.returncode, done.stderr) == (0, "")
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()[2:-1]]
    assert lines == [
        "ResNet-18 cifar10 quick 0 90 2 5,120 20.0 s",
        "ResNet-18 cifar10 quick 0 91.25 3 7,680 30.0 s",
        "ResNet-18 cifar10 quick 0 93 – – never, 92.00 % at the end",
        *(f"ResNet-34 cifar10 quick 0 {target} – – failed" for target in ("90", "91.25", "93")),
        "ResNet-18 mnist quick 0 99 – – never, 98.50 % at the end",
    ]
    assert done.stdout.endswith("its time alone, without looks at test images.\n")


def test_other_targets_and_formats(results):
    words = ["--results", results / "runs", "--targets", "98.5,80", "--format", "json"]
    rows = json.loads(bench("times", *words).stdout)
    found = {(row["dataset"], row["model"], row["target"]): row for row in rows}
    assert found["mnist", "ResNet-18", 98.5]["epoch"] == 1
    assert found["cifar10", "ResNet-18", 98.5]["seconds"] is None
    assert found["cifar10", "ResNet-18", 98.5]["outcome"] == "never reached"
    assert found["cifar10", "ResNet-18", 80]["images"] == 2560


@pytest.mark.parametrize("targets", ["ninety", "0", "-1", "100.5", "nan", "90,,x"])
def test_a_target_that_is_no_percentage_is_refused(results, targets):
    done = bench("times", "--results", results, "--targets", targets)
    assert_refused(done, 2, "--targets .*: percent above 0 are needed")


def test_a_folder_without_records_is_refused(tmp_path):
    assert_refused(bench("times", "--results", tmp_path), 2, "no record of a cell there")
    assert_refused(bench("times", "--results", tmp_path / "no"), 2, "there is no such folder")
