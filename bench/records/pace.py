"""Do the timings of a cell fit the pace at which it then trained? No torch here."""

import statistics
from typing import Final

from bench.formats import significant
from bench.records.schema import Record

GROSS: Final = 2.0
"""Well above what they differ by otherwise: in the published quick records at most 1.35 times."""


def pace_problem(record: Record) -> str | None:
    """In words, where timed steps took more than GROSS times as long as trained ones, or as little.

    The pace is the median of the epochs, without the first where there are more: it compiles,
    captures and allocates. Where there is no other, it cannot show that timings are too short.
    """
    if record.speed is None or not (record.speed.train_step_seconds and record.epochs):
        return None
    trained = [epoch.train_seconds / epoch.steps for epoch in record.epochs]
    timed = statistics.median(record.speed.train_step_seconds)
    pace = statistics.median(trained[1:] or trained)
    found = (
        f"timed at {significant(1000 * timed)} ms a training step, but trained at "
        f"{significant(1000 * pace)} ms"
    )
    if timed > GROSS * pace:
        return (
            f"{found}: the machine was disturbed while it was timed, so its speed and latency are "
            "not to be used. Run the cell again with --fresh while nothing else runs."
        )
    if len(trained) > 1 and pace > GROSS * timed:
        return (
            f"{found}: something slowed training down after it was timed. Its timings may hold, "
            "its training time does not."
        )
    return None
