"""``python -m bench speed`` as a user runs it."""

import json

import pytest

from bench.records.store import load_speed
from bench.speed import measure, rounds
from bench.training import environment
from tests.support.speeds import shorten
from tests.support.tools import assert_refused, bench

pytestmark = pytest.mark.heavy

SMALL = ["--models", "cifar_resnet20", "--device", "cpu", "--precision", "float32", "--rounds", "1"]


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    shorten(monkeypatch)


def speed(tmp_path, *options, batch_size=2):
    batch = ["--batch-size", batch_size] if batch_size else []
    return bench("speed", *SMALL, *batch, *options, "--out", tmp_path)


def measured(tmp_path, *options, **changes):
    """What the command says and stores."""
    done = speed(tmp_path, *options, **changes)
    assert done.returncode == 0, done.stderr
    records, machine, problems = load_speed(tmp_path / "speed")
    assert problems == []
    return done, records, machine


def test_records_limits_and_a_table(tmp_path):
    done, records, machine = measured(tmp_path, "--rounds", "2")
    assert [record.workload.direction for record in records] == ["inference", "training"]
    assert {len(record.rounds) for record in records} == {2}
    assert records[1].split is not None
    assert machine.product_size == 64
    assert f"Records: {tmp_path / 'speed'}" in done.stdout


def test_a_format_stands_alone_on_standard_output_or_in_a_file(tmp_path):
    done, records, _ = measured(tmp_path, "--format", "json")
    rows = json.loads(done.stdout)
    assert {row["id"] for row in rows} == {record.id for record in records}
    assert all(row["images_per_second"] > 0 for row in rows)
    assert "Records: " in done.stderr
    done, *_ = measured(tmp_path, "--output", tmp_path / "table.txt")
    assert "Images/s" in (tmp_path / "table.txt").read_text()
    assert "Images/s" not in done.stdout


def test_another_network_and_other_images_on_request(tmp_path):
    options = "--lineage torchvision --shortcut A --resolution 1"
    done, records, _ = measured(tmp_path, "--models", "resnet18", *options.split())
    assert len(records) == 2
    for record in records:
        assert "optionA-torchvision" in record.workload.id
        assert f" {options} " in record.command
        assert record.status == "completed"
    assert "resnet18, lineage torchvision, option A, 1×1 pixels" in done.stdout


def test_without_a_compiler_the_other_ways_are_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(environment, "compile_problem", lambda _: "there is no compiler (g++)")
    done, records, _ = measured(tmp_path, "--rounds", "1", "--ways")
    assert [(r.workload.direction, r.workload.compiled) for r in records] == [("training", False)]
    assert "without torch.compile: there is no compiler (g++)" in done.stdout


def test_a_sweep_on_request(tmp_path, monkeypatch):
    # Nothing is gained from the second point on.
    monkeypatch.setattr("bench.speed.rounds.LEAST_GAIN", 1000.0)
    options = ["--sweep", "--direction", "inference"]
    done, records, _ = measured(tmp_path, *options, batch_size=None)
    assert [record.workload.batch_size for record in records] == [1, 2]
    assert "The batch size with the highest throughput" in done.stdout


def test_a_stop_exits_with_130_and_says_what_is_kept(tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(rounds, "run", stop)
    done = speed(tmp_path)
    assert done.returncode == 130
    assert f"Stopped: what had ended a round is in {tmp_path / 'speed'}." in done.stdout


@pytest.mark.parametrize("error", ["out of memory", "no kernel"])
def test_a_failure_of_everything_exits_with_1(tmp_path, monkeypatch, error):
    def fail(*_, **__):
        raise RuntimeError(error)

    monkeypatch.setattr(measure, "measure_round", fail)
    done = speed(tmp_path)
    assert done.returncode == 1
    assert "failed: cifar_resnet20-paper-cifar-3x32-10classes-training-batch2" in done.stdout


def test_memory_that_ends_a_large_batch_is_an_answer(tmp_path, monkeypatch):
    measure_round = measure.measure_round

    def run_out(workload, *arguments, **options):
        if workload.batch_size == 2:
            raise MemoryError
        return measure_round(workload, *arguments, **options)

    monkeypatch.setattr(measure, "measure_round", run_out)
    _, records, _ = measured(tmp_path)
    statuses = {record.workload.batch_size: record.status for record in records}
    assert statuses == {1: "completed", 2: "failed"}


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--precision", "float8"], "--precision float8: no such precision; there are float32"),
        (["--precision", "float16"], "CPUs emulate it"),
        (["--sweep"], "leave out --batch-size or --sweep"),
        (["--ways", "--direction", "inference"], "leave out --direction inference or --ways"),
        (["--stem", "imagenet"], "has the stem 'cifar'"),
        (["--models", "vgg"], "no model named 'vgg'"),
        (["--lineage", "torchvision"], "the lineage 'paper' only"),
        (["--shortcut", "C"], "cifar_resnet20 with shortcut 'C' does not exist; it has A, B"),
        (["--resolution", "100000"], "--resolution 100000: cifar_resnet20 training in a batch of"),
        (["--models", "resnet18", "--batch-size", "1"], "cannot train on a batch of 1"),
        (["--device", "tpu"], "no device named 'tpu'"),
        (["--rounds", "0"], "Input should be greater than or equal to 1"),
        (["--batch-size", "0"], "Input should be greater than or equal to 1"),
        (["--memory-format", "rows"], "'rows' is not one of"),
        (["--resolution", "100001"], "less than or equal to 100000"),
    ],
)
def test_a_wrong_request_is_refused_before_anything_is_measured(tmp_path, options, text):
    assert_refused(speed(tmp_path, *options), 2, text)
    assert not (tmp_path / "speed").exists()


def test_a_file_that_cannot_be_written_is_refused_before_anything_is_measured(tmp_path):
    done = speed(tmp_path / "out", "--output", tmp_path)
    assert_refused(done, 2, "--output .*: no file can be written there")
    assert not (tmp_path / "out").exists()
