"""Timings that do not fit the training that follows are named, and slow first epochs are not."""

import pytest

from bench.records.pace import pace_problem
from tests.support.factories import make_failed, make_record


def paced(timed, *trained):
    """A record whose steps were timed and then trained at so many seconds each."""
    record = make_record(recipe={"epochs": len(trained)})
    speed = record.speed.model_copy(update={"train_step_seconds": (timed,) * 3})
    epochs = tuple(
        epoch.model_copy(update={"train_seconds": seconds * epoch.steps})
        for epoch, seconds in zip(record.epochs, trained, strict=True)
    )
    return record.model_copy(update={"speed": speed, "epochs": epochs})


@pytest.mark.parametrize(
    ("timed", "trained", "words"),
    [
        (3.48, (0.13,), "timed at 3,480 ms a training step, but trained at 130 ms: the machine"),
        (3.48, (5.0, 0.13, 0.13), "trained at 130 ms: the machine was disturbed while"),
        (0.1, (0.1, 0.3, 0.3), "timed at 100 ms a training step, but trained at 300 ms: something"),
        (0.1, (0.3,), None),  # compiling may take that long
        (0.1, (0.9, 0.1), None),
        (0.1, (0.1, 0.1, 0.1, 9.0), None),  # one epoch held up
        (0.19, (0.1, 0.1), None),
        (0.06, (0.1, 0.1), None),
    ],
)
def test_timings_far_from_the_pace_are_named(timed, trained, words):
    problem = pace_problem(paced(timed, *trained))
    assert (problem is None) if words is None else (words in problem)


def test_what_was_not_timed_or_trained_has_no_pace():
    assert pace_problem(make_failed()) is None
    assert pace_problem(make_record().model_copy(update={"epochs": ()})) is None
