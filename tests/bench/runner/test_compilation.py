"""torch.compile is taken where it shortens the run, and its absence is no failure."""

from unittest.mock import Mock

import pytest
import torch

from bench.data.batches import DeviceData
from bench.records.schema import Engine
from bench.runner import compilation
from tests.support.small import small_dataset

CPU = torch.device("cpu")
ENGINE = Engine(precision="float32", micro_batch_size=16)


@pytest.mark.parametrize(
    ("eager", "compiled", "compiling", "steps", "chosen"),
    [
        (1.0, 0.5, 60.0, 1000, True),
        (1.0, 0.5, 60.0, 100, False),  # over before compiling has paid
        (1.0, 0.97, 0.0, 10**6, False),  # faster, but not clearly
        (1.0, 1.5, 60.0, 10**6, False),
    ],
)
def test_it_pays_when_the_whole_run_gets_clearly_shorter(eager, compiled, compiling, steps, chosen):
    assert compilation.pays(eager, compiled, compiling, steps) is chosen


def decide(monkeypatch, *trials, steps=10_000):
    """The decision where the trial's steps take so many seconds, or raise an error."""
    monkeypatch.setattr(compilation, "_try", Mock(side_effect=trials))
    dataset = small_dataset()
    data = DeviceData(dataset.train, dataset.spec, CPU)
    said: list[str] = []
    engine = compilation.decide(
        Mock(), data, ENGINE, step_seconds=1.0, steps=steps, say=said.append
    )
    return engine.compiled, " ".join(said)


def test_a_long_run_tries_and_takes_what_is_faster(monkeypatch):
    assert decide(monkeypatch, (60.0, 0.5)) == (
        True,
        "torch.compile: 1 s a step without it, 0.5 s with it after 60 s of compiling; taken",
    )
    assert decide(monkeypatch, (60.0, 1.0))[1].endswith("not taken")


def test_it_must_pay_for_every_time_that_it_compiles(monkeypatch):
    """A gain of 5,000 s pays for compiling 1,700 s once, and twice, but not three times."""
    assert decide(monkeypatch, (1700.0, 0.5))[1].endswith("not taken")
    assert decide(monkeypatch, (1600.0, 0.5))[0]


def test_a_short_run_does_not_even_try(monkeypatch):
    assert decide(monkeypatch, AssertionError("tried"), steps=10) == (False, "")


def test_a_machine_without_a_compiler_trains_without(monkeypatch):
    compiled, said = decide(monkeypatch, RuntimeError("no C++ compiler\nlong trace"))
    assert not compiled
    assert said == (
        "torch.compile does not work here (no C++ compiler); training goes on without it"
    )
