"""Where training stops moving: the 2022 project's runs, and logs that are made up."""

from dataclasses import replace

import numpy as np
import pytest

from bench.analysis.freezing import RATIO, can_freeze_be_seen, find_freeze, moving_epochs
from bench.analysis.logs import run_logs
from bench.reference.loader import load_project2022
from tests.support.synthetic_logs import clean_log, first_epochs, frozen_log, make_log

pytestmark = pytest.mark.heavy

PROJECT = load_project2022()
RUNS = list(zip(PROJECT.runs, run_logs(PROJECT), strict=True))


@pytest.mark.parametrize(("run", "log"), RUNS, ids=[run.notebook for run in PROJECT.runs])
def test_it_finds_what_was_found_by_hand_and_is_sure_of_it(run, log):
    """Well beyond every threshold, not just beyond."""
    freeze = find_freeze(log)
    assert (freeze and freeze.after_epoch) == run.frozen_after_epoch
    assert moving_epochs(log) == (run.frozen_after_epoch or run.epochs)
    if freeze:
        assert freeze.trend_p > 0.05
        assert freeze.scatter < 0.75 * freeze.counting_scatter
        assert freeze.moving_wander > 1.5 * RATIO * freeze.still_wander
        assert freeze.wander_p < 1e-5
        assert freeze.level == pytest.approx(
            np.mean(run.train_accuracy_percent[run.frozen_after_epoch :])
        )
        assert freeze.test_jump > 0


EVERY = pytest.param(1, marks=pytest.mark.slow, id="every epoch")


@pytest.mark.parametrize("step", [9, EVERY])
def test_no_alarm_at_any_time_while_the_weights_moved(step):
    for run, log in RUNS:
        for epochs in range(5, (run.frozen_after_epoch or run.epochs) + 1, step):
            assert find_freeze(first_epochs(log, epochs)) is None, (run.notebook, epochs)


@pytest.mark.parametrize("step", [6, EVERY])
def test_a_freeze_is_found_soon_and_stays_where_it_is(step):
    found = [
        find_freeze(first_epochs(log, epochs))
        for run, log in RUNS
        if (frozen := run.frozen_after_epoch)
        for epochs in range(int(1.2 * frozen) + 10, run.epochs + 1, step)
    ]
    missed = sum(freeze is None for freeze in found)
    assert missed <= 0.02 * len(found)
    assert {freeze.after_epoch for freeze in found if freeze} == {20, 50, 60}


def test_saturated_runs_are_not_judged():
    unjudged = [(log.dataset, log.depth) for _, log in RUNS if not can_freeze_be_seen(log)]
    assert unjudged == [("mnist", 18), ("mnist", 34), ("mnist", 50)]


MANY = pytest.param(1000, marks=pytest.mark.slow, id="many")


@pytest.mark.parametrize("kind", ["constant", "step", "cosine"])
@pytest.mark.parametrize("count", [100, MANY])
def test_false_alarms_on_clean_logs_are_rare(kind, count):
    rng = np.random.default_rng(2022)
    logs = [clean_log(rng, kind, int(rng.integers(5, 201))) for _ in range(count)]
    alarms = sum(find_freeze(log) is not None for log in logs)
    assert sum(map(can_freeze_be_seen, logs)) > 0.8 * count
    assert alarms <= 0.01 * count


@pytest.mark.parametrize("count", [150, MANY])
def test_frozen_logs_are_found_where_they_froze(count):
    rng = np.random.default_rng(2022)
    pairs = [frozen_log(rng, int(rng.integers(30, 201))) for _ in range(count)]
    freezes = [(find_freeze(log), moving) for log, moving in pairs]
    close = [
        freeze for freeze, moving in freezes if freeze and abs(freeze.after_epoch - moving) <= 3
    ]
    assert len(close) >= 0.95 * count


def standing_still(**changes):
    """A log that freezes after epoch 30 of 60, and in which nothing else can be seen."""
    rng = np.random.default_rng(7)
    train = np.concatenate([np.linspace(20, 60, 30), 60 + 0.1 * rng.standard_normal(30)])
    test = np.concatenate(
        [np.linspace(20, 58, 30) + 3 * rng.standard_normal(30), np.full(30, 62.0)]
    )
    return make_log(train, test + 0.1 * rng.standard_normal(60), **changes)


def test_a_run_without_batch_norm_repeats_its_numbers():
    log = standing_still()
    still = {
        name: (*getattr(log, name)[:30], *[getattr(log, name)[-1]] * 30)
        for name in ("train_accuracy", "test_accuracy", "train_loss", "test_loss")
    }
    freeze = find_freeze(replace(log, **still))
    assert (freeze.after_epoch, freeze.trend_p, freeze.still_wander) == (30, 1, 0)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"milestones": (30,)}, id="the learning rate drops there"),
        pytest.param({"milestones": (25, 40)}, id="it drops shortly before"),
        pytest.param({"train_loss": tuple(np.linspace(2, 1, 60))}, id="the loss still falls"),
        pytest.param({"train_accuracy": tuple(np.linspace(20, 60, 60))}, id="accuracy still rises"),
        pytest.param(
            {"train_accuracy": (*np.linspace(60, 99.6, 30), *[99.9, 99.8] * 15)}, id="saturated"
        ),
        pytest.param({"train_accuracy": (*np.linspace(60, 50, 30), *[55.0] * 30)}, id="no rise"),
        pytest.param({"train_accuracy": (*np.linspace(20, 60, 30), *[61, 63] * 15)}, id="scatter"),
        pytest.param({"test_accuracy": tuple(np.linspace(20, 62, 60))}, id="no wandering"),
        pytest.param({"train_accuracy": (0.0,) * 60}, id="never right"),
        pytest.param({"train_loss": (float("nan"),) * 60}, id="no loss"),
    ],
)
def test_where_something_else_may_be_the_reason_it_says_nothing(changes):
    assert find_freeze(standing_still(**changes)) is None
    assert moving_epochs(standing_still(**changes)) == 60


@pytest.mark.parametrize("milestones", [(), (10,), (45,)])
def test_a_milestone_elsewhere_does_not_matter(milestones):
    assert find_freeze(standing_still(milestones=milestones)).after_epoch == 30


@pytest.mark.parametrize("epochs", [1, 10, 17])
def test_a_short_log_is_not_judged(epochs):
    log = first_epochs(standing_still(), epochs)
    assert not can_freeze_be_seen(log)
    assert find_freeze(log) is None
