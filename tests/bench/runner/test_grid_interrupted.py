"""Memory, disk, signals and divergence in the middle of a grid; what goes on from there."""

import io
import re
import shutil

import pytest

from bench.config.recipe import LinearSchedule
from bench.config.recipes import group_norm_batches
from bench.errors import StorageError, UsageError
from bench.records import store
from bench.runner import grid
from bench.runner.progress import GridProgress
from bench.training.engine import EngineOptions, choose_engine
from bench.training.stop import StopRequest
from bench.training.trainer import Trainer
from tests.support.grids import run
from tests.support.small import small_config, small_recipe

pytestmark = pytest.mark.heavy

DIVERGING = small_recipe(
    optimizer="sgd", learning_rate=1e20, schedule=LinearSchedule(warmup_fraction=0)
)


def one_cell(recipe=None):
    return small_config(models=("cifar_resnet20",), recipe=recipe)


ONE = one_cell()


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
    out, recipe = io.StringIO(), small_recipe(batch_size=16)
    (record,) = run(tmp_path, one_cell(recipe), out=out)
    assert (record.status, record.engine.micro_batch_size) == ("completed", 4)
    assert record.recipe == recipe  # the batch is what it was
    assert "out of memory; starting over with 8 images at a time" in out.getvalue()
    assert "starting over with 4 images at a time" in out.getvalue()
    whole = finished[1][0]
    assert [epoch.steps for epoch in record.epochs] == [epoch.steps for epoch in whole.epochs]
    assert record.epochs[0].learning_rate == whole.epochs[0].learning_rate


def test_a_recipe_may_have_batch_norm_see_a_part_of_each_batch(tmp_path, monkeypatch):
    """It is then trained as where memory forces it."""
    whole = small_recipe(batch_size=16, images_per_epoch=16)
    (asked,) = run(tmp_path / "asked", one_cell(group_norm_batches(whole, 8)))
    (undivided,) = run(tmp_path / "undivided", one_cell(whole))
    out_of_memory_above(monkeypatch, 8)
    (forced,) = run(tmp_path / "forced", one_cell(whole))
    assert (asked.engine, asked.recipe.name) == (forced.engine, "small_norm8")
    assert (asked.engine.micro_batch_size, undivided.engine.micro_batch_size) == (8, 16)
    losses = [[epoch.train_loss for epoch in r.epochs] for r in (asked, forced, undivided)]
    assert losses[0] == losses[1] != losses[2]


def test_out_of_memory_with_few_images_is_a_failed_record(tmp_path, monkeypatch):
    out_of_memory_above(monkeypatch, 1)
    (record,) = run(tmp_path, ONE)
    assert record.status == "failed"
    assert re.match(r"out of memory even with 4 images at a time \(.*Free some", record.reason)


def stop_after(steps, stop):
    """A progress that asks to stop when it has seen so many training steps."""

    class Stopping(GridProgress):
        seen = 0

        def step(self, images):
            super().step(images)
            self.seen += images == 8
            if self.seen == steps:
                stop.wanted = True

    return Stopping


@pytest.fixture(scope="module")
def stopped_once(tmp_path_factory):
    """A folder with the checkpoint of a cell, but no record."""
    folder, stop = tmp_path_factory.mktemp("stopped"), StopRequest()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grid, "GridProgress", stop_after(3, stop))
        patch.setattr("bench.runner.cell.CellRun._step_measuring", lambda *_: None)
        with pytest.raises(KeyboardInterrupt):
            run(folder, ONE, stop=stop)
    assert store.load_all(folder) == ([], [])
    return folder


@pytest.fixture
def stopped(stopped_once, tmp_path):
    return shutil.copytree(stopped_once, tmp_path / "runs")


