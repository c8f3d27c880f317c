"""The file of the benchmarks as a DataFrame: what is derived, what is refused."""

import math
import re

import pytest

from bench.records import blocks
from tests.support.block_files import BOTTLENECK, content, timing, write


def times_of(tmp_path, file):
    write(tmp_path, file)
    times, problems = blocks.find(tmp_path)
    assert problems == []
    return times


def frame_of(tmp_path, *benchmarks):
    return times_of(tmp_path, content(*benchmarks)).frame


def test_a_row_has_what_was_measured_and_what_follows(tmp_path):
    frame = frame_of(tmp_path)
    row = frame.iloc[0]
    assert (row["block"], row["input_shape"]) == ("basic", (128, 28, 28))
    assert (row["median"], row["rounds"]) == (0.08, 7)
    assert row["image_microseconds"] == pytest.approx(10_000)  # 80 ms for 8 images
    assert (row["image_low"], row["image_high"]) == pytest.approx((9_000, 11_000))
    assert row["gmacs_per_second"] == pytest.approx(23.1)  # 231e6 in 10 ms
    # Forward and backward takes three times the time: it counts as three passes.
    assert frame["gmacs_per_second"][2] == pytest.approx(23.1)


def test_shares_are_those_of_the_stage_and_direction(tmp_path):
    frame = frame_of(tmp_path)
    assert list(frame["macs_share"]) == pytest.approx([0.75, 0.25, 1, 1])
    assert list(frame["time_share"]) == pytest.approx([0.5, 0.5, 1, 1])
    assert list(frame["relative_time_per_mac"]) == pytest.approx([1, 3, 1, 1])
    # Per image, whatever the batch.
    frame = frame_of(tmp_path, timing(0.08), timing(0.32, **BOTTLENECK, batch_size=32))
    assert list(frame["time_share"]) == pytest.approx([0.5, 0.5])


def test_a_later_format_with_more_in_it_is_read(tmp_path):
    newer = timing(0.08, surprise=1)
    newer["stats"] |= {"p99": 0.2}
    file = content(newer, version="99.0", new_section={"a": 1})
    del file["commit_info"]
    times = times_of(tmp_path, file)
    assert len(times.frame) == 1
    assert times.machine.torch == "2.9.0+cpu"
    assert times.measured_at.year == 2026


def with_stats(**stats):
    """None: without this one."""
    each = timing(0.08)
    each["stats"] |= stats
    each["stats"] = {name: value for name, value in each["stats"].items() if value is not None}
    return content(each)


@pytest.mark.parametrize(
    ("file", "why"),
    [
        ("", "EOF"),
        ('{"benchmarks": [', "EOF"),
        ("\x00", "expected value"),
        ("[1, 2]", "should be an object"),
        ("{}", "machine_info: Field required"),
        ("[" * 100_000, "recursion limit"),
        (content() | {"benchmarks": []}, "benchmarks: Tuple should have at least 1 item"),
        (content({"name": "other", "stats": {}, "extra_info": {}}), "extra_info.stage"),
        (content() | {"machine_info": {"node": "host"}}, "machine_info.device"),
        (content() | {"datetime": "2026-01-02T03:04:05"}, "datetime: .*timezone"),
        (with_stats(q1=None), "stats.q1: Field required"),
        (with_stats(median=0), "median: .*greater than 0"),
        (with_stats(median=math.nan), "median: .*finite"),
        (with_stats(q3=math.inf), "q3: .*finite"),
        (with_stats(rounds=0), "rounds: .*greater than 0"),
        (with_stats(q1=0.2), "does not lie between the quartiles"),
        (content(timing(0.1, macs=0)), "macs: .*greater than 0"),
        (content(timing(0.1, batch_size=-8)), "batch_size: .*greater than 0"),
        (content(timing(0.1, direction="backward")), "direction: .*'forward'"),
        (content(timing(0.1, shortcut="Z")), "shortcut: "),
    ],
)
def test_what_is_not_such_a_file_is_refused_in_words(tmp_path, file, why):
    path = write(tmp_path, file)
    times, (message,) = blocks.find(tmp_path)
    assert times is None
    assert re.search(why, message)
    assert message.startswith(f"{path} does not hold the timings of blocks and networks: ")
    assert message.endswith(f"Make it anew: pytest --benchmark-only --benchmark-json {path}")


def test_what_cannot_be_read_is_refused(tmp_path):
    path = write(tmp_path, "")
    path.write_bytes(b"\xff\xfe\x00{")
    assert "does not hold the timings" in blocks.find(tmp_path)[1][0]
    path.unlink()
    path.mkdir()
    times, (problem,) = blocks.find(tmp_path)
    assert times is None
    assert re.match("cannot read .*directory", problem)


def test_it_is_found_where_the_documents_say_and_may_be_absent(tmp_path):
    assert blocks.find(tmp_path) == (None, [])
    assert len(times_of(tmp_path, content()).frame) == 4
