"""Checks of which networks the runs are of: labels, parameter totals, structure. No torch here.

Each takes all logs and yields what it finds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final

from bench.analysis.logs import RunLog, tables, title_of
from bench.audit.finding import Finding, between, columns
from bench.formats import listed, number
from bench.reference.loader import dataset_title
from resnet_models import MODELS, Definition, define
from resnet_models.layers import Layer, layer_table
from resnet_models.spec import Lineage

SMALL: Final = 2
"""Pixels a side of a map on which a 3x3 convolution sees padding with every tap but a few."""
_NO_RELU: Final = "no ReLU follows the addition"
_MOVED_STRIDE: Final = "the stride of a bottleneck is on its 3×3 convolution"


def printed_network(log: RunLog) -> Definition:
    """The network whose total ``log`` prints, the label's where several have it.

    Raises:
        ValueError: no network of the catalog has it.
    """
    channels, classes = log.data.channels, log.data.classes
    for model in sorted(MODELS, key=lambda model: model != log.model):
        for (shortcut, stem, *shape), total in MODELS[model].parameters.items():
            if (*shape, total) == (channels, classes, log.parameters):
                return define(
                    model, stem=stem, shortcut=shortcut, in_channels=channels, num_classes=classes
                )
    raise ValueError(f"{log.name}: no network of the catalog has {log.parameters:,} parameters")


def mislabelled_columns(logs: Sequence[RunLog]) -> Iterator[Finding]:
    """Labels that name another network than the code builds."""
    for log in logs:
        if log.built_model == log.model:
            continue
        built = title_of(log.built_model)
        yield Finding(
            check="labels",
            title=f"The column {log.title} is {built}: {dataset_title(log.dataset)}, "
            f"recipe {log.recipe}",
            severity="comparison",
            runs=(log,),
            evidence=f"The code of {log.name} builds {built}. The log itself does not show it.",
            consequence=f"Nothing is known of {log.title} there. {_twin(log, logs)}".rstrip(),
            numbers={
                log.name: {
                    "depth of the label": log.depth,
                    "depth of the network": MODELS[log.built_model].depth,
                }
            },
        )


def _twin(log: RunLog, logs: Sequence[RunLog]) -> str:
    """What the other run of the same network says about chance, where there is one."""
    table = tables(logs)[log.dataset, log.recipe]
    ends = {run: run.test_accuracy[-1] for run in table}
    for other in table:
        if other is not log and other.built_model == log.built_model:
            return (
                f"It is a second run of column {other.title}: chance alone made the "
                f"{number(abs(ends[other] - ends[log]))} points of test accuracy between the two, "
                f"and all columns of that table lie within "
                f"{number(max(ends.values()) - min(ends.values()))}."
            )
    return ""


def parameter_totals(logs: Sequence[RunLog]) -> Iterator[Finding]:
    """Printed totals that are not those of the network that was trained."""
    for log in logs:
        printed, trained = printed_network(log), title_of(log.built_model)
        if printed.model == log.built_model:
            continue
        key = (printed.shortcut, printed.stem, log.data.channels, log.data.classes)
        total = MODELS[log.built_model].parameters[key]
        yield Finding(
            check="parameters",
            title=f"A parameter total of another network: {dataset_title(log.dataset)}, "
            f"column {log.title}",
            severity="note",
            runs=(log,),
            evidence=f"{log.name} prints {number(log.parameters, 0)} parameters, the exact total "
            f"of {title_of(printed.model)}; {trained}, which was trained, has {number(total, 0)}.",
            consequence="The total was not taken from the network that was trained, so that it "
            "does not confirm the label.",
            numbers={log.name: {"printed": log.parameters, f"of {trained}": total}},
        )


def block_structure(logs: Sequence[RunLog]) -> Iterator[Finding]:
    """Blocks that are not the paper's: ReLUs that are missing, strides that are elsewhere."""
    found = {log: _departures(log) for log in logs}
    concerned = [log for log in logs if any(found[log].values())]
    if not concerned:
        return
    told = []
    for what in (_NO_RELU, _MOVED_STRIDE):
        counts = {log: found[log][what] for log in concerned if found[log][what]}
        told.append(f"{what} in {columns(counts)} ({between(counts.values())} of them)")
    yield Finding(
        check="structure",
        title="Blocks without the ReLU after the addition",
        severity="comparison",
        runs=tuple(concerned),
        evidence=f"Layer by layer beside the paper's definition: {'; '.join(told)}.",
        consequence="These are not the networks of the paper, which has y = ReLU(F(x) + x). "
        "What the runs say about depth need not hold for its ResNets.",
        numbers={log.name: found[log] for log in concerned},
    )


def tiny_maps(logs: Sequence[RunLog]) -> Iterator[Finding]:
    """Networks that shrink their images so early that the last stage sees single pixels."""
    sides = {log: _block_sides(_layers(log, "paper")) for log in logs}
    concerned = [log for log in logs if min(sides[log]) == 1]
    if not concerned:
        return
    small = {log: sum(side <= SMALL for side in sides[log]) for log in concerned}
    ends = [pick(concerned, key=lambda log: log.depth) for pick in (min, max)]
    shares = [f"{small[log]} of {len(sides[log])} blocks of {log.title}" for log in ends]
    yield Finding(
        check="resolution",
        title="The last stage works on single pixels",
        severity="comparison",
        runs=tuple(concerned),
        evidence="By its parameter total the stem is ImageNet's. Of images of "
        f"{between(log.data.resolution for log in concerned)} pixels a side it leaves "
        f"{between(max(sides[log]) for log in concerned)} to the first stage and one to the last; "
        f"{listed(shares)} have maps of {SMALL}×{SMALL} pixels or less.",
        consequence="Most of the added depth sees next to no image, and a 3×3 convolution of a "
        "single pixel uses one of its nine taps. The paper's networks for CIFAR-10 (section 4.2) "
        f"end at {between(map(_published_side, concerned))} pixels a side of such images. What the "
        "runs say about depth holds for networks that shrink images so far.",
        numbers={
            log.name: {
                "blocks": len(sides[log]),
                f"blocks on {SMALL}×{SMALL} pixels or less": small[log],
            }
            for log in concerned
        },
    )


def _published_side(log: RunLog) -> int:
    return min(_block_sides(layer_table(define("cifar_resnet20"), log.data.resolution)))


def _layers(log: RunLog, lineage: Lineage) -> list[Layer]:
    network = replace(printed_network(log), model=log.built_model, lineage=lineage)
    return layer_table(network, log.data.resolution)


def _departures(log: RunLog) -> dict[str, int]:
    built, published = _layers(log, log.lineage), _layers(log, "paper")
    strides = {layer.name: layer.stride or 0 for layer in published}
    return {
        _NO_RELU: _activated_additions(published) - _activated_additions(built),
        _MOVED_STRIDE: sum(
            (layer.stride or 0) > strides[layer.name] for layer in built if layer.name in strides
        ),
    }


def _activated_additions(layers: Sequence[Layer]) -> int:
    kinds = [(layer.kind, following.kind) for layer, following in pairwise(layers)]
    return kinds.count(("addition", "relu"))


def _block_sides(layers: Sequence[Layer]) -> list[int]:
    """Height of the maps that each block gives; they are square."""
    return [layer.output_shape[1] for layer in layers if layer.kind == "addition"]
