"""Checks of which networks the runs are of: labels, parameter totals, structure. No torch here.

Each takes all logs of a reference and yields what it finds.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from bench.analysis.logs import RunLog, tables, title_of
from bench.audit.finding import Finding, between, columns, listed
from bench.formats import number
from bench.reference.loader import dataset_title
from resnet_models import MODELS, define
from resnet_models.layers import Layer, layer_table
from resnet_models.spec import Lineage, Shortcut, Stem

SMALL: Final = 2
"""Pixels a side of a map on which a 3x3 convolution sees padding with every tap but a few."""
_NO_RELU: Final = "no ReLU follows the addition"
_MOVED_STRIDE: Final = "the stride of a bottleneck is on its 3×3 convolution"


@dataclass(frozen=True, slots=True)
class Printed:
    """A network of the catalog with the parameter total of a log."""

    model: str
    shortcut: Shortcut
    stem: Stem


def printed_network(log: RunLog) -> Printed | None:
    """The network whose total ``log`` prints, the label's where several have it; None: unknown."""
    found = [
        Printed(model, shortcut, stem)
        for model, spec in MODELS.items()
        for (shortcut, stem, channels, classes), total in spec.parameters.items()
        if (channels, classes, total) == (log.in_channels, log.classes, log.parameters)
    ]
    return min(found, key=lambda network: network.model != log.model, default=None)


def parameters_of(model: str, log: RunLog) -> int | None:
    """The total of ``model`` with stem, shortcut and input of ``log``; None: not in the catalog."""
    printed = printed_network(log)
    if printed is None:
        return None
    key = (printed.shortcut, printed.stem, log.in_channels, log.classes)
    return MODELS[model].parameters.get(key)


def mislabelled_columns(logs: Sequence[RunLog]) -> Iterator[Finding]:
    """Labels that name another network than the code builds."""
    for log in logs:
        if log.built_model in (None, log.model):
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
        if other is not log and (other.built_model or other.model) == log.built_model:
            return (
                f"It is a second run of column {other.title}: chance alone made the "
                f"{number(abs(ends[other] - ends[log]))} points of test accuracy between the two, "
                f"and all columns of that table lie within "
                f"{number(max(ends.values()) - min(ends.values()))}."
            )
    return ""


def parameter_totals(logs: Sequence[RunLog]) -> Iterator[Finding]:
    """Printed totals that are not those of the network that was trained, as far as it is known."""
    for log in logs:
        printed, trained = printed_network(log), log.built_model or log.model
        if log.parameters is None or (printed is not None and printed.model == trained):
            continue
        total = f"{log.name} prints {number(log.parameters, 0)} parameters"
        expected = parameters_of(trained, log)
        numbers = {"printed": float(log.parameters)}
        if expected is not None:
            numbers[f"of {title_of(trained)}"] = float(expected)
        yield Finding(
            check="parameters",
            title=f"A parameter total of another network: {dataset_title(log.dataset)}, "
            f"column {log.title}",
            severity="note",
            runs=(log,),
            evidence=f"{total}, the exact total of {title_of(printed.model)}; {title_of(trained)}, "
            f"which was trained, has {number(expected, 0)}."
            if printed
            else f"{total}, which no network of the catalog has with {log.in_channels} input "
            f"channels and {log.classes} classes.",
            consequence="The total was not taken from the network that was trained, so that it "
            "does not confirm the label."
            if printed
            else "Which network was trained, its label alone says.",
            numbers={log.name: numbers},
        )


