"""Absurd but valid numbers in records cost a figure or a section at most: there is a page."""

import json
import math
import random
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from bench.records import store
from bench.records.schema import Record
from bench.report import page as report
from tests.support.factories import make_record, make_signals, make_with_clean
from tests.support.tools import parsed, text_of

pytestmark = pytest.mark.heavy

ABSURD: tuple[Any, ...] = (
    1e308, -1e308, 5e-324, 1e-300, 1e17, 0, 1, -1, 2**31, 2**63, 10**30, 10**400,
    math.nan, math.inf, -math.inf,
)  # fmt: skip


def base(depth: int = 18, **changes: Any) -> Record:
    record = make_with_clean(make_record(depth, **changes))
    return record.model_copy(update={"signals": make_signals(record)})


def number_fields(content: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Places of all numbers in a record as it is stored."""
    if isinstance(content, dict | list):
        places = content.items() if isinstance(content, dict) else enumerate(content)
        for name, value in places:
            yield from number_fields(value, (*path, name))
    elif isinstance(content, int | float) and not isinstance(content, bool):
        yield path


def fields_of(content: dict[str, Any]) -> dict[tuple[str, ...], list[tuple[Any, ...]]]:
    """Those places by the field that they belong to, whatever its place in a list."""
    fields: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
    for path in number_fields(content):
        fields.setdefault(tuple(name for name in path if isinstance(name, str)), []).append(path)
    return fields


def altered(record: Record, paths: list[tuple[Any, ...]], value: Any) -> Record | None:
    """``record`` with ``value`` at ``paths``; None where that is no valid record."""
    content = record.model_dump(mode="json")
    for *parents, name in paths:
        place: Any = content
        for parent in parents:
            place = place[parent]
        place[name] = value
    try:
        return Record.model_validate_json(json.dumps(content))
    except ValidationError:
        return None


def draw(folder, records: list[Record]) -> tuple[str, list[str]]:
    for record in records:
        store.save(folder / "runs", record)
    left_out = report.write(folder / "runs", folder / "index.html")
    page = (folder / "index.html").read_text("utf-8")
    parsed(page)
    assert page.rstrip().endswith("</html>")
    for why in left_out:
        assert " could not be drawn from these records (" in why
        assert f"{why}." in text_of(page)
    return page, left_out


def absurd_records(record: Record, chance: random.Random, *, each: int) -> Iterator[Record]:
    """Valid records, for every number field some, with absurd numbers at one place or at all."""
    for paths in fields_of(record.model_dump(mode="json")).values():
        tried = chance.sample(ABSURD, len(ABSURD))
        valid = (
            found
            for value in tried
            if (found := altered(record, chance.choice(([chance.choice(paths)], paths)), value))
        )
        yield from (found for found, _ in zip(valid, range(each), strict=False))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (("signals", "input_gradient_norm"), 1e308),
        (("signals", "response_std"), 1e308),
        (("epochs", "train_seconds"), 1e308),
        (("epochs", "train_images"), 2**53 - 1),
        (("epochs", "test_loss"), 1e308),
        (("speed", "train_step_seconds"), 5e-324),
        (("speed", "latency_seconds"), 1e308),
    ],
)
def test_a_number_that_once_ended_in_a_traceback_costs_nothing_else(tmp_path, field, value):
    record = base()
    odd = altered(record, fields_of(record.model_dump(mode="json"))[field], value)
    assert odd is not None
    page, left_out = draw(tmp_path, [odd, base(50)])
    assert left_out == []
    assert '<p class="failed">' not in page


@pytest.mark.parametrize(
    "field", [("epochs", "test_images"), ("cost", "macs"), ("recipe", "batch_size")]
)
def test_a_count_that_no_float_holds_is_damage(field):
    record = base()
    paths = fields_of(record.model_dump(mode="json"))[field]
    assert altered(record, paths, 2**53) is None
    assert altered(record, paths, 2**53 - 1) is not None


def test_a_page_for_records_with_absurd_numbers_in_every_field(tmp_path):
    """One field each, a dozen records to a page."""
    chance = random.Random(19)
    found = list(absurd_records(base(), chance, each=1))
    assert len(found) > 25
    for number in range(0, len(found), 12):
        seeded = [
            record.model_copy(update={"cell": record.cell.model_copy(update={"seed": seed})})
            for seed, record in enumerate(found[number : number + 12])
        ]
        draw(tmp_path / str(number), [*seeded, base(50)])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_a_page_for_each_record_with_an_absurd_number(tmp_path, seed):
    chance = random.Random(seed)
    for number, record in enumerate(absurd_records(base(), chance, each=2)):
        page, left_out = draw(tmp_path / str(number), [record, base(50)])
        assert all(why in text_of(page) for why in left_out)
