"""Recipes, engines and what happened, as people read them."""

import pytest

from bench.analysis import labels
from bench.config import recipes
from bench.config.profiles import PROFILES
from bench.config.recipe import LinearSchedule, StepSchedule
from bench.records.schema import Course, Engine
from resnet_models import MODELS
from tests.support.factories import make_recipe, make_record

PAPER = "0.1, ÷10 at 32,000 and 48,000"


def stepped(*milestones):
    schedule = StepSchedule(unit="iteration", milestones=milestones, factor=0.5)
    return make_recipe(learning_rate=0.2, schedule=schedule)


@pytest.mark.parametrize(
    ("recipe", "text"),
    [
        (recipes.paper_cifar(warmup=False), f"{PAPER} of 64,000 iterations"),
        (recipes.paper_cifar(warmup=True),
         f"0.01 until the train error is below 80 %, then {PAPER} of 64,000 iterations"),
        (recipes.project2022("mnist", epochs=200), "0.1, ÷10 at 100 and 150 of 200 epochs"),
        (recipes.project2022("mnist", epochs=120), "0.1, ÷10 at 100 of 120 epochs"),
        (recipes.project2022("mnist", epochs=100),
         "0.1 throughout (÷10 only at 100 and 150 epochs)"),
        (recipes.smoke("mnist"), "0.001 after a linear rise over 25 % of the steps, "
                                 "then linearly to 0"),
        (make_recipe(schedule=LinearSchedule(warmup_fraction=0)), "0.001, then linearly to 0"),
        (stepped(7), "0.2, ÷2 at 7 iterations"),
        (stepped(), "0.2 throughout"),
    ],
)  # fmt: skip
def test_schedule(recipe, text):
    assert labels.schedule(recipe) == text


@pytest.mark.parametrize(
    ("recipe", "text"),
    [
        (recipes.paper_cifar(warmup=False), "64,000 iterations"),
        (recipes.full("mnist"), "30 epochs"),
        (recipes.quick("cifar10"), "4 epochs of 1,600 images"),
    ],
)
def test_budget(recipe, text):
    assert labels.budget(recipe) == text


def test_networks_are_called_as_in_the_paper():
    assert labels.model_title("resnet", 50) == "ResNet-50"
    assert labels.model_title("cifar_resnet", 110) == "ResNet-110"
    assert labels.model_title("cifar_plain", 20) == "plain-20"
    titles = {labels.model_title(spec.network, spec.depth) for spec in MODELS.values()}
    assert len(titles) == len(MODELS)
    assert set(labels.NETWORKS) == {spec.network for spec in MODELS.values()}


@pytest.mark.parametrize("profile", PROFILES)
def test_facts_of_a_recipe_are_all_that_apply(profile):
    for plan in PROFILES[profile]().plans:
        facts = labels.recipe_facts(make_record(recipe=plan.recipe))
        for name, value in plan.recipe:
            title = name.replace("_", " ")
            if name == "schedule":
                assert title not in facts
            elif value is not None:
                assert facts[title] == str(value)
            else:
                assert facts.get(title) == ("all" if "images" in name else None)


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({}, "float32"),
        ({"micro_batch_size": 16}, "float32, 16 images at a time"),
        ({"tf32": True, "compiled": True}, "float32, compiled, TF32 on"),
        (
            {"precision": "bfloat16", "cuda_graph": True, "deterministic": True, "tf32": False},
            "bfloat16, CUDA graph, TF32 off, deterministic",
        ),
    ],
)
def test_engine(facts, text):
    used = Engine(precision="float32", micro_batch_size=64).model_copy(update=facts)
    assert labels.engine(make_record(engine=used)) == text


def course(recipe=None, **events):
    return labels.course(make_record(recipe=recipe or {}, course=Course(**events)))


def test_resumes_and_the_share_of_checkpoints():
    assert course() == {}
    record = make_record(course=Course(resumes=1, checkpoints=3, checkpoint_seconds=0.5))
    seconds = sum(epoch.train_seconds + epoch.test_seconds for epoch in record.epochs)
    assert labels.course(record) == {
        "Resumed": "once",
        "Checkpoints": f"3 in 0.5 s, {100 * 0.5 / (seconds + 0.5):.1f} % of the time",
    }
    assert course(resumes=4)["Resumed"] == "4 times"
    unfinished = record.model_copy(update={"epochs": (), "status": "failed"})
    assert "Checkpoints" not in labels.course(unfinished)


@pytest.mark.parametrize(("steps", "text"), [(391, "391 steps"), (None, "not ended")])
def test_length_of_a_warmup(steps, text):
    assert course(recipes.paper_cifar(warmup=True), warmup_steps=steps) == {"Warm-up": text}
    assert course(recipes.paper_cifar(warmup=False)) == {}


def test_validation_accuracy_where_images_were_held_out():
    record = make_record(recipe={"held_out_images": 500})
    accuracy = 100 * record.final.validation_correct / 500
    assert labels.course(record) == {"Validation accuracy": f"{accuracy:.2f} % of 500 images"}
    failed = record.model_copy(update={"status": "failed", "epochs": record.epochs[:1]})
    assert labels.course(failed) == {}
