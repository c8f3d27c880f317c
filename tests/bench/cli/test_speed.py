"""``python -m bench speed`` as a user runs it."""

import pytest
from typer.testing import CliRunner

from bench.cli.app import app
from bench.errors import UsageError
from bench.records.speed_store import load_speed
from bench.speed import limits, memory, rounds, timing

SMALL = ["speed", "--models", "cifar_resnet20", "--batch-size", "2", "--device", "cpu"]


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(timing, "MOST_WARMUP_SECONDS", 0.0)
    monkeypatch.setattr(timing, "SAMPLE_SECONDS", 0.0)
    monkeypatch.setattr(limits, "PRODUCT_SIZE", {"cpu": 64})
    monkeypatch.setattr(limits, "IMAGES", {"cpu": 1})
    monkeypatch.setattr(limits, "COPIED_BYTES", {"cpu": 2**20})
    monkeypatch.setattr(memory, "in_a_child", lambda _: (None, "not here"))
    monkeypatch.setattr("bench.training.stop.StopRequest.install", lambda _: None)


def speed(tmp_path, *options):
    return CliRunner().invoke(app, [*SMALL, *options, "--out", str(tmp_path)])


def test_records_limits_and_a_table(tmp_path):
    done = speed(tmp_path, "--rounds", "2", "--precision", "float32")
    assert done.exit_code == 0, done.output
    records, machine, problems = load_speed(tmp_path / "speed")
    assert problems == []
    assert [record.workload.direction for record in records] == ["inference", "training"]
    assert {len(record.rounds) for record in records} == {2}
    assert records[1].split is not None
    assert machine.product_size == 64
    assert f"Records: {tmp_path / 'speed'}" in done.output


@pytest.mark.parametrize(
    ("model", "options", "name"),
    [
        ("resnet18", "--lineage torchvision --shortcut A --resolution 1", "optionA-torchvision"),
        ("cifar_resnet20", "--shortcut B --resolution 7", "cifar_resnet20_optionB-paper"),
    ],
)
def test_other_networks_and_images_on_request(tmp_path, model, options, name):
    wanted = [*options.split(), "--rounds", "1", "--precision", "float32"]
    done = speed(tmp_path, "--models", model, *wanted)
    assert done.exit_code == 0, done.output
    records, _, _ = load_speed(tmp_path / "speed")
    assert len(records) == 2
    for record in records:
        assert name in record.workload.id
        assert f" {options} " in record.command
        assert f"option {record.workload.shortcut}" in done.output
        assert record.status == "completed"


def test_a_sweep_on_request(tmp_path, monkeypatch):
    # Nothing is gained from the second point on.
    monkeypatch.setattr("bench.speed.sweep.LEAST_GAIN", 1000.0)
    options = ["--sweep", "--direction", "inference", "--precision", "float32", "--rounds", "1"]
    command = [*SMALL[:3], *SMALL[5:], *options, "--out", str(tmp_path)]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    records, _, _ = load_speed(tmp_path / "speed")
    assert [record.workload.batch_size for record in records] == [1, 2]
    assert "The batch size with the highest throughput" in done.output


def test_a_stop_exits_with_130_and_says_what_is_kept(tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(rounds, "run", stop)
    done = speed(tmp_path)
    assert done.exit_code == 130
    assert f"Stopped: what had ended a round is in {tmp_path / 'speed'}." in done.output


@pytest.mark.parametrize(("error", "code"), [("out of memory", 1), ("no kernel", 1)])
def test_a_failure_exits_with_1(tmp_path, monkeypatch, error, code):
    def fail(*_, **__):
        raise RuntimeError(error)

    monkeypatch.setattr(rounds.measure, "measure_round", fail)
    done = speed(tmp_path, "--rounds", "1", "--precision", "float32")
    assert done.exit_code == code
    assert "failed: cifar_resnet20-paper-cifar-3x32-10classes-training-batch2" in done.output


def test_memory_that_ends_a_large_batch_is_an_answer(tmp_path, monkeypatch):
    measure_round = rounds.measure.measure_round

    def run_out(workload, *arguments, **options):
        if workload.batch_size == 2:
            raise MemoryError
        return measure_round(workload, *arguments, **options)

    monkeypatch.setattr(rounds.measure, "measure_round", run_out)
    done = speed(tmp_path, "--rounds", "1", "--precision", "float32")
    assert done.exit_code == 0, done.output
    statuses = {r.workload.batch_size: r.status for r in load_speed(tmp_path / "speed")[0]}
    assert statuses == {1: "completed", 2: "failed"}


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--precision", "float8"], "--precision float8: no such precision; there are float32"),
        (["--precision", "float16"], "CPUs emulate it"),
        (["--sweep"], "leave out --batch-size or --sweep"),
        (["--stem", "imagenet"], "has the stem 'cifar'"),
        (["--models", "vgg"], "no model named 'vgg'"),
        (["--lineage", "torchvision"], "the lineage 'paper' only"),
        (["--shortcut", "C"], "cifar_resnet20 with shortcut 'C' does not exist; it has A, B"),
        (["--resolution", "100000"], "--resolution 100000: cifar_resnet20 training in a batch of"),
        (["--models", "resnet18", "--batch-size", "1"], "cannot train on a batch of 1"),
        (["--device", "tpu"], "no device named 'tpu'"),
    ],
)
def test_a_wrong_request_is_refused_before_anything_is_measured(tmp_path, options, text):
    done = speed(tmp_path, *options)
    assert isinstance(done.exception, UsageError)
    assert text in str(done.exception)
    assert not (tmp_path / "speed").exists()


@pytest.mark.parametrize(
    "options",
    [
        ["--rounds", "0"],
        ["--batch-size", "0"],
        ["--memory-format", "rows"],
        ["--resolution", "0"],
        ["--resolution", "100001"],
        ["--resolution", "large"],
        ["--shortcut", "D"],
        ["--lineage", "ours"],
    ],
)
def test_impossible_numbers_are_refused(tmp_path, options):
    assert speed(tmp_path, *options).exit_code == 2
