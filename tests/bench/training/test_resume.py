"""A process may end at any moment: what comes out in the end is the same, bit for bit."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from bench.config.recipe import ErrorWarmup, StepSchedule
from bench.training.stop import StopRequest
from tests.support.resumable import RECIPE, run

pytestmark = pytest.mark.heavy

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def uninterrupted():
    return run(None)[0]


def start(folder):
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "tests.support.resumable", str(folder)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout.readline() == "ready\n"
    return process


def end(process, number):
    process.send_signal(number)
    process.communicate(timeout=60)


def wait_for_a_checkpoint(folder):
    deadline = time.monotonic() + 60
    while not list(folder.glob("*.json")) and time.monotonic() < deadline:
        time.sleep(0.01)


slow = pytest.mark.slow


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=slow), pytest.param(3, marks=slow)])
def test_killed_at_random_moments(seed, tmp_path, uninterrupted):
    randomness = random.Random(seed)
    kills = 0
    for _ in range(3):
        process = start(tmp_path)
        time.sleep(randomness.uniform(0, 0.8))
        kills += process.poll() is None
        end(process, signal.SIGKILL)
    assert kills
    assert run(tmp_path)[0] == uninterrupted


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=slow)])
def test_told_to_stop(number, tmp_path, uninterrupted):
    process = start(tmp_path)
    wait_for_a_checkpoint(tmp_path)
    end(process, number)
    assert process.returncode != 0
    assert run(tmp_path)[0] == uninterrupted


def test_a_stop_at_every_single_step(tmp_path, uninterrupted):
    """One process for each step: the request comes during the step, the checkpoint after it."""
    total = RECIPE.epochs * 4
    for step in range(1, total + 1):
        stop = StopRequest()
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path, stop=stop, on_step=lambda _images, stop=stop: ask(stop))
        newest = max(int(path.stem.partition("-")[2]) for path in tmp_path.glob("*.pt"))
        assert newest >= step
    result, training = run(tmp_path)
    assert result == uninterrupted
    assert training.course().resumes == total


def test_a_stop_at_every_step_of_a_warmup_leaves_its_length(tmp_path, monkeypatch):
    """Its windows of five steps begin in one epoch of four and end in the next."""
    monkeypatch.setattr("bench.training.loop.WARMUP_WINDOW", 5)
    warmup = ErrorWarmup(learning_rate=1e-3, until_train_error=0.89)
    schedule = StepSchedule(unit="iteration", milestones=(11,), factor=0.1, warmup=warmup)
    recipe = RECIPE.model_copy(update={"schedule": schedule})
    whole, training = run(None, recipe=recipe)
    assert training.course().warmup_steps in (5, 10)
    for _ in range(12):
        stop = StopRequest()
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path, recipe=recipe, stop=stop, on_step=lambda _images, stop=stop: ask(stop))
    result, resumed = run(tmp_path, recipe=recipe)
    assert result == whole
    assert resumed.course().warmup_steps == training.course().warmup_steps


class AskedLate(StopRequest):
    """The signal arrives after the last look at it in a step."""

    def __init__(self, looks):
        self._looks = looks
        super().__init__()

    @property
    def wanted(self):
        self._looks -= 1
        return self._looks < 0

    @wanted.setter
    def wanted(self, value):
        assert not value


def test_a_stop_after_the_last_step_of_an_epoch_is_not_forgotten(tmp_path, uninterrupted):
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, stop=AskedLate(looks=4))  # one in each step of the first epoch
    result, training = run(tmp_path)
    assert (result, training.course().resumes) == (uninterrupted, 1)


def ask(stop):
    stop.wanted = True


def test_another_number_of_threads_goes_on_but_may_round_differently(tmp_path):
    """Sums are split over the threads, so equality of the bits is promised for one number only."""
    stop, threads = StopRequest(), torch.get_num_threads()
    torch.set_num_threads(threads + 1)
    try:
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path, stop=stop, on_step=lambda _images: ask(stop))
    finally:
        torch.set_num_threads(threads)
    assert run(tmp_path)[1].course().resumes == 1


@pytest.mark.parametrize("damage", ["truncated", "altered", "no json", "bad json", "empty"])
def test_a_damaged_newest_checkpoint_falls_back_to_the_one_before(
    damage, tmp_path, uninterrupted, capsys
):
    steps = []

    def stop_after_ten(_images):
        steps.append(1)
        if len(steps) == 10:
            raise KeyboardInterrupt  # as if killed: nothing is written for it

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, on_step=stop_after_ten)
    paths = sorted(tmp_path.glob("*.pt"), key=lambda path: int(path.stem.partition("-")[2]))
    assert len(paths) == 2
    newest = paths[-1]
    content = newest.read_bytes()
    if damage == "truncated":
        newest.write_bytes(content[: len(content) // 2])
    elif damage == "altered":
        newest.write_bytes(content[:-1000] + b"x" * 1000)
    elif damage == "no json":
        newest.with_suffix(".json").unlink()
    elif damage == "bad json":
        newest.with_suffix(".json").write_text('{"settings": ')
    else:
        newest.write_bytes(b"")
    assert run(tmp_path)[0] == uninterrupted
    assert f"{newest} is damaged" in capsys.readouterr().out
