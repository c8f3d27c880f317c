"""Warm-up and samples by a stopwatch that only says what it is told."""

import itertools
import statistics
import time

import pytest
import torch

from bench.speed import timing
from bench.speed.timing import sample, wall, warm_up

CPU = torch.device("cpu")


class Told:
    """A stopwatch whose repetitions take ``seconds``, the last of them for ever."""

    def __init__(self, *seconds):
        self.calls = 0
        self.seconds = itertools.chain(seconds, itertools.repeat(seconds[-1]))

    def __call__(self, repetition):
        self.calls += 1
        repetition()
        return next(self.seconds)


def nothing():
    pass


def test_warm_up_ends_when_a_window_repeats_the_one_before():
    falling = (1.0, 0.5, 0.3, 0.25, 0.2, 0.2, 0.2)
    # Medians of the two windows: 0.25 and 0.2 after the eighth, 0.2 and 0.2 after the ninth.
    seconds = warm_up(nothing, Told(*falling), most_seconds=100)
    assert seconds == (*falling, 0.2, 0.2)
    last, before = seconds[-3:], seconds[-6:-3]
    assert statistics.median(last) == pytest.approx(statistics.median(before), rel=0.05)
    assert not timing.is_stable(list(seconds[:-1]))


def test_warm_up_lasts_until_clocks_have_risen():
    seconds = warm_up(nothing, Told(0.01), least_seconds=0.2, most_seconds=100)
    assert sum(seconds) == pytest.approx(0.2, abs=0.011)


def test_a_warm_up_that_never_settles_is_bounded_in_time():
    unstable = Told(*[0.1, 0.3, 0.9] * 100)
    seconds = warm_up(nothing, Told(*[1.0 * 2**i for i in range(20)]), most_seconds=50)
    assert seconds == (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
    assert sum(warm_up(nothing, unstable, most_seconds=5)[:-1]) < 5


@pytest.mark.parametrize("least", [1, 2, 4])
def test_slow_repetitions_are_warmed_up_a_least_number_of_times(least):
    stopwatch = Told(60.0)
    assert warm_up(nothing, stopwatch, least=least) == (60.0,) * least
    assert stopwatch.calls == least


@pytest.mark.parametrize(
    ("seconds", "count"), [(0.5, 3), (100.0, 3), (0.25, 4), (0.125, 8), (0.0001, 50)]
)
def test_as_many_samples_as_fit_between_least_and_most(seconds, count):
    samples = sample(nothing, Told(seconds), seconds=1.0, least=3, most=50)
    assert samples == (seconds,) * count


def test_the_device_is_idle_whenever_the_clock_is_read(monkeypatch):
    events = []
    monkeypatch.setattr(timing, "synchronize", lambda _: events.append("wait"))

    def clock():
        events.append("clock")
        return float(len(events))

    assert wall(CPU, clock)(lambda: events.append("work")) == 3
    assert events == ["wait", "clock", "work", "wait", "clock"]


def test_throughput_of_a_model_that_sleeps():
    batch, sleep = 8, 0.1
    samples = sample(lambda: time.sleep(sleep), timing.best_stopwatch(CPU), seconds=0.7)
    # The least one: on a busy machine sleepers wake up late.
    assert batch / min(samples) == pytest.approx(batch / sleep, rel=0.02)
    assert min(samples) >= sleep


@pytest.mark.parametrize(
    ("device", "seconds", "size"),
    [("cpu", 1e-4, 1), ("cuda", 5e-4, 20), ("cuda", 4e-3, 5), ("cuda", 3.0, 1)],
)
def test_a_gpu_is_asked_for_some_repetitions_at_once(device, seconds, size):
    assert timing.burst_size(torch.device(device), seconds) == size


def test_a_burst_gives_the_mean_of_its_repetitions():
    done = []
    stopwatch = timing.in_bursts(Told(3.0), 4)
    assert stopwatch(lambda: done.append(1)) == 0.75
    assert len(done) == 4


def test_a_cpu_is_timed_by_the_clock_and_a_gpu_by_events():
    names = [timing.best_stopwatch(torch.device(name)).__qualname__ for name in ("cpu", "cuda")]
    assert [name.split(".")[0] for name in names] == ["wall", "cuda_events"]


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_events_agree_with_the_clock():
    device = torch.device("cuda")
    matrix = torch.randn(4096, 4096, device=device)

    def work():
        for _ in range(20):
            matrix @ matrix

    by_event, by_clock = (
        min(sample(work, stopwatch, seconds=0.5))
        for stopwatch in (timing.cuda_events(device), wall(device))
    )
    assert by_event == pytest.approx(by_clock, rel=0.05)
