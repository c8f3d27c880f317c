"""Which workloads are measured, and that a record's command asks for its workload."""

from itertools import pairwise, product
from typing import Any

import pytest
import typer.core
import typer.main

from bench.cli.app import app
from bench.errors import UsageError
from bench.records.schema import Precision
from bench.records.speed import Variant, Workload
from bench.speed.workloads import (
    MODELS,
    all_ways,
    command,
    default_matrix,
    least_batch,
    least_bytes,
    make_workload,
    sweep_start,
)

BOTH: tuple[Precision, ...] = ("float32", "bfloat16")
VARIANT_OPTIONS = ("lineage", "stem", "shortcut", "resolution", "memory_format")


def test_the_default_matrix_of_a_cpu():
    workloads = default_matrix("cpu", BOTH)
    assert len(sweep_start(workloads)) == 20  # one for each kind
    assert len({workload.id for workload in workloads}) == len(workloads) == 30
    assert {workload.model for workload in workloads} == set(MODELS)
    assert {(w.direction, w.batch_size) for w in workloads} == {
        ("training", 32), ("inference", 32), ("inference", 1),
    }  # fmt: skip
    assert {w.precision for w in workloads} == set(BOTH)
    for workload in workloads:
        assert (workload.stem, workload.resolution, workload.classes) == ("imagenet", 32, 10)
        assert (workload.memory_format, workload.compiled) == ("channels_last", False)
        assert not workload.cuda_graph
    assert all(one.model != other.model for one, other in pairwise(workloads))


def test_a_gpu_gets_larger_batches_and_captured_steps():
    workloads = default_matrix("cuda", (*BOTH, "float16"), models=["resnet18"])
    assert {w.batch_size for w in workloads} == {128, 1}
    captured = {(w.direction, w.precision) for w in workloads if w.cuda_graph}
    assert captured == {("training", name) for name in ("float32", "bfloat16", "float16")}


@pytest.mark.parametrize(
    ("device", "compiles", "ways"),
    [
        ("cuda", True, {(False, False), (False, True), (True, False), (True, True)}),
        ("cuda", False, {(False, False), (False, True)}),
        ("cpu", True, {(False, False), (True, False)}),
    ],
)
def test_all_ways_are_measured_beside_each_other(device, compiles, ways):
    """Compiled or not, captured or not; neighbours differ in model, as ever."""
    matrix = default_matrix(device, ["bfloat16"], models=["resnet18", "resnet50"])
    workloads = all_ways(matrix, device, compiles=compiles)
    assert {(w.compiled, w.cuda_graph) for w in workloads} == ways
    assert {w.direction for w in workloads} == {"training"}
    assert len({w.id for w in workloads}) == len(workloads) == 2 * len(ways)
    assert all(one.model != other.model for one, other in pairwise(workloads))
    commands = [command(workload, device, 1) for workload in workloads]
    asked = [each for each in commands if "--ways" in each]
    assert len(asked) == sum(device == "cuda" and not w.cuda_graph for w in workloads)


def test_options_narrow_the_matrix():
    (workload,) = default_matrix(
        "cpu", ["float32"], models=["cifar_resnet20"], directions=["inference"], batch_size=7,
        variant=Variant(memory_format="contiguous", compiled=True),
    )  # fmt: skip
    assert workload.id == (
        "cifar_resnet20-paper-cifar-3x32-10classes-inference-batch7-float32-contiguous-compiled"
    )


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"model": "resnet19"}, "no model named 'resnet19'"),
        ({"model": "cifar_resnet20", "stem": "imagenet"}, "has the stem 'cifar'"),
        ({"model": "cifar_resnet20", "lineage": "torchvision"}, "the lineage 'paper' only"),
        ({"model": "plain18", "shortcut": "B"}, "with shortcut 'B' does not exist; it has none"),
        ({"shortcut": "none"}, "resnet18 with shortcut 'none' does not exist; it has B, A, C"),
        ({"batch_size": 1}, "cannot train on a batch of 1.*Choose --batch-size 2 or more"),
    ],
)
def test_a_workload_that_cannot_be_is_refused(arguments, text):
    model, size = arguments.pop("model", "resnet18"), arguments.pop("batch_size", 32)
    with pytest.raises(UsageError, match=text):
        make_workload(model, "training", size, "float32", "cpu", Variant(**arguments))


