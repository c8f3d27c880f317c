"""Cells that were not made under the same conditions are said to be so, the others are not."""

import pytest

from bench.analysis.conditions import unequal_conditions
from bench.config import recipes
from bench.config.profiles import PROFILES
from bench.config.recipe import LinearSchedule
from tests.support.factories import ENVIRONMENT, make_grid, make_profile, make_record


def engine(**changes):
    return make_record().engine.model_copy(update=changes)


def on(**changes):
    return ENVIRONMENT.model_copy(update=changes)


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_is_equal_to_itself(profile):
    assert unequal_conditions(make_profile(profile, seeds=2)) == []


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"recipe": {"batch_size": 32}}, "batch size (32, 64)"),
        ({"recipe": {"epochs": 5}}, "epochs (4, 5)"),
        ({"recipe": {"epochs": None, "iterations": 9}}, "epochs (4, None); iterations (9, None)"),
        ({"recipe": {"freeze_weights_after_epoch": 2}}, "freeze weights after epoch (2, None)"),
        (
            {"recipe": {"schedule": LinearSchedule(warmup_fraction=0.3)}},
            "schedule (0.001 after a linear rise over 10 % of the steps, then linearly to 0, "
            "0.001 after a linear rise over 30 % of the steps, then linearly to 0)",
        ),
        ({"engine": engine(precision="float32")}, "precision (bfloat16, float32)"),
        ({"engine": engine(micro_batch_size=16)}, "images at a time (16, the whole batch)"),
        ({"engine": engine(compiled=True)}, "compiled (no, yes)"),
        ({"engine": engine(deterministic=True)}, "deterministic (no, yes)"),
        ({"engine": engine(tf32=True)}, "TF32 (no, yes)"),
        ({"environment": on(device_name="A")}, "device (A, Example CPU @ 2.10GHz)"),
        ({"environment": on(torch="3.0")}, "PyTorch (2.9.0+cpu, 3.0)"),
    ],
)
def test_what_differs_is_named_with_its_values(changes, text):
    records = [make_record(18), make_record(50, **changes), make_record(18, "mnist")]
    assert unequal_conditions(records) == [f"The CIFAR-10 cells differ in {text}."]


def test_what_leaves_results_alone_is_not_named():
    assert unequal_conditions([]) == unequal_conditions(make_grid()) == []
    records = [
        make_record(18),
        make_record(34, engine=engine(cuda_graph=True)),
        make_record(50, environment=on(memory_bytes=1, commit=None)),
    ]
    assert unequal_conditions(records) == []


def paper(depth, *, warmup=False, **changes):
    recipe = recipes.paper_cifar(warmup=warmup).model_copy(update=changes)
    return make_record(depth, network="cifar_resnet", recipe=recipe)


def test_recipes_are_compared_with_those_of_their_name():
    """They differ on purpose."""
    records = [paper(20), paper(32), paper(110, warmup=True)]
    assert unequal_conditions(records) == []
    assert unequal_conditions([*records, paper(44, iterations=640)]) == [
        "The CIFAR-10 cells with recipe paper_cifar differ in "
        "schedule (0.1 throughout (÷10 only at 32,000 and 48,000 iterations), "
        "0.1, ÷10 at 32,000 and 48,000 of 64,000 iterations); iterations (640, 64000)."
    ]


def test_the_machine_is_compared_over_all_recipes_and_a_smaller_batch_is_whole():
    small = paper(56, name="paper_cifar_small", batch_size=32)
    assert unequal_conditions([paper(20), small]) == []
    other = paper(110, warmup=True).model_copy(update={"environment": on(torch="3.0")})
    assert unequal_conditions([paper(20), other]) == [
        "The CIFAR-10 cells differ in PyTorch (2.9.0+cpu, 3.0)."
    ]
