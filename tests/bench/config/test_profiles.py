"""Profiles are complete, fair and refuse unknown names."""

import re
from itertools import chain

import pytest

from bench.claims.budgets import NOTEBOOK
from bench.claims.files import load_claims
from bench.config import profiles, recipes
from bench.config.experiments import load_experiments
from bench.config.plan import Changes, plan
from bench.config.profiles import DATASETS, PROFILES, PROJECT2022_SMALL, TABLE1, make
from bench.errors import UsageError

TEN = [(model, dataset) for dataset in DATASETS for model in TABLE1]


def cells(plans):
    return [(each.cell.model, each.cell.dataset) for each in plans]


@pytest.mark.parametrize("profile", ["smoke", "quick", "full"])
def test_ten_cells_as_published_with_one_recipe_for_all_depths(profile):
    made = make(profile, has_gpu=False)
    assert made.profile == profile
    assert cells(made.plans[:10]) == TEN
    own = [each for each in made.plans if each.cell.model in TABLE1]
    # full adds the small stem on CIFAR-10
    assert cells(own[10:]) == (TEN[:5] if profile == "full" else [])
    for number, each in enumerate(own):
        assert each.recipe == getattr(recipes, profile)(each.cell.dataset)
        cell, stem = each.cell, "imagenet" if number < 10 else "cifar"
        assert (cell.lineage, cell.stem, cell.shortcut) == ("paper", stem, "B")
        assert cell.id == f"{cell.model}-paper-{stem}-{cell.dataset}-{profile}-seed0"


@pytest.mark.parametrize(
    ("profile", "depths", "iterations"),
    [("smoke", (), 0), ("quick", (20,), 128), ("full", (20, 56), 64_000)],
)
def test_networks_of_the_papers_own_come_last_by_its_recipe(profile, depths, iterations):
    last = [each for each in make(profile, has_gpu=False).plans if each.cell.model not in TABLE1]
    models = [f"cifar_{kind}{depth}" for depth in depths for kind in ("resnet", "plain")]
    assert cells(last) == [(model, "cifar10") for model in models]
    whole = recipes.paper_cifar(warmup=False)
    assert {each.recipe for each in last} <= {recipes.shorten(whole, iterations=iterations or 1)}


def test_a_cell_of_quick_is_found_whatever_share_of_the_iterations_it_had():
    cell = "cifar_plain20-paper-cifar-cifar10-paper_cifar_iterations6400-seed0"
    (made,) = make("quick", has_gpu=False, cells=[cell]).plans
    assert made.recipe == recipes.shorten(recipes.paper_cifar(warmup=False), fraction=0.1)
    more = make("quick", has_gpu=False, share=0.1).plans
    assert [each.cell.id for each in more if each.cell.id == cell] == [cell]
    assert len(more) == 12


def test_table6_is_that_of_the_paper_and_its_plain_counterparts():
    plans = make("table6", has_gpu=False).plans
    models = [f"cifar_resnet{depth}" for depth in (20, 32, 44, 56, 110)]
    models += [f"cifar_plain{depth}" for depth in (20, 32, 44, 56)]
    assert cells(plans) == [(model, "cifar10") for model in models]
    for each in plans:
        assert each.recipe == recipes.paper_cifar(warmup=each.cell.depth == 110)
        assert each.cell.shortcut == ("A" if "resnet" in each.cell.model else "none")


def test_project2022_has_equal_epochs_with_and_without_the_accident():
    plans = make("project2022", has_gpu=False).plans
    assert cells(plans) == TEN + TEN[:5]
    assert {each.cell.lineage for each in plans} == {"project2022"}
    epochs = {(each.cell.dataset, each.recipe.epochs) for each in plans}
    assert epochs == {("cifar10", 60), ("mnist", 20)}
    frozen = [each.recipe.freeze_weights_after_epoch for each in plans]
    assert frozen == [None] * 10 + [20] * 5


def test_a_cell_carries_the_name_of_its_recipe_and_ids_are_unique():
    by_profile = [profile().plans for profile in PROFILES.values()]
    plans = list(chain.from_iterable(by_profile))
    assert all(each.cell.recipe == each.recipe.name for each in plans)
    assert all(len({each.cell.id for each in some}) == len(some) for some in by_profile)
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]+", each.cell.id) for each in plans)
    # One name and data set mean one recipe in all profiles.
    named = {(each.recipe.name, each.cell.dataset): each.recipe for each in plans}
    assert all(each.recipe == named[each.recipe.name, each.cell.dataset] for each in plans)


def test_another_shortcut_shows_in_the_id():
    other = plan("resnet50", "mnist", recipes.quick("mnist"), shortcut="C")
    assert other.cell.id.startswith("resnet50_optionC-paper-")


def test_auto_is_full_with_a_gpu_and_quick_without():
    assert [make("auto", has_gpu=gpu).profile for gpu in (True, False)] == ["full", "quick"]


