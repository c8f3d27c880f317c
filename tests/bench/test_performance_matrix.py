"""Which workloads are measured, and that a record's command asks for its workload."""

from itertools import pairwise

import pytest
import typer.main

from bench.cli import app
from bench.errors import UsageError
from bench.performance.matrix import (
    MODELS,
    command,
    default_matrix,
    least_batch,
    make_workload,
    sweep_start,
)
from bench.performance.sweep import next_point, throughput

BOTH = ("float32", "bfloat16")


def test_the_default_matrix_of_a_cpu():
    workloads = default_matrix("cpu", BOTH)
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
    assert captured == {("training", "float32"), ("training", "bfloat16")}


def test_options_narrow_the_matrix():
    (workload,) = default_matrix(
        "cpu", ["float32"], models=["cifar_resnet20"], directions=["inference"], batch_size=7,
        memory_format="contiguous", compiled=True,
    )  # fmt: skip
    assert workload.id == (
        "cifar_resnet20-paper-cifar-3x32-10classes-inference-batch7-float32-contiguous-compiled"
    )


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"model": "resnet19"}, "no model named 'resnet19'"),
        ({"model": "cifar_resnet20", "stem": "imagenet"}, "has the stem 'cifar'"),
        ({"batch_size": 1}, "cannot train on a batch of 1.*Choose --batch-size 2 or more"),
    ],
)
def test_a_workload_that_cannot_be_is_refused(arguments, text):
    known = {"model": "resnet18", "direction": "training", "batch_size": 32}
    with pytest.raises(UsageError, match=text):
        make_workload(**(known | arguments), precision="float32", device="cpu")


@pytest.mark.parametrize(
    ("model", "stem", "direction", "least"),
    [
        ("resnet18", "imagenet", "training", 2),
        ("resnet18", "imagenet", "inference", 1),
        ("resnet18", "cifar", "training", 1),
    ],
)
def test_a_sweep_starts_at_the_smallest_batch(model, stem, direction, least):
    workload = make_workload(model, direction, 32, "float32", "cpu", stem=stem)
    assert least_batch(workload) == least
    assert [w.batch_size for w in sweep_start([workload])] == [least]


def test_a_sweep_has_one_start_for_each_kind():
    workloads = default_matrix("cpu", BOTH)
    assert len(sweep_start(workloads)) == 20


@pytest.mark.parametrize(
    ("rate", "before", "batch"),
    [(100, None, 16), (103.1, 100, 16), (102.9, 100, None), (50, 100, None)],
)
def test_a_sweep_goes_on_while_throughput_grows(rate, before, batch):
    found = next_point(make_workload("resnet18", "inference", 8, "float32", "cpu"), rate, before)
    assert (found.batch_size if found else None) == batch


def test_throughput_is_of_the_median():
    assert throughput(10, (1.0, 2.0, 50.0)) == 5


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("memory_format", ["channels_last", "contiguous"])
@pytest.mark.parametrize("model", ["resnet34", "cifar_resnet20"])
def test_the_command_of_a_record_asks_for_its_workload(model, memory_format, compiled):
    (workload,) = default_matrix(
        "cpu", ["bfloat16"], models=[model], directions=["training"], batch_size=24,
        memory_format=memory_format, compiled=compiled,
    )  # fmt: skip
    program, options = command(workload, "cpu", 5).split(" speed ")
    assert program == "python -m bench"
    speed = typer.main.get_command(app).commands["speed"]
    given = speed.make_context("speed", options.split()).params
    assert (given["rounds"], given["device"], given["sweep"]) == (5, "cpu", False)
    assert default_matrix(
        given["device"],
        [given["precision"]],
        models=[given["models"]],
        directions=[given["direction"]],
        batch_size=given["batch_size"],
        stem=given["stem"],
        memory_format=given["memory_format"],
        compiled=given["compile_"] == "on",
    ) == [workload]
