"""What of two folders is compared, what is refused, and what else differs."""

import pytest

from bench.compare.comparison import compare
from bench.compare.pairing import Condition, LeftOut
from bench.errors import UsageError
from bench.records.folder import read
from bench.records.schema import Engine, Speed
from tests.support.factories import ENVIRONMENT, make_failed, make_record
from tests.support.results import make_results, make_speed, slowed, write_results
from tests.support.speeds import QUIET, make_limits, make_workload

INFERENCE = make_speed(make_workload(direction="inference"))
CELL = "resnet18-paper-imagenet-cifar10-quick"


def compared(a, b, tmp_path, limits=(None, None)):
    """``a`` and ``b`` are lists of cells and speed records."""
    sides = []
    for name, items, limit in zip("ab", (a, b), limits, strict=True):
        cells = [each for each in items if hasattr(each, "cell")]
        workloads = [each for each in items if hasattr(each, "workload")]
        sides.append(make_results(tmp_path / name, cells, workloads, limit))
    return compare(*sides)


def verdicts(comparison):
    return {(each.name, each.quantity): each.verdict for each in comparison.findings}


def test_a_folder_beside_itself_is_the_same_in_everything(tmp_path):
    cells = [make_record(seed=seed) for seed in range(3)] + [make_record(34)]
    items = [make_speed(), INFERENCE, *cells]
    same = compared(items, items, tmp_path)
    found = verdicts(same)
    assert {word for (name, _), word in found.items() if "resnet34" not in name} == {"same"}
    # A single seed is a single round, and its accuracy is that of a single network.
    alone = [word for (name, _), word in found.items() if "resnet34" in name]
    assert alone == ["too noisy to tell"] * 4
    assert len(same.findings) == 2 + 2 * 3 + 2
    assert (same.conditions, same.left_out) == ([], [])


def test_workloads_are_paired_by_id_and_others_named(tmp_path):
    other = make_speed(make_workload(batch_size=64))
    found = compared([make_speed(), other], [slowed(make_speed(), 1.2), INFERENCE], tmp_path)
    work = make_speed().workload.id
    assert verdicts(found) == {(work, "training"): "slower"}
    assert found.left_out == [
        LeftOut(INFERENCE.workload.id, "only in B", "B"),
        LeftOut(other.workload.id, "only in A", "A"),
    ]
    faster = compared([slowed(make_speed(), 1.2)], [make_speed()], tmp_path)
    assert verdicts(faster) == {(work, "training"): "faster"}


def test_seeds_of_a_cell_are_one_group_and_its_rounds(tmp_path):
    a, b = ([make_record(seed=seed) for seed in range(n)] for n in (3, 2))
    found = compared(a, b, tmp_path)
    speed = next(each for each in found.findings if each.quantity == "training")
    assert speed.name == CELL
    assert (speed.baseline.count, speed.candidate.count) == (3, 2)
    assert found.left_out == [LeftOut(f"{CELL}, seeds", "2 completed in B, 3 in A", "A")]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"epochs": 5}, "recipe: epochs (4 against 5)"),
        ({"batch_size": 32}, "recipe: batch size (64 against 32)"),
        ({"images_per_epoch": 640}, "recipe: images per epoch (2560 against 640)"),
        (
            {"learning_rate": 0.5},
            "recipe: learning rate (0.001 against 0.5), schedule (0.001 after",
        ),
    ],
)
def test_cells_of_other_recipes_are_refused(tmp_path, changes, why):
    other = make_record(recipe=changes)
    found = compared([make_record(), make_speed()], [other, make_speed()], tmp_path)
    assert [each.name for each in found.left_out] == [CELL]
    assert found.left_out[0].why.startswith(why)
    assert len(found.findings) == 1


def test_other_costs_are_refused(tmp_path):
    smaller = make_speed(parameters=11_000_000)
    record = make_record()
    cell = record.model_copy(update={"cost": record.cost.model_copy(update={"macs": 5})})
    found = compared([make_speed(), INFERENCE, record], [smaller, INFERENCE, cell], tmp_path)
    assert [each.why for each in found.left_out] == [
        "parameters (11181642 against 11000000)",
        f"cost: macs ({record.cost.macs} against 5)",
    ]


def test_speeds_of_other_batches_are_refused_and_accuracies_compared(tmp_path):
    record = make_record()
    speed = record.speed.model_copy(update={"inference_batch_size": 2000})
    found = compared([record], [record.model_copy(update={"speed": speed})], tmp_path)
    assert found.left_out == [LeftOut(f"{CELL}, inference", "images at once (256 against 2000)")]
    assert {quantity for _, quantity in verdicts(found)} == {
        "training",
        "latency",
        "test accuracy",
    }


