"""Finished cells are reused, broken ones recorded, different ones never mixed."""

import dataclasses
import io
import re
import shutil
from unittest.mock import DEFAULT, Mock

import pytest
import torch
from filelock import FileLock

from bench.config.cell import Cell
from bench.errors import BenchError, UsageError
from bench.records import store
from bench.runner import grid
from bench.runner.progress import GridProgress
from bench.speed import cell as speed
from bench.training.engine import EngineOptions
from bench.training.loop import Training
from tests.support.factories import ENVIRONMENT
from tests.support.grids import CPU, DATASETS, make_options, run
from tests.support.small import small_config, small_recipe

pytestmark = pytest.mark.heavy


def test_a_record_is_complete_and_stored(finished):
    folder, records = finished
    assert store.load_all(folder) == (sorted(records, key=lambda r: r.cell.id), [])
    record = records[0]
    assert (record.status, record.reason, record.profile) == ("completed", None, "small")
    assert record.cost.parameters == 269_434
    assert record.environment == ENVIRONMENT
    assert len(record.epochs) == 2
    assert [signals.moment for signals in record.signals] == ["initial", "final"]
    assert record.signals[0].images == 4  # half a batch
    predictions = store.load_predictions(folder, record)
    assert predictions is not None
    predicted, labels = predictions
    assert int((predicted == labels).sum()) == record.final.test_correct
    assert labels.tolist() == DATASETS["mnist"].test.labels.tolist()
    assert record.clean_training.images == record.final.train_images
    assert record.speed.train_step_seconds
    assert record.peak_memory.size_bytes > 2**26
    assert record.command == (
        "python -m bench run --profile small --cells cifar_resnet20-paper-cifar-mnist-small-seed0"
        " --device cpu --precision float32 --fresh"
    )


def test_after_each_cell_but_the_last_it_is_told_what_is_still_to_come(tmp_path):
    told: list[list[Cell]] = []
    records = run(tmp_path, renew=told.append)
    assert len(records) == 2
    assert told == [[records[1].cell]]


def test_a_record_made_by_a_program_claims_no_command(tmp_path):
    config = dataclasses.replace(small_config(), words=None)
    command = make_options(tmp_path, config).command(config.plans[0])
    assert command == "# made by a program, as small: no command line makes it again"


def test_a_record_of_another_version_is_not_replaced(finished, tmp_path):
    folder = shutil.copytree(finished[0], tmp_path / "runs")
    path = folder / finished[1][0].cell.id / store.RECORD_FILE
    text = path.read_text().replace('"optimizer": "adamw"', '"optimizer": "lion"')
    path.write_text(text)
    with pytest.raises(UsageError, match=r"does not know .*it stays\. Replace it with --fresh"):
        run(folder)
    assert path.read_text() == text


def test_finished_cells_are_reused(finished):
    out = io.StringIO()
    assert run(finished[0], out=out) == []
    assert out.getvalue() == ""


def test_the_bar_moves_while_a_cell_is_measured(tmp_path, monkeypatch):
    measured: list[int] = []
    training = Training.epochs
    steps = Mock(side_effect=GridProgress.step, autospec=True)
    monkeypatch.setattr(GridProgress, "step", lambda self, images: steps(self, images))

    def epochs(self):
        measured.extend(call.args[1] for call in steps.call_args_list)
        return training(self)

    monkeypatch.setattr(Training, "epochs", epochs)
    config = small_config(models=("cifar_resnet20",))
    run(tmp_path, config)
    batch_size = config.plans[0].recipe.batch_size
    assert measured[:3] == [batch_size] * 3  # two to warm up, one that counts
    assert sum(measured) == speed.measuring_images(config.speed_samples, batch_size, CPU)


def test_a_failure_is_a_record_and_the_grid_goes_on(tmp_path, monkeypatch):
    once = [RuntimeError("a kernel failed"), DEFAULT, DEFAULT]
    monkeypatch.setattr(speed, "measure", Mock(wraps=speed.measure, side_effect=once))
    out = io.StringIO()
    failed, completed = run(tmp_path, out=out)
    assert (failed.status, completed.status) == ("failed", "completed")
    assert failed.reason == "RuntimeError: a kernel failed"
    assert failed.cost is not None  # what was found out is kept
    assert failed.speed is None
    assert re.search(r"resnet20 mnist seed 0: FAILED after \d+ s: RuntimeError", out.getvalue())
    # A second call runs the failed cell alone.
    assert [record.cell for record in run(tmp_path)] == [failed.cell]


@pytest.mark.parametrize(
    ("options", "difference"),
    [
        (
            {"config": small_config(recipe=small_recipe(batch_size=4))},
            r"batch_size 8, now 4;.*\. Replace it with --fresh",
        ),
        ({"device": torch.device("cuda")}, "device 'cpu', now 'cuda'"),
        ({"engine": EngineOptions(precision="float16")}, "precision '\\w+', now 'float16'"),
        ({"engine": EngineOptions(compile="on")}, "compiled False, now True"),
        ({"engine": EngineOptions(deterministic=True)}, "deterministic False, now True"),
    ],
)
def test_what_was_made_otherwise_under_the_same_id_is_refused(options, difference, finished):
    with pytest.raises(UsageError, match=difference):
        grid.completed(make_options(finished[0], **options))


def test_a_damaged_record_is_made_again_and_timing_more_steps_changes_no_training(
    tmp_path, finished
):
    _, (record, _) = finished
    (store.save(tmp_path, record) / store.RECORD_FILE).write_text("garbage")
    (made,) = run(tmp_path, small_config(models=("cifar_resnet20",), speed_samples=2))
    assert made.cell == record.cell
    assert [epoch.train_loss for epoch in made.epochs] == [
        epoch.train_loss for epoch in record.epochs
    ]
    assert store.load_all(tmp_path)[1] == []


def test_an_interrupt_keeps_what_is_finished(tmp_path, monkeypatch):
    second = [DEFAULT, KeyboardInterrupt]
    monkeypatch.setattr(speed, "measure", Mock(wraps=speed.measure, side_effect=second))
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path)
    assert [record.cell.model for record in store.load_all(tmp_path)[0]] == ["cifar_resnet20"]


def test_two_runs_do_not_write_to_one_folder(tmp_path):
    with FileLock(tmp_path / ".lock"), pytest.raises(BenchError, match="another run is writing to"):
        grid.lock(tmp_path)
    with grid.lock(tmp_path):
        pass


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BenchError, match=r"cannot write to .*file.*--out"):
        grid.lock(tmp_path / "file")
