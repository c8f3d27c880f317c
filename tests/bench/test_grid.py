"""Finished cells are reused, broken ones recorded, different ones never mixed."""

import io
import multiprocessing
import re

import pytest
import torch
from rich.console import Console

from bench import grid, speed, store
from bench.context import RunOptions
from bench.engine import EngineOptions
from bench.errors import BenchError, StorageError, UsageError
from bench.progress import GridProgress
from bench.recipes import LinearSchedule
from bench.stop import StopRequest
from bench.trainer import Trainer
from tests.bench.small import small_config, small_dataset, small_recipe

CPU = torch.device("cpu")
DATASETS = {"mnist": small_dataset()}


def run(folder, config=None, *, out=None, fresh=False, **options):
    config = config or small_config()
    console = Console(file=out or io.StringIO(), width=400)
    return grid.run(
        config,
        DATASETS,
        folder=folder,
        options=RunOptions(device=CPU, **options),
        done={} if fresh else grid.completed(folder, config, RunOptions(device=CPU)),
        fresh=fresh,
        make_progress=lambda work: GridProgress(console, work),
    )


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
    assert record.speed.train_step_seconds
    assert record.peak_memory.size_bytes > 2**26
    assert record.command == (
        "python -m bench run --profile small --models resnet18 --datasets mnist "
        "--seeds 1 --device cpu --fresh"
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


def out_of_memory_above(monkeypatch, limit):
    """Steps with more than ``limit`` images at a time find no memory."""
    step = Trainer.eager_step

    def checked(trainer, data, batch):
        if min(len(batch), trainer.engine.micro_batch_size) > limit:
            raise RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 GB")
        step(trainer, data, batch)

    monkeypatch.setattr(Trainer, "eager_step", checked)


def test_out_of_memory_goes_on_with_smaller_micro_batches(tmp_path, monkeypatch, finished):
    out_of_memory_above(monkeypatch, 4)
    out = io.StringIO()
    (record,) = run(tmp_path, small_config(models=("resnet18",)), out=out)
    assert (record.status, record.engine.micro_batch_size) == ("completed", 4)
    assert "out of memory; starting over with 8 images at a time" in out.getvalue()
    assert "starting over with 4 images at a time" in out.getvalue()
    whole = finished[1][0]
    assert record.recipe == whole.recipe  # the batch of the recipe is what it was
    assert [epoch.steps for epoch in record.epochs] == [epoch.steps for epoch in whole.epochs]
    assert record.epochs[0].learning_rate == whole.epochs[0].learning_rate


def test_out_of_memory_with_few_images_is_a_failed_record(tmp_path, monkeypatch):
    out_of_memory_above(monkeypatch, 1)
    (record,) = run(tmp_path, small_config(models=("resnet18",)))
    assert record.status == "failed"
    assert re.match(r"out of memory even with 4 images at a time \(.*Free some", record.reason)


def stop_after(steps, stop):
    """A progress that asks to stop when it has seen so many training steps."""

    class Stopping(GridProgress):
        seen = 0

        def step(self, images):
            super().step(images)
            self.seen += images == 16
            if self.seen == steps:
                stop.wanted = True

    return Stopping


def test_a_stopped_cell_goes_on_where_it_stood(tmp_path, monkeypatch, finished):
    stop = StopRequest()
    config = small_config(models=("resnet18",))
    monkeypatch.setattr("tests.bench.test_grid.GridProgress", stop_after(3, stop))
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, config, stop=stop)
    monkeypatch.undo()
    assert store.load_all(tmp_path) == ([], [])
    assert list(tmp_path.glob("*/checkpoint-*.pt"))
    out = io.StringIO()
    (record,) = run(tmp_path, config, out=out)
    assert "goes on from epoch 2, step 1" in out.getvalue()
    assert record.course.resumes == 1
    assert timeless(record.epochs) == timeless(finished[1][0].epochs)
    assert not list(tmp_path.glob("*/checkpoint-*"))  # the record is what remains


