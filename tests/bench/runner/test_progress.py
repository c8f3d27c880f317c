"""Plain lines where there is no terminal, bars where there is one, and an honest time left."""

import io
import re

from rich.console import Console

from bench.runner.progress import GridProgress
from tests.support.factories import make_failed, make_record


def cell(depth):
    return make_record(depth).cell


def test_lines_without_a_terminal():
    out = io.StringIO()
    now = [0.0]
    # 100 images of each depth: work 1,800 + 3,400
    with GridProgress(Console(file=out), 5200, clock=lambda: now[0]) as progress:
        progress.start_cell(1, 2, cell(18), 100)
        now[0] = 18.0
        progress.step(100)
        progress.end_epoch(make_record(18).epochs[0], 4)
        progress.end_cell(make_record(18))
        progress.start_cell(2, 2, cell(34), 100)
        progress.end_cell(make_failed(34, reason="no [red] memory"))
    lines = out.getvalue().splitlines()
    assert all(re.match(r"\d\d:\d\d:\d\d  \[[12]/2\] resnet", line) for line in lines)
    # 18 s for work 1,800 leaves 34 s for 3,400.
    assert "epoch 1/4, train loss " in lines[1]
    assert lines[1].endswith("of 2,000 images, 0:00:34 left")
    assert "done in 48 s, test accuracy 4" in lines[2]
    # The failed cell leaves nothing to wait for.
    assert progress._left(cell=False) == "0:00:00 left"
    assert lines[4].endswith("resnet34 cifar10 seed 0: FAILED after 64 s: no [red] memory")


def test_bars_on_a_terminal():
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=100)
    with GridProgress(console, 1800) as progress:
        progress.start_cell(1, 1, cell(18), 100)
        progress.step(50)
        progress._bars.refresh()
    assert "all cells" in out.getvalue()
    assert "resnet18 cifar10 seed 0" in out.getvalue()
    assert "50%" in out.getvalue()


def test_long_lines_are_not_broken():
    out = io.StringIO()
    with GridProgress(Console(file=out), 1) as progress:
        progress.say("word " * 100)
    assert len(out.getvalue().splitlines()) == 1


def test_timings_that_do_not_fit_the_training_are_told():
    record, out = make_record(18), io.StringIO()
    speed = record.speed.model_copy(update={"train_step_seconds": (3.48,) * 5})
    with GridProgress(Console(file=out), 1800) as progress:
        progress.start_cell(1, 1, cell(18), 100)
        progress.end_cell(record)
        assert "timed at" not in out.getvalue()
        progress.end_cell(record.model_copy(update={"speed": speed}))
    assert "timed at 3,480 ms a training step, but trained at 190 ms" in out.getvalue()