def test_a_choice_keeps_the_order_of_the_profile():
    made = make("smoke", has_gpu=False, models=["resnet50", "resnet18"], datasets=["mnist"])
    assert cells(made.plans) == [("resnet18", "mnist"), ("resnet50", "mnist")]
    both = make("full", has_gpu=False, models=["resnet50"], datasets=["cifar10"])
    assert [each.cell.stem for each in both.plans] == ["imagenet", "cifar"]


def test_seeds_go_through_the_whole_profile_one_by_one():
    made = make(
        "table6", has_gpu=False, models=["cifar_plain20", "cifar_resnet110"], seeds=range(3)
    )
    assert [(each.cell.seed, each.cell.model) for each in made.plans] == [
        (seed, model) for seed in range(3) for model in ("cifar_resnet110", "cifar_plain20")
    ]
    assert len({each.cell.id for each in made.plans}) == 6


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            {"profile": "fast"},
            "no profile named 'fast'; there are auto, smoke, quick, lecture, full, table6, "
            "table6_more, project2022$",
        ),
        (
            {"models": ["cifar_plain32"]},
            r"no model named 'cifar_plain32' in this profile \(--profile table6 has it\); there "
            "are resnet18, ",
        ),
        ({"models": ["plain18"]}, r"'plain18' in this profile \(no profile has it\); there are"),
        (
            {"models": ["ResNet-50"]},
            r"no model named 'ResNet-50' \(did you mean resnet50\?\); there",
        ),
        (
            {"models": ["resnet110"]},
            r"'resnet110' \(did you mean cifar_resnet110 with --profile table6\?\); there",
        ),
        ({"models": ["vgg"]}, "no model named 'vgg'; there are resnet18, "),
        (
            {"profile": "table6", "datasets": ["mnist"]},
            r"no dataset named 'mnist' in this profile \(--profile smoke or .* cifar10$",
        ),
        ({"profile": "tabel6"}, r"no profile named 'tabel6' \(did you mean table6 or table6_more"),
        (
            {"datasets": ["cifar100"]},
            r"no dataset named 'cifar100' .*cifar10\?\); there are cifar10, mnist",
        ),
        ({"seeds": ()}, "at least one seed is needed"),
        (
            {"cells": ["resnet18-paper-imagenet-mnist-quick-seed1"]},
            r"no cell named '.*-quick-seed1' in this profile \(--profile quick has it\); there are "
            "resnet18-paper-imagenet-cifar10-smoke-seed1",
        ),
        ({"cells": ["resnet18"]}, "no cell named 'resnet18' .*; there are .*-smoke-seed0$"),
        (
            {"profile": "table6", "changes": Changes(epochs=3)},
            "--epochs 3: the recipe paper_cifar is told in iterations, not in epochs",
        ),
        (
            {"profile": "lecture", "changes": Changes(fraction=0.0)},
            "--fraction 0.0: a fraction above 0 and up to 1 is needed",
        ),
        (
            {"changes": Changes(iterations=9)},
            "--iterations 9: the recipe smoke is told in epochs, not in iterations; --epochs",
        ),
        (
            {"changes": Changes(images_per_epoch=45_001, held_out=5000)},
            "--images-per-epoch 45001: cifar10 has 45000 to train on",
        ),
        (
            {"changes": Changes(norm_batch=33)},
            "--norm-batch 33: a batch of smoke has 32 images, and BatchNorm cannot see more",
        ),
    ],
)
def test_unknown_names_are_refused_with_the_known_ones(wrong, message):
    with pytest.raises(UsageError, match=message):
        make(**{"profile": "smoke", "has_gpu": False, **wrong})


def test_a_choice_that_leaves_no_cell_is_refused(monkeypatch):
    """No profile has such a hole yet."""
    whole = profiles.smoke()
    holey = profiles.RunConfig(
        profile="smoke", plans=(whole.plans[0], whole.plans[-1]), speed_samples=1
    )
    monkeypatch.setitem(PROFILES, "smoke", lambda: holey)
    with pytest.raises(UsageError, match="profile smoke has no cell of resnet18 on mnist"):
        make("smoke", has_gpu=False, models=["resnet18"], datasets=["mnist"])


def test_held_out_images_make_other_cells():
    config = make("table6", has_gpu=False, changes=Changes(held_out=5000))
    assert config.words == ("--held-out 5000",)
    assert {(plan.cell.recipe, plan.recipe.held_out_images) for plan in config.plans} == {
        ("paper_cifar_heldout5000", 5000),
        ("paper_cifar_warmup_heldout5000", 5000),
    }


