"""What cells will take: by a record of the same network made here, or by a step tried now."""

from dataclasses import replace

import pytest

from bench.config import recipes
from bench.config.plan import plan
from bench.config.profiles import SHARES, RunConfig, make
from bench.records import store
from bench.runner import estimate
from bench.runner.estimate import Disk, disk, may_take
from bench.speed.cell import sample_steps
from bench.training.engine import EngineOptions
from tests.support.factories import ENVIRONMENT, make_record
from tests.support.grids import make_options

RECIPE = recipes.lecture()
LECTURE = make("lecture", has_gpu=False)


def one(**cell):
    return plan("cifar_resnet20", "cifar10", RECIPE, **cell)


def recorded(folder, seconds_an_image, **changes):
    """A record of ResNet-20 whose images took so long."""
    record = make_record(20, network="cifar_resnet", recipe=RECIPE, environment=ENVIRONMENT)
    epochs = tuple(
        epoch.model_copy(update={"train_seconds": seconds_an_image * epoch.train_images})
        for epoch in record.epochs
    )
    store.save(folder, record.model_copy(update={"epochs": epochs} | changes))


@pytest.fixture
def no_trial(monkeypatch):
    monkeypatch.setattr(estimate, "_try", lambda *_: 1.0)
    monkeypatch.setattr(estimate, "choose_engine", lambda *_: None)


def images(options):
    """Of training: what is timed, trained on and, at a quarter each, looked at."""
    timed = (options.config.speed_samples + 2) * (128 + 250 // 4)
    return timed + 1400 * 128 + (27 * 500 + 10_000 + 6400) / 4


def test_a_record_made_here_tells_the_time_of_another_seed(tmp_path, no_trial):
    recorded(tmp_path, 0.002)
    options = make_options(tmp_path)
    (found,) = estimate.estimate([one(seed=3)], options)
    assert found.seconds == pytest.approx(0.002 * images(options))
    assert found.source == "a record made here"


@pytest.mark.parametrize(
    "changes",
    [
        {"environment": ENVIRONMENT.model_copy(update={"device_name": "another"})},
        {"environment": ENVIRONMENT.model_copy(update={"threads": 77})},
        {"recipe": RECIPE.model_copy(update={"batch_size": 64})},
    ],
)
def test_a_record_of_another_machine_or_batch_tells_nothing(tmp_path, no_trial, changes):
    recorded(tmp_path, 0.002, **changes)
    options = make_options(tmp_path)
    (found,) = estimate.estimate([one()], options)
    assert found.seconds == pytest.approx(images(options))
    assert found.source == "a step tried now"


def test_another_precision_is_another_speed(tmp_path, no_trial):
    recorded(tmp_path, 0.002)
    options = make_options(tmp_path, engine=EngineOptions(precision="float16"))
    assert estimate.estimate([one()], options)[0].source == "a step tried now"


@pytest.mark.heavy
def test_a_step_is_tried_once_for_all_seeds(tmp_path, monkeypatch):
    batches = []

    def note(trainer, *arguments):
        batches.append(trainer.recipe.batch_size)
        return sample_steps(trainer, *arguments)

    monkeypatch.setattr(estimate, "sample_steps", note)
    found = estimate.estimate([one(seed=seed) for seed in (0, 1)], make_options(tmp_path))
    assert batches == [32]  # of the batch of 128, on a CPU
    assert found[0].seconds == found[1].seconds > 0
    assert not list(tmp_path.iterdir())


def test_what_can_take_no_hour_is_known_without_a_trial(tmp_path):
    whole = make_options(tmp_path, LECTURE)
    assert may_take(LECTURE.plans, whole) > 3600
    quick = make("quick", has_gpu=False)
    assert 0 < may_take(quick.plans, make_options(tmp_path, quick)) < 3600


def test_disk_space_follows_from_weights_epochs_and_test_images():
    weights = 4 * 269_722
    record = 20_000 + 28 * 450 + 2 * 10_000
    assert disk([one()], keeps_weights=False) == Disk(record, 3 * 2 * weights)
    assert disk([one()], keeps_weights=True).records == record + weights
    adam = recipes.quick("cifar10")
    planned = [plan("cifar_resnet20", "cifar10", adam)]
    assert disk(planned, keeps_weights=False).checkpoints == 3 * 3 * weights
    assert disk([], keeps_weights=True) == Disk(0, 0)


def test_an_empty_profile_takes_nothing(tmp_path):
    empty = replace(LECTURE, plans=())
    assert isinstance(empty, RunConfig)
    assert estimate.estimate(empty.plans, make_options(tmp_path, empty)) == []


@pytest.mark.parametrize(
    ("minutes", "share"),
    [(0, SHARES[0]), (150, 0.05), (2 * 24 * 60, 1.0)],
    ids=["none", "some", "days"],
)
def test_minutes_are_spent_on_the_papers_own_networks(tmp_path, monkeypatch, minutes, share):
    """At 200 images/s a twentieth of the paper takes two networks 69 minutes."""
    monkeypatch.setattr(estimate, "_try", lambda *_: 0.005)
    monkeypatch.setattr(estimate, "choose_engine", lambda *_: None)
    options = make_options(tmp_path, make("quick", has_gpu=False))
    assert estimate.fitting_share(options, 60 * minutes) == share


def test_a_share_that_was_begun_is_gone_on_with(tmp_path, no_trial):
    (tmp_path / "cifar_plain20-paper-cifar-cifar10-paper_cifar_iterations640-seed0").mkdir()
    options = make_options(tmp_path, make("quick", has_gpu=False))
    assert estimate.fitting_share(options, 1e9) == 0.01