def timeless(epochs):
    return [epoch.model_copy(update={"train_seconds": 1, "test_seconds": 1}) for epoch in epochs]


@pytest.fixture
def stopped(tmp_path, monkeypatch):
    stop = StopRequest()
    monkeypatch.setattr("tests.bench.test_grid.GridProgress", stop_after(3, stop))
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, small_config(models=("resnet18",)), stop=stop)
    monkeypatch.undo()
    return tmp_path


def test_a_checkpoint_of_another_recipe_is_refused(stopped):
    changed = small_config(models=("resnet18",), recipe=small_recipe(learning_rate=0.5))
    with pytest.raises(UsageError, match=r"learning_rate 0\.002, now 0\.5\. Start over with --fre"):
        run(stopped, changed)
    assert store.load_all(stopped) == ([], [])  # no failed record either


def test_a_checkpoint_of_another_precision_is_refused(stopped):
    options = EngineOptions(precision="bfloat16")
    with pytest.raises(UsageError, match="asked precision 'auto', now 'bfloat16'"):
        run(stopped, small_config(models=("resnet18",)), engine=options)


def test_fresh_starts_over(stopped, finished):
    changed = small_config(models=("resnet18",), recipe=small_recipe(learning_rate=1e-3))
    (record,) = run(stopped, changed, fresh=True)
    assert (record.status, record.course.resumes) == ("completed", 0)


def test_a_full_disk_ends_the_run_and_keeps_the_last_checkpoint(stopped, monkeypatch):
    before = {path: path.read_bytes() for path in stopped.glob("*/checkpoint-*")}

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bench.checkpoint.torch.save", full)
    stop = StopRequest()
    stop.wanted = True
    with pytest.raises(StorageError, match=r"cannot write .*: No space left on device\. Free some"):
        run(stopped, small_config(models=("resnet18",)), stop=stop)
    assert {path: path.read_bytes() for path in stopped.glob("*/*") if path in before} == before
    assert not list(stopped.glob("*/.checkpoint-*"))
    assert store.load_all(stopped) == ([], [])


def test_out_of_memory_on_going_on_keeps_the_checkpoint(stopped, monkeypatch):
    before = sorted(stopped.glob("*/checkpoint-*"))
    out_of_memory_above(monkeypatch, 4)
    (record,) = run(stopped, small_config(models=("resnet18",)))
    assert record.status == "failed"
    assert "out of memory on going on from a checkpoint" in record.reason
    assert sorted(stopped.glob("*/checkpoint-*")) == before


def test_a_stop_that_meets_a_divergence_stops_the_grid(tmp_path):
    """The diverged cell has its record, and the next one is not begun."""
    recipe = small_recipe(
        optimizer="sgd", learning_rate=1e20, schedule=LinearSchedule(warmup_fraction=0)
    )
    stop = StopRequest()
    stop.wanted = True
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, small_config(recipe=recipe), stop=stop)
    assert len(list(tmp_path.glob("*/record.json"))) <= 1


def test_divergence_is_a_failed_record_that_tells_step_and_rate(tmp_path):
    recipe = small_recipe(
        optimizer="sgd", learning_rate=1e20, schedule=LinearSchedule(warmup_fraction=0)
    )
    (record,) = run(tmp_path, small_config(models=("resnet18",), recipe=recipe))
    assert record.status == "failed"
    assert re.search(r"at step \d \(epoch 1, learning rate \d\.\d+e\+19\)", record.reason)


def test_a_gpu_that_captures_nothing_trains_without_a_graph(tmp_path, monkeypatch):
    """The fallback, on a CPU, where asking for a graph fails too."""
    choose = grid.choose_engine

    def with_graph(*arguments):
        return choose(*arguments).model_copy(update={"cuda_graph": True})

    monkeypatch.setattr(grid, "choose_engine", with_graph)
    out = io.StringIO()
    (record,) = run(tmp_path, small_config(models=("resnet18",)), out=out)
    assert (record.status, record.engine.cuda_graph) == ("completed", False)
    assert "no CUDA graph here" in out.getvalue()
