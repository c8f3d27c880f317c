"""What is derived from speed records: by hand, and never rounded."""

import math

import numpy as np
import pytest

from bench.analysis.roofline import whole, work_of
from bench.analysis.speed import best_batches, contradictions, limits_line, notes, summarize
from bench.cli.speed import show
from tests.support.speeds import QUIET, make_limits, make_speed_record, make_split, make_workload


def row_of(record, limits=None):
    (row,) = summarize([record], limits).to_dict("records")
    return row


def make_failed(**changes):
    return make_speed_record(
        status="failed", reason="out of memory: 4 GB", rounds=(), peak_memory=None, **changes
    )


def test_rates_and_latencies_are_quantiles_of_all_samples():
    row = row_of(make_speed_record())
    samples = np.array([0.1, 0.12, 0.11, 0.14])
    assert row["images_per_second"] == 32 / np.median(samples)
    assert row["images_per_second_q1"] == 32 / np.quantile(samples, 0.75)
    assert row["images_per_second_q3"] == 32 / np.quantile(samples, 0.25)
    for share in (50, 95, 99):
        assert row[f"latency_p{share}_ms"] == 1000 * np.quantile(samples, share / 100)
    assert (row["samples"], row["rounds"]) == (4, 2)
    assert row["round_spread"] == pytest.approx((0.125 - 0.11) / 0.115)
    assert (row["model"], row["depth"], row["batch_size"]) == ("resnet18", 18, 32)


def test_the_limit_is_compared_layer_by_layer_with_the_weights_as_one_more():
    record, limits = make_speed_record(), make_limits()
    row, parts = row_of(record, limits), work_of(record.workload)
    least = sum(max(each.operations / 2e11, each.moved_bytes / 2e10) for each in parts)
    assert row["limit_seconds"] == pytest.approx(least)
    assert row["limit_share"] == pytest.approx(least / 0.115)
    assert row["operations_per_second"] == pytest.approx(whole(parts).operations / 0.115)
    assert row["attainable_per_second"] == min(2e11, row["intensity"] * 2e10)


def test_shares_of_a_step_are_those_of_the_medians_and_energy_is_that_of_the_images():
    row = row_of(make_speed_record(split=make_split(), energy_joules=256.0))
    shares = [row[f"{phase}_share"] for phase in ("data", "forward", "backward", "optimizer")]
    assert shares == pytest.approx([0.1, 0.3, 0.5, 0.1])
    assert row["joules_per_image"] == 256 / (4 * 32)


@pytest.mark.parametrize("column", ["limit_share", "forward_share", "joules_per_image"])
def test_what_was_not_measured_is_missing_and_rates_are_not(column):
    row = row_of(make_speed_record())
    assert math.isnan(row[column])
    assert row["operations_per_second"] > 0


def test_a_failure_keeps_its_row_and_reason():
    row = row_of(make_failed(), make_limits())
    assert (row["status"], row["reason"], row["samples"]) == ("failed", "out of memory: 4 GB", 0)
    for column in ("images_per_second", "latency_p99_ms", "limit_share", "peak_memory_bytes"):
        assert math.isnan(row[column])


def test_the_best_batch_of_each_kind_has_the_highest_median():
    def point(batch_size, seconds, **changes):
        workload = make_workload(batch_size=batch_size, **changes)
        return make_speed_record(workload, rounds=((seconds,),))

    records = [
        point(8, 0.1), point(16, 0.15), point(32, 0.31),
        point(8, 0.1, direction="inference"), point(16, 0.3, direction="inference"),
        make_failed(workload=make_workload(batch_size=64)),
    ]  # fmt: skip
    best = best_batches(summarize(records, None))
    found = dict(zip(best["direction"], best["batch_size"], strict=True))
    assert found == {"training": 16, "inference": 8}


def test_a_rate_above_the_machines_limit_is_a_contradiction():
    workload = make_workload()
    operations = whole(work_of(workload)).operations
    at_limit = operations / 2e11
    honest = make_speed_record(workload, rounds=((1.01 * at_limit,),))
    impossible = make_speed_record(workload, rounds=((0.99 * at_limit,),))
    assert contradictions([honest, make_failed()], make_limits()) == []
    assert contradictions([impossible], None) == []
    (text,) = contradictions([impossible], make_limits())
    assert text.startswith(f"{workload.id} does 202 GFLOP/s, more than")
    assert "(200)" in text


def test_notes_name_each_warning_once_and_each_failure():
    noisy = QUIET.model_copy(update={"warnings": ("the machine was busy.",)})
    records = [make_speed_record(conditions=noisy), make_speed_record(conditions=noisy)]
    lines = notes([*records, make_failed()], make_limits())
    assert lines == [
        f"failed: {make_workload().id}: out of memory: 4 GB",
        "warning (2 of 3 workloads): the machine was busy.",
    ]


def test_the_table_shows_every_record_and_the_limits(capsys):
    records = [make_speed_record(split=make_split()), make_failed()]
    show(records, make_limits(), sweep=True)
    text = capsys.readouterr().out
    assert text.count("resnet18") == 4  # table, best batch, and the failure twice
    assert "278" in text  # images/s
    assert "10%, 30%, 50%, 10%" in text
    assert "The batch size with the highest throughput" in text
    assert limits_line(make_limits()) in text
    assert "200 GFLOP/s in float32, 400 GFLOP/s in bfloat16" in text