def block_structure(logs: Sequence[RunLog]) -> Iterator[Finding]:
    """Blocks that are not the paper's: ReLUs that are missing, strides that are elsewhere."""
    by_lineage: dict[Lineage, list[RunLog]] = defaultdict(list)
    for log in logs:
        if log.lineage is not None:
            by_lineage[log.lineage].append(log)
    for lineage, runs in by_lineage.items():
        found = {log: _departures(log, lineage) for log in runs}
        concerned = [log for log in runs if any(found[log].values())]
        if not concerned:
            continue
        relus = any(departures[_NO_RELU] for departures in found.values())
        yield Finding(
            check="structure",
            title="Blocks without the ReLU after the addition"
            if relus
            else "Strides in other layers than the paper's",
            severity="comparison" if relus else "note",
            runs=tuple(concerned),
            evidence="Layer by layer beside the paper's definition: "
            + "; ".join(
                f"{what} in {columns(log for log in concerned if found[log][what])} "
                f"({between(found[log][what] for log in concerned if found[log][what])} of them)"
                for what in (_NO_RELU, _MOVED_STRIDE)
                if any(found[log][what] for log in concerned)
            )
            + ".",
            consequence="These are not the networks of the paper, which has y = ReLU(F(x) + x). "
            "What the runs say about depth need not hold for its ResNets."
            if relus
            else "A common variant with as many parameters and more MACs; its accuracies may "
            "differ a little from those of the paper's definition.",
            numbers={
                log.name: {name: float(count) for name, count in found[log].items()}
                for log in concerned
            },
        )


def tiny_maps(logs: Sequence[RunLog]) -> Iterator[Finding]:
    """Networks that shrink their images so early that the last stage sees single pixels."""
    sides = {log: _block_sides(_layers(log, "paper")) for log in logs if printed_network(log)}
    concerned = [log for log in sides if min(sides[log], default=0) == 1]
    if not concerned:
        return
    small = {log: sum(side <= SMALL for side in sides[log]) for log in concerned}
    ends = {pick(concerned, key=lambda log: log.depth): None for pick in (min, max)}
    shares = [f"{small[log]} of {len(sides[log])} blocks of {log.title}" for log in ends]
    yield Finding(
        check="resolution",
        title="The last stage works on single pixels",
        severity="comparison",
        runs=tuple(concerned),
        evidence="By its parameter total the stem is ImageNet's. Of images of "
        f"{between(log.resolution for log in concerned)} pixels a side it leaves "
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
    """Of the last maps of the networks of section 4.2 on images of ``log``; all depths have it."""
    published = next(name for name, spec in MODELS.items() if spec.family == "table6")
    return min(_block_sides(layer_table(define(published), log.resolution)))


def _layers(log: RunLog, lineage: Lineage) -> list[Layer]:
    """Of the network that was trained, as far as it is known, in a lineage."""
    printed, model = printed_network(log), log.built_model or log.model
    fits = printed is not None and (printed.shortcut, printed.stem) in {
        (shortcut, stem) for shortcut, stem, *_ in MODELS[model].parameters
    }
    definition = define(
        model,
        lineage=lineage,
        stem=printed.stem if printed and fits else None,
        shortcut=printed.shortcut if printed and fits else None,
        in_channels=log.in_channels,
        num_classes=log.classes,
    )
    return layer_table(definition, log.resolution)


def _departures(log: RunLog, lineage: Lineage) -> dict[str, int]:
    """Number of blocks or layers that differ from the paper's, by kind of difference."""
    ours, papers = _layers(log, lineage), _layers(log, "paper")
    return {
        _NO_RELU: _activated_additions(papers) - _activated_additions(ours),
        _MOVED_STRIDE: sum(
            (mine.stride or 0) > (theirs.stride or 0) for mine, theirs in _in_both(ours, papers)
        ),
    }


def _activated_additions(layers: Sequence[Layer]) -> int:
    kinds = [(layer.kind, following.kind) for layer, following in pairwise(layers)]
    return kinds.count(("addition", "relu"))


def _in_both(ours: Sequence[Layer], papers: Sequence[Layer]) -> Iterator[tuple[Layer, Layer]]:
    by_name = {layer.name: layer for layer in papers}
    return ((layer, by_name[layer.name]) for layer in ours if layer.name in by_name)


def _block_sides(layers: Sequence[Layer]) -> list[int]:
    """Height of the maps that each block gives; they are square."""
    return [layer.output_shape[1] for layer in layers if layer.kind == "addition"]
