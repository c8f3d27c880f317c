"""Finished cells are reused, broken ones recorded, different ones never mixed."""

import io
import multiprocessing
import re

import pytest
import torch

from bench.errors import BenchError, UsageError
from bench.records import store
from bench.runner import grid
from bench.runner.options import RunOptions
from bench.speed import cell as speed
from bench.training.engine import EngineOptions
from tests.support.grids import CPU, DATASETS, run
from tests.support.small import small_config, small_recipe


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    return folder, run(folder)


def test_a_record_is_complete_and_stored(finished):
    folder, records = finished
    assert store.load_all(folder) == (sorted(records, key=lambda r: r.cell.id), [])
    record = records[0]
    assert (record.status, record.reason, record.profile) == ("completed", None, "small")
    assert record.cost.parameters == 11_175_370
    assert record.cost.table1_macs == 1_814_073_344
    assert len(record.epochs) == 2
    assert [signals.moment for signals in record.signals] == ["initial", "final"]
    assert record.signals[0].images == 8  # half a batch
    predicted, labels = store.load_predictions(folder, record)
    assert int((predicted == labels).sum()) == record.final.test_correct
    assert labels.tolist() == DATASETS["mnist"].test.labels.tolist()
    assert record.speed.train_step_seconds
    assert record.peak_memory.size_bytes > 2**26
    assert record.command == (
        "python -m bench run --profile small --cells resnet18-paper-imagenet-mnist-small-seed0 "
        "--device cpu --fresh"
    )


def test_finished_cells_are_reused(finished):
    folder, _ = finished
    out = io.StringIO()
    assert run(folder, out=out) == []
    assert out.getvalue() == ""


def test_measuring_speed_does_not_change_training(tmp_path, finished):
    again = run(tmp_path, small_config(models=("resnet18",), speed_samples=3))
    first = finished[1][0]
    assert [epoch.train_loss for epoch in again[0].epochs] == [
        epoch.train_loss for epoch in first.epochs
    ]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (RuntimeError("a kernel failed"), "RuntimeError: a kernel failed"),
        (BenchError("training diverged"), "training diverged"),
    ],
)
def test_a_failure_is_a_record_and_the_grid_goes_on(tmp_path, monkeypatch, error, reason):
    measure = speed.measure

    def fail_once(*arguments):
        monkeypatch.setattr(speed, "measure", measure)
        raise error

    monkeypatch.setattr(speed, "measure", fail_once)
    out = io.StringIO()
    failed, completed = run(tmp_path, out=out)
    assert (failed.status, completed.status) == ("failed", "completed")
    assert failed.reason.startswith(reason)
    assert failed.cost is not None  # what was found out is kept
    assert failed.speed is None
    assert re.search(rf"resnet18 mnist seed 0: FAILED after \d+ s: {reason}", out.getvalue())
    # A second call runs the failed cell alone.
    assert [record.cell for record in run(tmp_path)] == [failed.cell]


def test_another_recipe_under_the_same_id_is_refused(finished):
    folder, _ = finished
    config = small_config(recipe=small_recipe(batch_size=8))
    with pytest.raises(UsageError, match=r"batch_size 16, now 8\. Replace it with --fresh"):
        run(folder, config)


def test_another_device_under_the_same_id_is_refused(finished):
    folder, _ = finished
    with pytest.raises(UsageError, match="device 'cpu', now 'cuda'"):
        grid.completed(folder, small_config(), RunOptions(device=torch.device("cuda")))


@pytest.mark.parametrize(
    ("options", "difference"),
    [
        (EngineOptions(precision="float16"), "precision '\\w+', now 'float16'"),
        (EngineOptions(compile="on"), "compiled False, now True"),
        (EngineOptions(deterministic=True), "deterministic False, now True"),
    ],
)
def test_another_engine_under_the_same_id_is_refused(options, difference, finished):
    folder, _ = finished
    options = RunOptions(device=CPU, engine=options)
    with pytest.raises(UsageError, match=difference):
        grid.completed(folder, small_config(), options)


def test_a_damaged_record_is_made_again(tmp_path, finished):
    _, (record, _) = finished
    (store.save(tmp_path, record) / store.RECORD_FILE).write_text("garbage")
    config = small_config(models=("resnet18",))
    assert [made.cell for made in run(tmp_path, config)] == [record.cell]
    assert store.load_all(tmp_path)[1] == []


def test_an_interrupt_keeps_what_is_finished(tmp_path, monkeypatch):
    measure = speed.measure
    calls = []

    def interrupt_second(*arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return measure(*arguments)

    monkeypatch.setattr(speed, "measure", interrupt_second)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path)
    assert [record.cell.model for record in store.load_all(tmp_path)[0]] == ["resnet18"]


def hold(folder, ready, go_on):
    with grid.lock(folder):
        ready.set()
        go_on.wait(60)


def test_two_runs_do_not_write_to_one_folder(tmp_path):
    context = multiprocessing.get_context("spawn")
    ready, go_on = context.Event(), context.Event()
    other = context.Process(target=hold, args=(tmp_path, ready, go_on))
    other.start()
    try:
        assert ready.wait(60)
        with pytest.raises(BenchError, match="another run is writing to"):
            grid.lock(tmp_path)
    finally:
        go_on.set()
        other.join(60)
    with grid.lock(tmp_path):
        pass


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BenchError, match=r"cannot write to .*file.*--out"):
        grid.lock(tmp_path / "file")
