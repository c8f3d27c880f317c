"""Checkpoints are rare enough, kept in twos, and refused when they belong to something else."""

import os
import shutil
import subprocess

import pytest
import torch

from bench.errors import StorageError, UsageError
from bench.records.schema import Engine
from bench.training.checkpoint import Position
from tests.support.resumable import RECIPE, make_checkpoints, make_trainer

CPU = torch.device("cpu")
ENGINE = Engine(precision="float32", micro_batch_size=8)
MEGABYTE = 1_000_000


class Clock:
    """Time that passes when it is told to."""

    now = 0.0

    def __call__(self):
        return self.now


def test_two_are_kept_and_the_newest_is_loaded(tmp_path):
    trainer, checkpoints = make_trainer(), make_checkpoints(tmp_path)
    for step in range(1, 5):
        checkpoints.save(trainer.state_dict(), Position(step=step), ENGINE)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [f"checkpoint-{n}.{suffix}" for n in (3, 4) for suffix in ("json", "pt")]
    loaded = checkpoints.load()
    assert (loaded.position.step, loaded.position.resumes, loaded.engine) == (4, 1, ENGINE)
    for key, value in trainer.state_dict()["model"].items():
        assert torch.equal(loaded.state["model"][key], value)


def test_without_any_there_is_nothing_to_load(tmp_path):
    assert make_checkpoints(tmp_path / "nowhere").load() is None


def test_where_all_are_damaged_the_cell_starts_over(tmp_path, capsys):
    checkpoints = make_checkpoints(tmp_path)
    for _ in range(2):
        checkpoints.save(make_trainer().state_dict(), Position(), ENGINE)
    for path in tmp_path.glob("*.pt"):
        path.write_bytes(b"")
    assert checkpoints.load() is None
    assert capsys.readouterr().out.count("is damaged") == 2


def test_half_a_checkpoint_does_not_count_among_those_kept(tmp_path):
    checkpoints = make_checkpoints(tmp_path)
    for step in range(1, 3):
        checkpoints.save(make_trainer().state_dict(), Position(step=step), ENGINE)
    (tmp_path / "checkpoint-2.json").unlink()  # killed between the two files
    checkpoints.save(make_trainer().state_dict(), Position(step=3), ENGINE)
    assert sorted(path.stem for path in tmp_path.glob("*.json")) == ["checkpoint-1", "checkpoint-3"]
    assert not (tmp_path / "checkpoint-2.pt").exists()


def test_clearing_takes_leftovers_of_a_killed_process_too(tmp_path):
    checkpoints = make_checkpoints(tmp_path)
    checkpoints.save(make_trainer().state_dict(), Position(), ENGINE)
    (tmp_path / ".checkpoint-2.pt-123").write_bytes(b"half")
    (tmp_path / "record.json").write_text("{}")
    checkpoints.clear()
    assert [path.name for path in tmp_path.iterdir()] == ["record.json"]


def test_another_recipe_is_refused_and_named(tmp_path):
    make_checkpoints(tmp_path).save(make_trainer().state_dict(), Position(), ENGINE)
    other = make_checkpoints(tmp_path, RECIPE.model_copy(update={"batch_size": 4}))
    with pytest.raises(UsageError, match=r"made with batch_size 8, now 4\. Start over with --fre"):
        other.load()


def test_they_come_at_the_end_of_an_epoch_and_every_so_many_seconds(tmp_path):
    clock = Clock()
    checkpoints = make_checkpoints(tmp_path, every_seconds=60, clock=clock)
    clock.now = 59
    assert not checkpoints.due(MEGABYTE, epoch_ends=False)
    assert checkpoints.due(MEGABYTE, epoch_ends=True)
    clock.now = 60
    assert checkpoints.due(MEGABYTE, epoch_ends=False)
    checkpoints.save(make_trainer().state_dict(), Position(), ENGINE)
    assert not checkpoints.due(MEGABYTE, epoch_ends=False)


def test_writing_takes_a_small_share_of_the_time_at_most(tmp_path, monkeypatch):
    """A simulated hour in which every checkpoint takes 3 s."""
    clock = Clock()
    checkpoints = make_checkpoints(tmp_path, every_seconds=10, share=0.015, clock=clock)

    def write(*_):
        clock.now += 3
        return "0" * 64

    monkeypatch.setattr("bench.training.checkpoint._write_tensors", write)
    position = Position()
    while clock.now < 3600:
        clock.now += 1
        if checkpoints.due(450 * MEGABYTE, epoch_ends=clock.now % 30 < 1):
            checkpoints.save({}, position, ENGINE)
    assert 15 <= position.checkpoints <= 18
    assert position.checkpoint_seconds == 3 * position.checkpoints <= 0.015 * 3600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small file system")
def test_a_disk_that_is_really_full_leaves_the_one_before_whole(tmp_path):
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", tmp_path], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        checkpoints = make_checkpoints(tmp_path)
        state = make_trainer().state_dict()
        checkpoints.save(state, Position(step=1), ENGINE)
        free = shutil.disk_usage(tmp_path).free
        (tmp_path / "ballast").write_bytes(b"x" * (free - 500_000))
        with pytest.raises(StorageError, match=r"cannot write .*checkpoint-2\.pt: .*Free some sp"):
            checkpoints.save(state, Position(step=2), ENGINE)
        assert checkpoints.load().position.step == 1
    finally:
        subprocess.run(["umount", tmp_path], check=True)