def test_ids_are_unique_and_those_of_published_networks_stay_as_they_are():
    """Every value of every field that an option sets, one combination after the other."""
    choices: dict[str, list[Any]] = {
        "model": ["resnet18", "resnet50"],
        "lineage": ["paper", "torchvision", "project2022"],
        "stem": ["imagenet", "cifar"],
        "shortcut": ["A", "B", "C"],
        "resolution": [3, 32, 224],
        "direction": ["training", "inference"],
        "batch_size": [2, 32],
        "precision": [*BOTH],
        "memory_format": ["channels_last", "contiguous"],
        "compiled": [False, True],
    }
    workloads = [
        Workload(**dict(zip(choices, values, strict=True))) for values in product(*choices.values())
    ]
    assert len({workload.id for workload in workloads}) == len(workloads)
    kept = {
        make_workload("resnet18", "training", 32, "float32", "cuda").id,
        make_workload("plain34", "inference", 1, "bfloat16", "cpu", Variant(stem="cifar")).id,
    }
    assert kept == {
        "resnet18-paper-imagenet-3x32-10classes-training-batch32-float32-graph",
        "plain34-paper-cifar-3x32-10classes-inference-batch1-bfloat16",
    }


def test_least_memory_by_hand():
    """The first convolution's image and maps; in training what the 20 BatchNorms see."""
    large = Variant(resolution=224)
    inference = make_workload("resnet18", "inference", 2, "float32", "cpu", large)
    training = make_workload("resnet18", "training", 2, "bfloat16", "cpu", large)
    assert least_bytes(inference) == 2 * 4 * (3 * 224**2 + 64 * 112**2)
    stages = (64 * 56**2, 128 * 28**2, 256 * 14**2, 512 * 7**2)
    seen = 64 * 112**2 + 4 * stages[0] + 5 * sum(stages[1:])
    assert least_bytes(training) == 2 * 2 * seen


@pytest.mark.parametrize(
    ("model", "stem", "direction", "least"),
    [
        ("resnet18", "imagenet", "training", 2),
        ("resnet18", "imagenet", "inference", 1),
        ("resnet18", "cifar", "training", 1),
    ],
)
def test_a_sweep_starts_at_the_smallest_batch(model, stem, direction, least):
    workload = make_workload(model, direction, 32, "float32", "cpu", Variant(stem=stem))
    assert least_batch(workload) == least
    assert [w.batch_size for w in sweep_start([workload])] == [least]


@pytest.mark.parametrize(
    ("model", "variant"),
    [
        ("resnet34", Variant()),
        ("plain18", Variant(shortcut="none", resolution=1)),
        ("cifar_resnet20", Variant(shortcut="B", memory_format="contiguous")),
        ("resnet50", Variant(lineage="project2022", shortcut="C", resolution=224)),
        ("resnet50", Variant(lineage="torchvision", stem="cifar", shortcut="A", compiled=True)),
    ],
)
def test_the_command_of_a_record_asks_for_its_workload(model, variant):
    (workload,) = default_matrix(
        "cpu", ["bfloat16"], models=[model], directions=["training"], batch_size=24, variant=variant
    )
    program, options = command(workload, "cpu", 5).split(" speed ")
    assert program == "python -m bench"
    group = typer.main.get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    speed = group.commands["speed"]
    given = speed.make_context("speed", options.split()).params
    assert (given["rounds"], given["device"], given["sweep"]) == (5, "cpu", False)
    assert default_matrix(
        given["device"],
        [given["precision"]],
        models=[given["models"]],
        directions=[given["direction"]],
        batch_size=given["batch_size"],
        variant=Variant(
            compiled=given["compile_"] == "on",
            **{name: given[name] for name in VARIANT_OPTIONS},
        ),
    ) == [workload]


def test_a_usual_workload_has_a_short_command():
    workload = make_workload("resnet18", "inference", 4, "float32", "cpu")
    assert command(workload, "cpu", 3) == (
        "python -m bench speed --models resnet18 --stem imagenet --direction inference "
        "--batch-size 4 --precision float32 --rounds 3 --device cpu"
    )