def test_a_stopped_cell_goes_on_where_it_stood(stopped, finished):
    assert list(stopped.glob("*/checkpoint-*.pt"))
    out = io.StringIO()
    (record,) = run(stopped, ONE, out=out)
    assert "goes on from epoch 2, step 1" in out.getvalue()
    assert record.course.resumes == 1
    seconds = {"train_seconds", "test_seconds"}
    assert [epoch.model_dump(exclude=seconds) for epoch in record.epochs] == [
        epoch.model_dump(exclude=seconds) for epoch in finished[1][0].epochs
    ]
    assert record.weights == finished[1][0].weights  # the same bits
    assert not list(stopped.glob("*/checkpoint-*"))  # the record is what remains


def test_a_checkpoint_that_was_made_otherwise_is_refused(stopped):
    with pytest.raises(UsageError, match=r"learning_rate 0\.002, now 0\.5\. Start over with --fre"):
        run(stopped, one_cell(small_recipe(learning_rate=0.5)))
    with pytest.raises(UsageError, match="asked precision 'float32', now 'bfloat16'"):
        run(stopped, ONE, engine=EngineOptions(precision="bfloat16"))
    assert store.load_all(stopped) == ([], [])  # no failed record either


def test_fresh_starts_over(stopped):
    (record,) = run(stopped, one_cell(small_recipe(learning_rate=1e-3)), fresh=True)
    assert (record.status, record.course.resumes) == ("completed", 0)


def test_a_full_disk_ends_the_run_and_keeps_the_last_checkpoint(stopped, monkeypatch):
    before = {path: path.read_bytes() for path in stopped.glob("*/checkpoint-*")}

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bench.training.checkpoint.torch.save", full)
    stop = StopRequest()
    stop.wanted = True
    with pytest.raises(StorageError, match=r"cannot write .*: No space left on device\. Free some"):
        run(stopped, ONE, stop=stop)
    assert {path: path.read_bytes() for path in stopped.glob("*/*") if path in before} == before
    assert not list(stopped.glob("*/.checkpoint-*"))
    assert store.load_all(stopped) == ([], [])


def test_out_of_memory_on_going_on_keeps_the_checkpoint(stopped, monkeypatch):
    before = sorted(stopped.glob("*/checkpoint-*"))
    out_of_memory_above(monkeypatch, 4)
    (record,) = run(stopped, ONE)
    assert record.status == "failed"
    assert "out of memory on going on from a checkpoint" in record.reason
    assert sorted(stopped.glob("*/checkpoint-*")) == before


def test_a_stop_that_meets_a_divergence_stops_the_grid(tmp_path):
    """The diverged cell has its record, and the next one is not begun."""
    stop = StopRequest()
    stop.wanted = True
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, small_config(recipe=DIVERGING), stop=stop)
    assert len(list(tmp_path.glob("*/record.json"))) <= 1


def test_divergence_is_a_failed_record_that_tells_step_and_rate(tmp_path):
    (record,) = run(tmp_path, one_cell(DIVERGING))
    assert record.status == "failed"
    assert re.match(
        r"training diverged.* at step \d \(epoch 1, learning rate \d\.\d+e\+19\)", record.reason
    )


@pytest.mark.parametrize("captures", [True, False])
@pytest.mark.usefixtures("cuda_graphs")
def test_a_gpu_that_captures_nothing_trains_without_a_graph(tmp_path, monkeypatch, captures):
    forward = Trainer.forward

    def with_graph(*arguments):
        return choose_engine(*arguments).model_copy(update={"cuda_graph": True})

    def waiting(trainer, images, labels):
        loss, correct = forward(trainer, images, labels)
        loss.item()  # a capture forbids to wait for the device
        return loss, correct

    monkeypatch.setattr("bench.runner.grid.choose_engine", with_graph)
    if not captures:
        monkeypatch.setattr(Trainer, "forward", waiting)
    out = io.StringIO()
    (record,) = run(tmp_path, ONE, out=out)
    assert (record.status, record.engine.cuda_graph) == ("completed", captures)
    assert record.course.uncaptured is None
    assert ("no CUDA graph here (operation not permitted" in out.getvalue()) is not captures