def test_times_that_are_none_are_refused(tmp_path):
    endless = make_speed(rounds=((0.1, 1e12),))
    record = make_record()
    speed = Speed(**(record.speed.model_dump() | {"latency_seconds": (1e-300,)}))
    broken = record.model_copy(update={"speed": speed})
    found = compared([make_speed(), record], [endless, broken], tmp_path)
    assert [each.why for each in found.left_out] == [
        "B holds a time that is none",
        "holds a time that is none",
    ]


def test_failures_are_named_with_their_reason(tmp_path):
    failed = make_speed(status="failed", reason="no\x1b[31m memory", rounds=())
    found = compared(
        [make_speed(), make_record(), INFERENCE], [failed, make_failed(), INFERENCE], tmp_path
    )
    assert [each.why for each in found.left_out] == [
        r"failed in B: 'no\x1b[31m memory'",
        "failed in B: out of memory",
    ]


def test_what_differs_besides_is_listed(tmp_path):
    newer = ENVIRONMENT.model_copy(update={"torch": "2.14.1", "threads": 1, "commit": None})
    engine = Engine(precision="float32", micro_batch_size=64)
    b = [make_record(environment=newer, engine=engine), make_speed(environment=newer)]
    found = compared([make_record(), make_speed()], b, tmp_path)
    assert found.conditions == [
        Condition("threads", "2", "1"),
        Condition("PyTorch", "2.9.0+cpu", "2.14.1"),
        Condition("commit", str(ENVIRONMENT.commit), "–"),
        Condition("precision of cells", "bfloat16", "float32"),
    ]


def test_limits_of_both_machines_stand_side_by_side(tmp_path):
    made = make_limits(
        product_seconds={"float32": (0.02, 0.021, 0.019)}, copy_bytes=2_000_000_000,
        copy_seconds=(0.2, 0.21, 0.19),
    )  # fmt: skip
    slower = made.model_copy(update={"copy_seconds": (0.4,), "product_seconds": {}})
    found = compared([INFERENCE], [INFERENCE], tmp_path, (made, slower))
    assert found.conditions == [Condition("memory copy, 10⁹ bytes/s", "10.0", "5.00")]
    found = compared([INFERENCE], [INFERENCE], tmp_path, (made, made))
    assert found.conditions[0] == Condition(
        "float32 matrix product, 10⁹ operations/s", "100", "100"
    )


def test_warnings_of_a_measurement_are_notes(tmp_path):
    warned = make_speed(conditions=QUIET.model_copy(update={"warnings": ("the GPU throttled",)}))
    found = compared([make_speed()], [warned], tmp_path)
    assert found.findings[0].notes == ("B: the GPU throttled",)


@pytest.mark.parametrize(
    ("a", "b", "text"),
    [
        (
            [make_speed()],
            [make_speed(make_workload(batch_size=64, precision="bfloat16")), INFERENCE],
            r"nothing like it in B; the nearest has direction \(training against inference\)",
        ),
        ([make_record()], [make_record(recipe={"epochs": 5})], r"epochs \(4 against 5\)"),
        ([make_record()], [make_record(34)], r"the nearest has model \(resnet18 against resnet34"),
        ([make_record()], [make_speed()], "one has cells alone, the other timed workloads alone"),
        ([make_record(depth) for depth in (18, 34, 50, 101)], [make_record(152)], "and 1 more"),
    ],
)
def test_nothing_alike_is_an_error_that_says_what_differs(tmp_path, a, b, text):
    with pytest.raises(UsageError, match=rf"nothing in .*a can be compared with .*b: .*{text}"):
        compared(a, b, tmp_path)


def test_a_candidate_without_records_is_an_error(tmp_path):
    with pytest.raises(UsageError, match=r"nothing can be compared: there is no record in .*b yet"):
        compared([make_speed()], [], tmp_path)


def test_folders_are_read_whole(tmp_path):
    write_results(tmp_path, [make_record()], [make_speed()], make_limits())
    (tmp_path / "speed" / "bad.json").write_text("{")
    results = read(tmp_path)
    assert (results.cells, results.workloads) == ([make_record()], [make_speed()])
    assert results.limits == make_limits()
    assert len(results.problems) == 1


def test_folders_without_anything_are_refused(tmp_path):
    with pytest.raises(UsageError, match="nowhere: there is no such folder"):
        read(tmp_path / "nowhere")
    with pytest.raises(UsageError, match=r"neither runs/ nor speed/ .*bench run --out"):
        read(tmp_path)
    (tmp_path / "speed").mkdir()
    (tmp_path / "speed" / "bad.json").write_text("{")
    with pytest.raises(UsageError, match=r"can be read: .*bad.json is not a valid speed record"):
        read(tmp_path)
