"""Networks image by image: which pairs, what is said of them, and what it needs."""

from hashlib import sha256

import numpy as np
import pytest

from bench.analysis.paired import compare_pairs
from bench.records import store
from bench.records.predictions import encode
from bench.records.schema import Predictions
from bench.report import page as report
from tests.support.factories import make_failed, make_grid, make_record
from tests.support.pages import render, table_of

IMAGES = 400
LABELS = np.arange(IMAGES, dtype=np.uint8) % 10


def classes(correct):
    """The first ``correct`` images are right, the others wrong: (2, IMAGES)."""
    predicted = np.where(np.arange(IMAGES) < correct, LABELS, (LABELS + 1) % 10)
    return np.stack([predicted.astype(np.uint8), LABELS])


def named(record):
    return record.model_copy(update={"predictions": Predictions(images=IMAGES, sha256="0" * 64)})


def pairs_of(records, correct):
    """Pairs of ``records``, whose networks are right on so many images."""
    known = {record.cell.id: classes(right) for record, right in zip(records, correct, strict=True)}
    return compare_pairs([named(r) for r in records], lambda record: known[record.cell.id])


def depths(pairs):
    return [(pair.first.cell.depth, pair.second.cell.depth) for pair in pairs]


def test_neighbouring_depths_of_each_data_set_are_compared():
    pairs = pairs_of(make_grid()[::-1], [200] * 10)
    assert depths(pairs) == [(18, 34), (34, 50), (50, 101), (101, 152)] * 2
    assert [pair.first.cell.dataset for pair in pairs] == ["cifar10"] * 4 + ["mnist"] * 4


def test_who_is_right_where_the_other_is_wrong():
    (pair,) = pairs_of([make_record(18), make_record(34)], [200, 240])
    assert (pair.found.only_a, pair.found.only_b) == (0, 40)
    assert pair.found.points.value == pytest.approx(10)
    assert pair.p_holm < 1e-6


def test_p_values_are_adjusted_for_all_pairs():
    records = [make_record(depth) for depth in (18, 34, 50, 101)]
    pairs = pairs_of(records, [200, 208, 208, 208])
    assert pairs[0].p_holm == pytest.approx(3 * pairs[0].found.p)
    assert [pair.p_holm for pair in pairs[1:]] == [1, 1]


def test_cells_of_one_depth_that_differ_in_one_thing_are_compared():
    records = [
        make_record(18),
        make_record(18, stem="cifar"),
        make_record(18, lineage="torchvision", stem="cifar"),
        make_record(20, network="cifar_resnet"),
        make_record(20, network="cifar_plain"),
        make_record(18, "mnist"),
    ]
    pairs = pairs_of(records, [200] * 6)
    assert [
        {f"{pair.first.cell.model} {pair.first.cell.lineage} {pair.first.cell.stem}",
         f"{pair.second.cell.model} {pair.second.cell.lineage} {pair.second.cell.stem}"}
        for pair in pairs
    ] == [
        {"cifar_plain20 paper cifar", "cifar_resnet20 paper cifar"},
        {"resnet18 paper cifar", "resnet18 paper imagenet"},
        {"resnet18 paper cifar", "resnet18 torchvision cifar"},
    ]  # fmt: skip


def test_the_lowest_seed_stands_for_all():
    pairs = pairs_of(make_grid(seeds=3), [200] * 30)
    assert len(pairs) == 8
    assert {pair.first.cell.seed for pair in pairs} == {0}


def test_without_predictions_there_is_no_pair():
    records = [make_record(18), named(make_record(34)), make_failed(50)]
    assert compare_pairs(records, lambda _: None) == []
    assert compare_pairs([], lambda _: None) == []


def save(folder, record, correct):
    content = encode(*classes(correct))
    predictions = Predictions(images=IMAGES, sha256=sha256(content).hexdigest())
    record = record.model_copy(update={"predictions": predictions})
    return store.save(folder / "runs", record, content)


def test_the_page_shows_them_and_names_a_damaged_file(tmp_path):
    save(tmp_path, make_record(18), 200)
    save(tmp_path, make_record(34), 240)
    damaged = save(tmp_path, make_record(50), 240)
    (damaged / store.PREDICTIONS_FILE).write_bytes(b"garbage")
    problems = report.write(tmp_path / "runs", tmp_path / "index.html")
    assert len(problems) == 1
    assert str(damaged) in problems[0]
    page = (tmp_path / "index.html").read_text()
    group, row = table_of(page, "Pairs of networks on the same images")
    assert group == ["CIFAR-10"]
    assert row[0].strip() == "ResNet-18"
    assert row[1].strip() == "ResNet-34"
    assert row[2:4] == ["0", "40"]
    assert row[4].startswith("+10.00")
    assert row[-1] == "▲ better"
    assert 'id="pairs"' not in render([make_record(18)], [])
