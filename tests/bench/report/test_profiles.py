"""What the page says about each profile: banner, families and variants, details of a cell."""

from datetime import timedelta

import pytest

from bench.config import recipes
from bench.config.profiles import PROFILES
from bench.errors import UsageError
from bench.records.schema import Course, Engine
from bench.report.headlines import CONCLUSIONS
from bench.report.results import gather
from tests.support.factories import START, make_profile, make_record
from tests.support.pages import page_of, render, table_of
from tests.support.tools import parsed, text_of

pytestmark = pytest.mark.heavy

RESULTS = "Accuracy and loss of every cell"


def mixed_profiles():
    old, new = START, START + timedelta(days=1)
    return [
        make_record(18, profile="smoke", started_at=old, finished_at=new),
        make_record(34, profile="quick", started_at=old, finished_at=old),
        make_record(50, profile="quick", started_at=old, finished_at=old),
    ]


def test_newest_profile_is_shown_and_the_others_are_named():
    text = text_of(render(mixed_profiles()))
    assert "Profile smoke" in text.replace("Profilesmoke", "Profile smoke")
    assert "The folder also holds 2 records of profile quick" in text


def test_profile_can_be_chosen():
    page = render(mixed_profiles(), profile="quick")
    assert 'id="cell-resnet34-' in page
    assert 'id="cell-resnet18-' not in page
    assert "also holds 1 record of profile smoke" in text_of(page)


@pytest.mark.parametrize(("records", "found"), [(mixed_profiles(), "quick, smoke"), ([], "no re")])
def test_unknown_profile_names_those_present(records, found):
    with pytest.raises(UsageError, match=f"no records of profile 'full'; found: {found}"):
        render(records, profile="full")


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ("smoke", "1 of 1 cells ran, and measured MACs lie within 0.8 % of the FLOPs"),
        ("quick", "Test accuracy: 44.3 % (ResNet\u201118) on CIFAR-10."),
        ("full", "Test accuracy: 44.3 % (ResNet\u201118) on CIFAR-10."),
        ("table6", "Test error: 55.7 % (ResNet\u201118) on CIFAR-10."),
        ("project2022", "Test accuracy: 44.3 % (ResNet\u201118) on CIFAR-10."),
    ],
)
def test_headline_and_conclusion_follow_the_profile(profile, expected):
    recipe = {"name": PROFILES[profile]().plans[0].recipe.name}
    text = text_of(render([make_record(profile=profile, recipe=recipe)]))
    assert expected in text
    assert CONCLUSIONS[profile] in text


def lecture_records(errors, images=6400):
    """The profile lecture with these training errors, in percent, by network and depth."""
    records = []
    for record in make_profile("lecture"):
        error = errors.get(f"{record.cell.network.removeprefix('cifar_')}{record.cell.depth}")
        if error is None:
            continue
        correct = round((1 - error / 100) * images)
        last = record.epochs[-1].model_copy(
            update={"train_images": images, "train_correct": correct}
        )
        records.append(record.model_copy(update={"epochs": (*record.epochs[:-1], last)}))
    return records


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        (
            {"plain20": 30, "plain56": 45, "resnet20": 28, "resnet56": 24},
            "Training error: 45.0 % (plain‑56) beside 30.0 % (plain‑20), 15.0 points more; 24.0 % "
            "(ResNet‑56) beside 28.0 % (ResNet‑20), 4.0 points less. Here more layers made the "
            "plain network train worse and the residual network train better.",
        ),
        (
            {"plain20": 30, "plain56": 25, "resnet20": 28, "resnet56": 28.2},
            "(plain‑20), 5.0 points less; 28.2 % (ResNet‑56) beside 28.0 % (ResNet‑20), 0.2 points "
            "more, which is within the noise. Here more layers made the plain network train better "
            "and the residual network train about as well.",
        ),
        (
            {"plain20": 37, "plain56": 70.6, "resnet20": 30.1, "resnet56": 49.1},
            "Here more layers made both kinds of network train worse, the residual one less.",
        ),
        (
            {"plain20": 30, "plain56": 40, "resnet20": 28, "resnet56": 37.9},
            "Here more layers made both kinds of network train worse.",
        ),
        ({"plain20": 30, "resnet20": 28}, "Training error: 30.0 % (plain‑20); 28.0 % (ResNet‑20)."),
    ],
)
def test_the_lesson_is_computed_whichever_way_it_comes_out(errors, expected):
    headline = gather(lecture_records(errors)).headline
    assert expected in headline.replace("\u00a0", " ")


def test_the_lesson_of_several_budgets_is_that_of_the_longest():
    long = lecture_records({"plain20": 30, "plain56": 45})
    short = recipes.shorten(recipes.lecture(), iterations=14)
    record = make_record(20, network="cifar_plain", recipe=short, profile="lecture")
    assert "(plain‑20), 15.0 points more" in gather([record, *long]).headline


def test_the_first_picture_of_the_lecture_is_training_error():
    page = parsed(page_of("lecture"))
    figures = [each.get("id") for each in page.iter("figcaption")]
    assert figures[0] == "lesson-title"
    (drawn,) = page.xpath("//p[@id='lesson-description']")
    assert "Last values: plain-20 14, plain-56 17.6; ResNet-20" in drawn.text
    assert "lesson-title" not in page_of("table6")


def test_headline_gives_the_range():
    records = [make_record(depth) for depth in (18, 50, 152)] + [make_record(18, "mnist")]
    text = text_of(render(records))
    assert (
        "Test accuracy: 38.9 % (ResNet\u2011152) to 44.3 % (ResNet\u201118) on CIFAR-10; "
        "97.3 % (ResNet\u201118) on MNIST." in text
    )