def test_smaller_groups_for_batch_norm_make_other_cells():
    changes = Changes(held_out=5000, norm_batch=64)
    config = make("table6", has_gpu=False, models=["cifar_resnet110"], changes=changes)
    assert config.words == ("--held-out 5000", "--norm-batch 64")
    (made,) = config.plans
    plain = recipes.paper_cifar(warmup=True)
    name = "paper_cifar_warmup_heldout5000_norm64"
    assert made.cell.recipe == name
    changed = {"name": name, "held_out_images": 5000, "norm_batch_size": 64}
    assert made.recipe == plain.model_copy(update=changed)


def test_cells_are_chosen_by_the_names_of_their_folders():
    whole = make("full", has_gpu=False, seeds=range(4))
    wanted = ["resnet50-paper-cifar-cifar10-full-seed3", "resnet18-paper-imagenet-mnist-full-seed0"]
    made = make("full", has_gpu=False, cells=wanted)
    assert [each.cell.id for each in made.plans] == wanted[::-1]
    assert set(made.plans) <= set(whole.plans)
    far = make("full", has_gpu=False, cells=["resnet18-paper-imagenet-mnist-full-seed987654321"])
    assert [each.cell.seed for each in far.plans] == [987654321]


def test_a_smaller_budget_makes_other_cells_and_keeps_the_place_of_the_accident():
    made = make("project2022", has_gpu=False, models=["resnet50"], changes=PROJECT2022_SMALL)
    assert made.words == ("--epochs 24", "--images-per-epoch 3200")
    names = [each.recipe.name for each in made.plans]
    assert names[0] == "project2022_base_epochs24_images3200"
    assert names[2] == "project2022_base_frozen8_epochs24_images3200"
    whole = make("project2022", has_gpu=False, models=["resnet50"])
    changes = {"epochs": 24, "images_per_epoch": 3200, "test_images": 640}
    for small, large, frozen in zip(made.plans, whole.plans, (None, None, 8), strict=True):
        assert small.recipe == large.recipe.model_copy(
            update=changes | {"name": small.cell.recipe, "freeze_weights_after_epoch": frozen}
        )


def test_the_lecture_trains_four_networks_on_equally_many_images():
    plans = make("lecture", has_gpu=False).plans
    models = ["cifar_resnet20", "cifar_plain20", "cifar_resnet56", "cifar_plain56"]
    assert cells(plans) == [(model, "cifar10") for model in models]
    assert [each.cell.shortcut for each in plans] == ["A", "none", "A", "none"]
    assert {each.recipe for each in plans} == {recipes.lecture()}


def test_a_fraction_of_the_iterations_makes_other_cells():
    made = make("table6", has_gpu=False, changes=Changes(fraction=0.1))
    assert made.words == ("--fraction 0.1",)
    names = {each.cell.recipe for each in made.plans}
    assert names == {"paper_cifar_iterations6400", "paper_cifar_warmup_iterations6400"}


def test_the_budget_of_a_profile_itself_changes_nothing():
    whole = make("quick", has_gpu=False)
    same = make("quick", has_gpu=False, changes=Changes(epochs=4))
    assert same.plans == whole.plans[:10]  # changes are to the cells of Table 1 alone


def test_every_training_that_a_claim_needs_is_in_a_profile_or_an_experiment():
    plans = [each for name in PROFILES for each in PROFILES[name]().plans]
    plans += [each for planned in load_experiments().values() for each in planned.config().plans]
    there = {(each.cell.model, each.cell.shortcut, each.recipe) for each in plans}
    missing = [
        (claim.id, group.model, group.budget)
        for claim in load_claims()
        for group in claim.needs.groups
        if group.needed.recipe is not None
        and not group.budget.startswith(NOTEBOOK)
        and (group.model, group.definition.shortcut, group.needed.recipe) not in there
    ]
    assert missing == []


def test_another_rate_and_batch_make_other_cells():
    changes = Changes(batch_size=64, learning_rate=0.05)
    (made,) = make("full", has_gpu=False, cells=[], models=["resnet18"], datasets=["mnist"],
                   changes=changes).plans  # fmt: skip
    assert made.cell.recipe == "full_batch64_rate0p05"
    expected = {"name": made.cell.recipe, "batch_size": 64, "learning_rate": 0.05}
    assert made.recipe == recipes.full("mnist").model_copy(update=expected)
    assert (
        make("full", has_gpu=False, changes=Changes(learning_rate=0.1)).plans
        == make("full", has_gpu=False, models=TABLE1).plans
    )


def test_a_variant_is_trained_instead_of_the_published_network_and_each_cell_once():
    changes = Changes(stem="cifar", lineage="torchvision", shortcut="C")
    config = make("full", has_gpu=False, models=["resnet18"], seeds=[7], changes=changes)
    assert [each.cell.id for each in config.plans] == [
        "resnet18_optionC-torchvision-cifar-cifar10-full-seed7",
        "resnet18_optionC-torchvision-cifar-mnist-full-seed7",
    ]
    assert config.words == ("--lineage torchvision", "--stem cifar", "--shortcut C")
