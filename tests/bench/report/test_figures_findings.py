"""The sentences above figures: each of their variants, and when nothing is said."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from bench.analysis.baselines import Row, grid, table6
from bench.analysis.order import Share, order
from bench.analysis.tables import summarize
from bench.reference.loader import load_paper
from bench.report.figures import findings, speed_findings
from bench.report.figures.speed_findings import Timing
from tests.support.factories import make_record, make_with_error

IMAGES = 10_000


def shares(*accuracies: float, images: float = IMAGES) -> list[Share]:
    return [Share(accuracy, images) for accuracy in accuracies]


@pytest.mark.parametrize(
    ("accuracies", "expected"),
    [
        ((40, 45, 50), "rises"),
        ((50, 45, 40), "falls"),
        ((50, 40, 50), "none"),
        ((50.0, 50.3, 49.8), "noise"),
        ((50, 52, 50.2), "none"),
        ((50.0, 50.6, 51.2, 51.9), "rises"),  # no neighbours differ, but the ends do
        ((0, 0, 100), "rises"),
        ((40,), "unclear"),
        ((), "unclear"),
    ],
)
def test_an_order_is_told_from_what_pairs_of_accuracies_show(accuracies, expected):
    assert order(shares(*accuracies)) == expected


def test_an_order_needs_its_ends_apart():
    """One pair differs, and the first and the last network do not."""
    assert order(shares(50.0, 51.0, 52.4, 51.4)) == "unclear"


def test_few_images_show_less():
    assert order(shares(40, 45, 50, images=100)) == "noise"


def rows(*accuracies: float | None) -> list[Row]:
    return [
        Row(dataset="cifar10", network="resnet", depth=depth, stem="imagenet", shortcut="B",
            test_accuracy=accuracy, test_images=IMAGES)
        for depth, accuracy in enumerate(accuracies, start=18)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ((40, 45, 50), (60, 70, 80), "Accuracy rises with depth, here as in the 2022 project"),
        ((40, 45, 50), (80, 70, 60),
         "Accuracy rises with depth here and falls with depth in the 2022 project"),
        ((50, 40, 50), (60,), "Accuracy follows no order of depth"),
        ((50, 50, 50), (60, 50, 60),
         "Accuracy differs by no more than the noise of the test set here and follows no order of "
         "depth in the 2022 project"),
        ((None, None), (80, 70, 60),
         "In the 2022 project accuracy falls with depth; ours is to come"),
        ((40,), (80, 70, 60), ""),
        ((), (), ""),
    ],
)  # fmt: skip
def test_accuracy_by_depth(ours, theirs, expected):
    assert findings.by_depth(rows(*ours), shares(*theirs)) == expected


@pytest.mark.parametrize(
    ("first", "last", "images", "expected"),
    [
        ((60, 50), (80, 70), (2560, 10_240),
         "Accuracy falls with depth, after 2,560 images as after 10,240"),
        ((60, 50), (70, 80), (2560, 10_240),
         "After 2,560 images accuracy falls with depth, after 10,240 it rises with depth"),
        ((60, 50), (60, 50), (2560, 2560), "After 2,560 images accuracy falls with depth"),
        ((60,), (60,), (2560, 10_240), ""),
    ],
)  # fmt: skip
def test_accuracy_over_time(first, last, images, expected):
    assert findings.over_time(shares(*first), shares(*last), images) == expected


def test_an_unclear_start_is_not_told():
    start = shares(50.0, 51.0, 52.4, 51.4)
    told = findings.over_time(start, shares(60, 70, 75, 80), (10, 20))
    assert told == "After 20 images accuracy rises with depth"


def test_accuracy_along_its_cost():
    along = findings.along
    assert along(shares(40, 50), "parameters") == "Test accuracy rises with parameters"
    assert along(shares(40, 50, 40), "MACs per image") == (
        "Test accuracy follows no order of MACs per image"
    )
    assert along(shares(40), "parameters") == ""


def printed(*errors: float) -> dict[int, Any]:
    return {depth: SimpleNamespace(expected=error) for depth, error in enumerate(errors, start=20)}


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ((9, 8, 7), "The paper’s error falls with depth; ours is to come"),
        ((9, 8, 7, 8), "The paper’s error falls until 22 layers; ours is to come"),
        ((8, 9, 7, 8), "The paper’s error is lowest at 22 layers; ours is to come"),
    ],
)
def test_the_papers_errors_by_depth(errors, expected):
    assert findings.paper_errors(printed(*errors), []) == expected


def errors_of(*errors: float, **changes: Any) -> list[Row]:
    return [
        row
        for error in errors
        for row in table6(grid(summarize([make_with_error(error, **changes)])))
    ]


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ((8.8,), "ours lies within the noise of it for ResNet-20"),
        ((12.0,), "ours lies above it for ResNet-20"),
        ((6.0, 5.5), "ours lies below it for both networks"),
        ((8.7, 8.8, 8.9), "ours lies within the noise of it for all 3 networks"),
        ((8.7, 8.8, 12), "ours lies within the noise of it for 2 networks and above it for 1"),
    ],
)
def test_ours_beside_the_papers_errors(errors, expected):
    table = load_paper().tables.table6.resnets
    told = findings.paper_errors(table, errors_of(*errors))
    assert told == f"The paper’s error falls until 110 layers; {expected}"
    alone = findings.beside_printed(errors_of(*errors))
    assert alone == expected.replace("ours", "Our error").replace(" it ", " the printed one ", 1)


def test_a_shorter_training_is_not_set_beside_the_papers():
    short = [make_record(20, network="cifar_resnet")]
    ours = table6(grid(summarize(short)))
    told = findings.paper_errors(load_paper().tables.table6.resnets, ours)
    assert told.endswith("; ours had shorter training")
    assert findings.beside_printed(ours) == ""


@pytest.mark.parametrize(
    ("plain", "residual", "expected"),
    [
        (80, 90, "With 56 layers the plain net errs 10.0 points more than the residual one"),
        (90, 80, "With 56 layers the plain net errs 10.0 points less than the residual one"),
        (90, 90.2, "With 56 layers the plain net and the residual one err alike, within the noise "
                   "of the test set"),
    ],
)  # fmt: skip
def test_plain_beside_residual(plain, residual, expected):
    ours = table6(
        grid(
            summarize(
                [
                    make_record(depth, network=network)
                    for network in ("cifar_plain", "cifar_resnet")
                    for depth in (20, 56)
                ]
            )
        )
    )
    values = {"cifar_plain": plain, "cifar_resnet": residual}
    ours = [
        replace(row, test_accuracy=values[row.network] if row.depth == 56 else 50) for row in ours
    ]
    assert findings.plain_beside_residual(ours) == expected
    only = [row for row in ours if row.network == "cifar_plain"]
    assert findings.plain_beside_residual(only) == ""


def timings(*medians: float, spread: float = 0.01) -> list[Timing]:
    return [
        Timing("resnet", depth, (1 - spread) * median, median, (1 + spread) * median)
        for depth, median in zip((18, 50, 152), medians, strict=False)
    ]


def test_throughput():
    told = speed_findings.throughput(timings(900, 300, 90), timings(4500, 1800, 450))
    assert told == (
        "ResNet-18 trains 10 times as fast as ResNet-152; "
        "inference is 5.0 to 6.0 times as fast as training"
    )
    close = speed_findings.throughput(timings(900, 890, spread=0.1), timings(1900, 1800))
    assert close == "Inference is 2.0 to 2.1 times as fast as training"
    assert speed_findings.throughput(timings(900), timings(900)) == ""
    assert speed_findings.throughput([], []) == ""


def test_latency():
    told = speed_findings.latency(timings(10, 20, 90))
    assert told == "One image takes ResNet-152 9.0 times as long as ResNet-18"
    assert speed_findings.latency(timings(10, 10.1)) == ""
    assert speed_findings.latency(timings(10)) == ""


@pytest.mark.parametrize(
    ("first", "last", "single", "expected"),
    [
        ([1.0, 0.9], [0.02, 0.04], {}, "In basic blocks first layers respond more strongly than "
         "last ones: 0.95 against 0.030 on the median"),
        ([0.1], [0.4], {}, "In basic blocks last layers respond more strongly than first ones: "
         "0.40 against 0.10 on the median"),
        ([0.5], [0.4], {}, "In basic blocks the first and the last layer respond about alike: "
         "0.50 against 0.40 on the median"),
        ([], [], {50: 0.9, 101: 0.5}, "The deeper the network, the weaker its layers respond"),
        ([], [], {50: 0.5, 101: 0.9},
         "The deeper the network, the more strongly its layers respond"),
        ([], [], {50: 0.5, 101: 0.9, 152: 0.8},
         "The strength of responses follows no order of depth"),
        ([], [], {50: 0.5}, ""),
    ],
)  # fmt: skip
def test_responses(first, last, single, expected):
    assert findings.responses(first, last, single) == expected


@pytest.mark.parametrize(
    ("factors", "expected"),
    [
        ((2, 4), "grows by a factor of 2.0 to 4.0"),
        ((0.5, 0.25), "shrinks to 25 to 50 %"),
        ((0.5, 2), "changes by a factor of 0.50 to 2.0"),
    ],
)
def test_gradients(factors, expected):
    told = findings.gradients([[factor, 1.0] for factor in factors])
    assert (
        told == f"On its way from the last to the first quarter of blocks the gradient {expected}"
    )
    assert findings.gradients([[0.0, 1.0]]) == ""


def test_the_share_of_the_limit():
    both = {"training": [0.13, 0.16], "inference": [0.2, 0.2]}
    assert speed_findings.limit(both) == (
        "Training reaches 13 to 16 % of the limit, and inference reaches 20 % of the limit"
    )
    assert speed_findings.limit({"training": [], "inference": [0.2]}) == (
        "Inference reaches 20 % of the limit"
    )
    assert speed_findings.limit({}) == ""


@pytest.mark.parametrize(
    ("apart", "expected"),
    [
        ((0.1, 0.6), "Medians of others lie 0.1 to 0.6 points above the printed errors"),
        ((-0.3, -0.3), "Medians of others lie 0.3 points below the printed errors"),
        ((-0.3, 0.6), "Medians of others lie within 0.6 points of the printed errors"),
        ((), ""),
    ],
)
def test_errors_of_others(apart, expected):
    digests: list[Any] = [SimpleNamespace(median=8 + points, printed=8.0) for points in apart]
    digests.append(SimpleNamespace(median=9.0, printed=None))
    assert findings.others(digests) == expected


def test_runs_that_stop_moving():
    assert findings.stops(4, 5) == "Weights stop moving in 4 of 5 runs"
    assert findings.stops(0, 3) == "Weights stop in none of the 3 runs"
    assert findings.stops(0, 1) == "Weights keep moving in the one run"
    assert findings.stops(1, 1) == "Weights stop moving in 1 of 1 run"
    assert findings.stops(0, 0) == ""


def test_the_ledger_and_speedups():
    assert findings.ledger({"reproduced": 23, "not run": 9}) == (
        "Of 32 claims: 23 reproduced and 9 not run"
    )
    assert findings.ledger({}) == ""
    assert speed_findings.speedups(["faster", "faster", "same", "too noisy to tell"]) == (
        "Of 4 speeds: 2 faster, 1 same and 1 too noisy to tell"
    )
    assert speed_findings.speedups([]) == ""
