"""What others got: exact values, conversion of accuracies, and refusal of what cannot be."""

import json

import pytest
from pydantic import ValidationError

from bench.reference.loader import load_paper, load_reproductions, reproductions_of
from bench.reference.printed import look_up
from bench.reference.reproductions import Reproductions
from resnet_models import MODELS
from tests.support.references import changed, content

ALL = load_reproductions()


def test_all_of_the_file_is_there():
    studies = content("reproductions.json")["studies"]
    assert len(ALL) == sum(len(study["results"]) for study in studies) == 202
    assert {result.who for result in ALL} == {study["who"] for study in studies}


def test_the_closest_rerun_of_the_paper_has_five_seeds():
    theirs = {
        result.network: (result.value, result.std, result.runs)
        for result in ALL
        if result.who == "nabla0001/resnet"
    }
    assert theirs == {
        "cifar_resnet20": (8.51, 0.22, 5),
        "cifar_resnet56": (7.4, 0.27, 5),
        "cifar_resnet110": (7.14, 0.2, 5),
        "cifar_plain20": (9.78, 0.13, 5),
        "cifar_plain56": (12.95, 0.22, 5),
    }


def test_accuracies_become_errors():
    (v1,) = (
        result for result in reproductions_of("resnet50", "imagenet", "B")
        if result.who == "torchvision" and result.note.startswith("weights V1")
    )  # fmt: skip
    assert (v1.printed_accuracy, v1.value, v1.view) == (76.13, 23.87, "1 crop")
    mxnet = [result for result in ALL if "mxnet" in result.who]
    assert [result.value for result in mxnet] == [6.9712, 6.9111, 7.0413]
    for result in ALL:
        if result.printed_accuracy is not None:
            assert result.value == pytest.approx(100 - result.printed_accuracy)
            assert result.metric.endswith("error %")


def test_selection_by_network_data_set_and_metric():
    found = reproductions_of("cifar_resnet56", "cifar10", "A")
    assert {result.network for result in found} == {"cifar_resnet56"}
    assert {result.metric for result in found} == {"top-1 error %"}
    assert [r.value for r in found if r.kind == "mean of runs"] == [7.4]
    (count,) = reproductions_of("cifar_resnet56", "cifar10", "B", "MACs")
    assert count.value == 125_750_000
    assert reproductions_of("cifar_resnet56", "imagenet", "A") == ()
    assert reproductions_of("resnet18", "cifar10", "B") == ()


def test_another_shortcut_option_is_another_network():
    a, b = (reproductions_of("cifar_resnet20", "cifar10", option) for option in ("A", "B"))
    assert {each.who for each in a} & {each.who for each in b} == set()
    assert "chenyaofo/pytorch-cifar-models" in {each.who for each in b}
    unknown = [each for each in ALL if each.network == "cifar_resnet20" and not each.shortcut]
    assert [each.who for each in unknown] == ["a user of fb.resnet.torch (issue 23)"]
    # Counts tell the option: a projection has parameters.
    for each in ALL:
        if each.kind == "count" and each.network in MODELS:
            assert each.shortcut == "B"


def test_recipes_far_from_the_papers_are_marked():
    far = {each.note.partition(";")[0] for each in ALL if each.other_recipe}
    assert {"torchvision weights V2", "gluon weights", "weights a1_in1k, 224 pixels"} <= far
    assert all("V1" not in note for note in far)
    assert {each.who for each in ALL if each.other_recipe} == {
        "torchvision", "pytorch-image-models (timm)", "NVIDIA DeepLearningExamples",
        "Keras example cifar10_resnet",
    }  # fmt: skip


def test_a_result_has_the_notes_of_its_study_behind_its_own():
    (result,) = (r for r in ALL if r.network == "cifar_resnet110_conv_shortcut")
    assert result.note.startswith("every shortcut is a 1x1 convolution; median of 5 runs")
    assert (result.value, result.source) == (12.22, "arXiv:1603.05027 (CIFAR-10)")


def test_networks_are_ours_or_relatives_by_name():
    others = {result.network for result in ALL} - set(MODELS)
    assert others == {
        "vgg16", "vgg19", "preact_resnet50", "preact_resnet200",
        "cifar_resnet164", "cifar_resnet1001", "cifar_resnet110_conv_shortcut",
        *(f"preact_cifar_resnet{layers}" for layers in (32, 110, 164, 1001)),
    }  # fmt: skip


def test_the_authors_own_models_have_the_errors_of_table_3():
    ten = [r for r in ALL if r.who.startswith("KaimingHe") and r.view == "10 crops"]
    assert len(ten) == 6
    for result in ten:
        method = result.network.replace("resnet", "ResNet-")
        column = "top1" if result.metric == "top-1 error %" else "top5"
        printed = look_up(f"paper:tables/table3/rows/{method}/{column}").value
        assert result.value == pytest.approx(printed, abs=0.051)


def test_reported_counts_are_those_of_the_definitions():
    theirs = {"torchvision", "facebookresearch/ResNeXt"}
    for result in ALL:
        depth = result.network.removeprefix("resnet")
        if result.who not in theirs or result.kind != "count" or not depth.isdigit():
            continue
        exact = load_paper().cost(int(depth), "torchvision")
        if result.metric == "parameters":
            assert result.value == exact.params
        else:
            assert result.value == pytest.approx(exact.macs_total, rel=0.01)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"value": 128.5}, "value: 128.5 is no error in percent"),
        ({"value": -1}, "value\n.*greater than 0"),
        ({"printed_accuracy": 76.13}, "value: 28.5 is not 100 minus 76.13"),
        ({"printed_accuracy": 176.13, "value": -76.13}, "printed_accuracy\n.*100"),
        ({"kind": "count"}, "kind: top-1 error % cannot be a 'count'"),
        ({"kind": "mean of runs"}, "runs: a mean of runs needs their number"),
        ({"kind": "guess"}, "results.0.kind\n.*'mean of runs'"),
        ({"metric": "top-1 accuracy %"}, "results.0.metric\n.*'top-1 error %'"),
        ({"networks": "resnet18"}, "results.0.networks\n.*not permitted"),
    ],
)
def test_a_broken_result_is_refused_by_the_name_of_its_field(changes, message):
    result = content("reproductions.json")["studies"][0]["results"][0] | changes
    with pytest.raises(ValidationError, match=message):
        Reproductions.model_validate_json(
            changed("reproductions.json", ["studies", 0, "results", 0], result)
        )


@pytest.mark.parametrize("field", ["who", "dataset", "source", "how", "verified", "results"])
def test_a_study_without_a_field_is_refused(field):
    text = changed("reproductions.json", ["studies", 3, field])
    with pytest.raises(ValidationError, match=rf"studies\.3\.{field}\n.*required"):
        Reproductions.model_validate_json(text)


def test_no_study_stands_there_twice():
    studies = content("reproductions.json")["studies"]
    assert len({json.dumps(study, sort_keys=True) for study in studies}) == len(studies)
