"""Networks image by image: McNemar's test, which pairs, what the page says of them."""

import numpy as np
import pytest
from scipy.stats import binomtest, chi2

from bench.analysis.paired import compare_pairs, compare_predictions
from bench.records import store
from bench.records.schema import Predictions
from tests.support.factories import make_failed, make_grid, make_record
from tests.support.pages import render, table_of, write_page
from tests.support.results import predictions

IMAGES = 400
LABELS = np.arange(IMAGES, dtype=np.uint8) % 10


def test_few_discordant_images_are_tested_exactly():
    compared = compare_predictions(*predictions(70, 3, 9, 18))
    assert (compared.only_baseline, compared.only_candidate) == (3, 9)
    assert compared.p == pytest.approx(binomtest(3, 12).pvalue)
    assert compared.points.value == pytest.approx(6)
    assert compared.points.interval.holds(6)


def test_many_discordant_images_are_tested_by_their_chi_square():
    compared = compare_predictions(*predictions(9000, 150, 250, 600))
    assert compared.p == pytest.approx(float(chi2.sf(99**2 / 400, 1)))
    assert compared.points.value == pytest.approx(1)
    assert not compared.points.interval.holds(0)


def test_the_same_predictions_do_not_differ():
    same, _ = predictions(5, 3, 0, 2)
    compared = compare_predictions(same, same)
    assert (compared.p, compared.points.value) == (1, 0)
    assert compared.points.interval.holds(0)


def test_intervals_hold_the_truth():
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(300):
        table = rng.multinomial(500, [0.7, 0.05, 0.1, 0.15])
        held += compare_predictions(*predictions(*table)).points.interval.holds(5)
    assert held >= 0.92 * 300


def test_what_cannot_be_paired_is_refused():
    a, b = predictions(5, 1, 1, 3)
    other = b.copy()
    other[1, 0] = 7
    with pytest.raises(ValueError, match="other images"):
        compare_predictions(a, other)
    with pytest.raises(ValueError, match="other images"):
        compare_predictions(a, b[:, 1:])
    with pytest.raises(ValueError, match=r"shape \(10,\) instead"):
        compare_predictions(a[0], b[0])
    with pytest.raises(ValueError, match=r"shape \(2, 0\)"):
        compare_predictions(a[:, :0], b[:, :0])


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
    return [(pair.baseline.cell.depth, pair.candidate.cell.depth) for pair in pairs]


def test_neighbouring_depths_of_each_data_set_are_compared():
    pairs = pairs_of(make_grid()[::-1], [200] * 10)
    assert depths(pairs) == [(18, 34), (34, 50), (50, 101), (101, 152)] * 2
    assert [pair.baseline.cell.dataset for pair in pairs] == ["cifar10"] * 4 + ["mnist"] * 4


def test_who_is_right_where_the_other_is_wrong():
    (pair,) = pairs_of([make_record(18), make_record(34)], [200, 240])
    assert (pair.found.only_baseline, pair.found.only_candidate) == (0, 40)
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
        {f"{pair.baseline.cell.model} {pair.baseline.cell.lineage} {pair.baseline.cell.stem}",
         f"{pair.candidate.cell.model} {pair.candidate.cell.lineage} {pair.candidate.cell.stem}"}
        for pair in pairs
    ] == [
        {"cifar_plain20 paper cifar", "cifar_resnet20 paper cifar"},
        {"resnet18 paper cifar", "resnet18 paper imagenet"},
        {"resnet18 paper cifar", "resnet18 torchvision cifar"},
    ]  # fmt: skip


def test_the_lowest_seed_stands_for_all():
    pairs = pairs_of(make_grid(seeds=3), [200] * 30)
    assert len(pairs) == 8
    assert {pair.baseline.cell.seed for pair in pairs} == {0}


def test_without_predictions_there_is_no_pair():
    records = [make_record(18), named(make_record(34)), make_failed(50)]
    assert compare_pairs(records, lambda _: None) == []
    assert compare_pairs([], lambda _: None) == []


def save(folder, record, correct):
    return store.save(folder / "runs", record, classes(correct))


def test_the_page_shows_them_and_names_a_damaged_file(tmp_path):
    save(tmp_path, make_record(18), 200)
    save(tmp_path, make_record(34), 240)
    damaged = save(tmp_path, make_record(50), 240)
    (damaged / store.PREDICTIONS_FILE).write_bytes(b"garbage")
    problems = write_page(tmp_path / "runs", tmp_path / "index.html")
    assert len(problems) == 1
    assert str(damaged) in problems[0]
    page = (tmp_path / "index.html").read_text()
    group, row = table_of(page, "Pairs of networks on the same images")
    assert group == ["CIFAR-10"]
    assert [cell.strip() for cell in row[:4]] == ["ResNet-18", "ResNet-34", "0", "40"]
    assert row[4].startswith("+10.00")
    assert row[-1] == "▲ better"
    assert 'id="pairs"' not in render([make_record(18)], [])
