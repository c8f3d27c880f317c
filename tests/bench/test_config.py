"""Profiles are complete, fair and refuse unknown names."""

import pytest
from pydantic import ValidationError

from bench.config import DATASETS, MODELS, PROFILES, make
from bench.errors import UsageError
from tests.bench.factories import make_recipe


@pytest.mark.parametrize("profile", PROFILES)
def test_profile_holds_ten_cells_and_one_recipe_for_all_depths(profile):
    config = make(profile, has_gpu=False)
    assert config.profile == profile
    assert (config.models, config.datasets, config.seeds) == (MODELS, DATASETS, (0,))
    assert {name: recipe.name for name, recipe in config.recipes.items()} == dict.fromkeys(
        DATASETS, profile
    )


def test_auto_is_full_with_a_gpu_and_quick_without():
    assert make("auto", has_gpu=True).profile == "full"
    assert make("auto", has_gpu=False).profile == "quick"


def test_choice_keeps_the_order_of_the_catalog():
    config = make("smoke", has_gpu=False, models=["resnet50", "resnet18"], datasets=["mnist"])
    assert config.models == ("resnet18", "resnet50")
    assert config.datasets == ("mnist",)
    assert make("smoke", has_gpu=False, seeds=3).seeds == (0, 1, 2)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"profile": "fast"}, r"no profile named 'fast'; there are auto, smoke, quick, full"),
        ({"models": ["resnet19"]}, r"no model named 'resnet19'; there are resnet18, "),
        ({"datasets": ["cifar100"]}, r"no dataset named 'cifar100'; there are cifar10, mnist"),
        ({"seeds": 0}, r"--seeds 0: at least one"),
    ],
)
def test_unknown_names_are_refused_with_the_known_ones(wrong, message):
    with pytest.raises(UsageError, match=message):
        make(**{"profile": "smoke", "has_gpu": False, **wrong})


@pytest.mark.parametrize("change", [{"epochs": 0}, {"learning_rate": -1}, {"optimizer": "lion"}])
def test_recipe_is_validated_on_construction(change):
    values = make_recipe().model_dump()
    with pytest.raises(ValidationError, match=next(iter(change))):
        type(make_recipe())(**{**values, **change})
