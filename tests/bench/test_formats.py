"""Numbers and times as people read them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from bench import formats


@pytest.mark.parametrize(
    ("value", "text"),
    [(1234.5, "1,234.50"), (-0.5, "−0.50"), (None, "–"), (float("nan"), "–"),
     (float("inf"), "∞"), (float("-inf"), "−∞")],
)  # fmt: skip
def test_number(value, text):
    assert formats.number(value) == text


def test_other_formats():
    assert [formats.listed(x) for x in ("a", "aba", "abc")] == ["a", "a and b", "a, b and c"]
    assert formats.number(3, 1, signed=True) == "+3.0"
    assert [formats.significant(x) for x in (2282.4, 559.1, 9.876, 0.01234, 0, None)] == [
        "2,282", "559", "9.88", "0.0123", "0", "–",
    ]  # fmt: skip
    assert [formats.size(x) for x in (700 * 2**20, 1536 * 2**20, None)] == [
        "700 MiB", "1.50 GiB", "–",
    ]  # fmt: skip
    assert [formats.duration(x) for x in (4.25, 59.99, 200, 3720)] == [
        "4.2 s", "1 min 00 s", "3 min 20 s", "1 h 02 min",
    ]  # fmt: skip


def test_period_is_in_utc_and_names_a_shared_date_once():
    noon = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
    later = datetime(2026, 1, 2, 14, 30, tzinfo=timezone(timedelta(hours=1)))
    assert formats.period(noon, later) == "2026-01-02 12:00 – 13:30 UTC"
    assert formats.period(noon, noon + timedelta(days=1)) == (
        "2026-01-02 12:00 – 2026-01-03 12:00 UTC"
    )
