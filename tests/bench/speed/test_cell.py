"""Timing by a fake clock; memory by allocating some."""

from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
import torch

from bench.data.batches import DeviceData
from bench.speed import cell
from bench.training import evaluation
from tests.support.small import small_dataset, small_recipe
from tests.support.trainings import make_trainer

CPU = torch.device("cpu")


class FakeClock:
    """Time passes only in ``work``: 10 s, 11 s, 12 s, ..."""

    def __init__(self):
        self.now = 0.0
        self.calls = 0

    def __call__(self):
        return self.now

    def work(self):
        self.now += 10 + self.calls
        self.calls += 1


@pytest.mark.parametrize(("warmup", "expected"), [(0, (10, 11, 12)), (2, (12, 13, 14))])
def test_samples_are_the_repetitions_after_the_warmup(warmup, expected):
    clock = FakeClock()
    assert cell.sample(clock.work, CPU, 3, warmup=warmup, clock=clock) == expected
    assert clock.calls == warmup + 3


@pytest.mark.parametrize(
    ("graph", "steps"),
    [
        (True, [9, 2, 2, 30, 1]),  # the libraries' choices, eager, eager, the capture, a replay
        (False, [9, 1]),
    ],
)
def test_a_step_is_what_it_takes_once_all_is_chosen_and_captured(monkeypatch, graph, steps):
    clock = FakeClock()
    seen: list[int] = []
    trainer = make_trainer(small_recipe(), cuda_graph=graph)

    def step(*_):
        seen.append(steps[min(len(seen), len(steps) - 1)])
        clock.now += seen[-1]

    monkeypatch.setattr(trainer, "step", step)
    monkeypatch.setattr(cell, "burst_size", lambda _device, seconds: int(20 / seconds))
    dataset = small_dataset()
    data = DeviceData(dataset.train, dataset.spec, CPU)
    assert cell.sample_steps(trainer, data, 3, clock=clock) == (1.0, 1.0, 1.0)
    assert len(seen) == len(steps) + 3 * 20
    assert cell.sample_steps(trainer, data, 2, warmup=0, clock=clock) == (1.0, 1.0)
    assert len(seen) == len(steps) + 3 * 20 + 2


def test_measure_times_real_steps_and_says_their_size(monkeypatch):
    monkeypatch.setitem(evaluation.BATCH_SIZE, "cpu", 30)
    dataset = small_dataset(train=100)
    trainer = make_trainer(small_recipe(batch_size=16))
    before = trainer.model.fc.weight.clone()
    done: list[int] = []
    data = DeviceData(dataset.train, dataset.spec, CPU)
    measured = cell.measure(trainer, data, 2, done.append)
    assert (measured.batch_size, measured.inference_batch_size) == (16, 30)
    assert len(measured.train_step_seconds) == len(measured.inference_batch_seconds) == 2
    assert len(measured.latency_seconds) == 2 * cell.LATENCY_SAMPLES_PER_SAMPLE
    assert not torch.equal(before, trainer.model.fc.weight)
    # Two steps and a batch before they count; what is told adds up to what was announced.
    assert done == [16] * 4 + [30 // 4] * 3
    assert sum(done) <= cell.measuring_images(2, 16, CPU)
    # One image takes less time than a batch of 30.
    assert min(measured.latency_seconds) < min(measured.inference_batch_seconds)


def test_peak_memory_is_that_since_the_reset():
    size = 300 * 2**20
    source = cell.reset_peak_memory(CPU)
    block = np.ones(size, np.uint8)
    with_block = cell.peak_memory(CPU, source)
    assert with_block.source == source
    assert with_block.size_bytes > size
    del block
    cell.reset_peak_memory(CPU)
    fallen = with_block.size_bytes - cell.peak_memory(CPU, source).size_bytes
    assert fallen > 0.9 * size if source == "process since cell start" else fallen == 0


def test_a_system_that_cannot_reset_the_peak_says_so(monkeypatch):
    monkeypatch.setattr(Path, "write_text", Mock(side_effect=PermissionError))
    source = cell.reset_peak_memory(CPU)
    assert source == "process since launch"
    assert cell.peak_memory(CPU, source).size_bytes > 2**26