def test_unequal_conditions_are_named():
    other = make_record(50, recipe={"batch_size": 32})
    text = text_of(render([make_record(18), other, make_record(18, "mnist")]))
    assert "The CIFAR-10 cells differ in batch size (32, 64)." in text
    assert "The MNIST cells differ" not in text
    assert "cells differ" not in text_of(page_of("ten"))


def test_every_profile_has_its_conclusion():
    assert set(CONCLUSIONS) == set(PROFILES)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "full",
            "38.9 % (ResNet‑152) to 44.3 % (ResNet‑18) on CIFAR-10 (ResNets, imagenet stem); "
            "38.9 % (ResNet‑152) to 44.3 % (ResNet‑18) on CIFAR-10 (ResNets, cifar stem); "
            "91.4 % (ResNet‑20) to 92.1 % (ResNet‑56) on CIFAR-10 (ResNets of Table 6, cifar "
            "stem); 86.4 % (plain‑56) to 90.0 % (plain‑20) on CIFAR-10 (plain nets of Table 6, "
            "cifar stem); "
            "91.9 % (ResNet‑152) to 97.3 % (ResNet‑18) on MNIST.",
        ),
        (
            "table6",
            "Test error: 6.8 % (ResNet‑110) to 8.6 % (ResNet‑20) on CIFAR-10 (ResNets of Table 6); "
            "10.0 % (plain‑20) to 13.6 % (plain‑56) on CIFAR-10 (plain nets of Table 6).",
        ),
        ("project2022", "44.3 % (ResNet‑18) on CIFAR-10 (project2022_base_frozen20); 91.9 %"),
    ],
)
def test_headline_keeps_families_and_variants_apart(name, expected):
    assert expected in text_of(page_of(name))


def names_of(page):
    """First column of the results, name and variant as one text."""
    return [row[0] for row in table_of(page, RESULTS) if len(row) > 1]


def test_rows_of_both_stems_say_which():
    names = names_of(page_of("full"))
    assert len(names) == 19
    assert [name for name in names if "50" in name] == [
        "ResNet-50bimagenet stem", "ResNet-50cifar stem", "ResNet-50c",
    ]  # fmt: skip


def test_rows_with_and_without_the_accident_say_which():
    names = names_of(page_of("project2022"))
    assert [name for name in names if "152" in name] == [
        "ResNet-152bproject2022_base", "ResNet-152bproject2022_base_frozen20", "ResNet-152",
    ]  # fmt: skip


def test_plain_nets_are_called_so():
    assert names_of(page_of("table6"))[-1] == "plain-56paper_cifar"
    page = page_of("one of table 6")
    assert "plain-56 on CIFAR-10:" in text_of(page)
    assert names_of(page) == ["plain-56"]


def test_without_their_networks_the_2022_project_is_left_out():
    page = page_of("table6")
    rows = [row for row in table_of(page, RESULTS) if len(row) > 1]
    assert {len(row) for row in rows} == {6}
    text = text_of(page)
    results = text[text.index("A number is that of") : text.index("Learning curves")]
    assert "not run" not in results
    assert "How the 2022 project’s losses were converted" not in text
    assert "How the 2022 project’s losses were converted" in text_of(page_of("full"))


def test_a_failed_plain_net_keeps_its_name():
    broken = make_record(20, network="cifar_plain", status="failed", reason="stopped", epochs=())
    assert "plain-20 failed: stopped" in text_of(render([broken]))


def details_of(record):
    """Title -> text of the facts about a cell."""
    page = render([record])
    (cell,) = parsed(page).findall(f".//details[@id='cell-{record.cell.id}']")
    return {
        "".join(fact.find("dt").itertext()): "".join(fact.find("dd").itertext())
        for fact in cell.findall("dl/div")
    }


def test_details_tell_budget_schedule_engine_and_course():
    facts = details_of(
        make_record(
            110,
            network="cifar_resnet",
            recipe=recipes.hold_out(recipes.paper_cifar(warmup=True), 5000),
            engine=Engine(precision="float16", micro_batch_size=32, compiled=True, tf32=True),
            course=Course(resumes=2, checkpoints=7, checkpoint_seconds=90.0, warmup_steps=400),
        )
    )
    assert facts["Network"] == "cifar_resnet110, lineage paper, cifar stem, shortcut A"
    assert facts["Budget"] == "64,000 iterations"
    assert facts["Learning rate"].startswith("0.01 until the train error is below 80 %, then 0.1")
    assert facts["Engine"] == "float16, 32 images at a time, compiled, TF32 on"
    assert facts["Resumed"] == "2 times"
    assert facts["Checkpoints"].startswith("7 in 1 min 30 s, ")
    assert facts["Warm-up"] == "400 steps"
    assert facts["Validation accuracy"].endswith(" % of 5,000 images")
    assert "MACs, 3×224×224" not in facts


def test_details_of_a_plain_run_have_nothing_to_leave_out():
    record = make_record(18)
    facts = details_of(record)
    assert facts["MACs, 3×224×224"].startswith(f"{record.cost.table1_macs:,}")
    assert not {"Resumed", "Checkpoints", "Warm-up", "Validation accuracy"} & set(facts)


@pytest.mark.parametrize("held_out", [0, 500])
def test_epochs_show_validation_where_images_were_held_out(held_out):
    record = make_record(18, recipe={"held_out_images": held_out})
    rows = table_of(render([record]), f"Epochs of {record.cell.id}")
    assert len(rows) == 4
    if held_out:
        accuracies = [f"{100 * epoch.validation_accuracy:.2f}" for epoch in record.epochs]
        assert [row[6] for row in rows] == accuracies
    assert {len(row) for row in rows} == {10 if held_out else 9}
