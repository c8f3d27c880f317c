"""Accuracies of two folders: over seeds, of single runs, image by image."""

import numpy as np
import pytest

from bench import stats
from bench.compare import accuracy
from bench.compare.finding import Finding, judge
from bench.compare.pairing import LeftOut
from bench.records import store
from tests.support.factories import make_failed
from tests.support.results import cells, predictions, stored, with_correct


def runs(tmp_path):
    return tmp_path / "a" / "runs", tmp_path / "b" / "runs"


def find(a, b, tmp_path):
    found = accuracy.accuracy_finding("cell", a, b, runs(tmp_path))
    assert isinstance(found, Finding), found
    return found


@pytest.mark.parametrize("shared", [True, False])
def test_several_seeds_are_compared_in_pairs_where_they_are_shared(shared, tmp_path):
    others = cells(9200, 9250, 9240) if shared else cells(9999, 9200, 9250, 9240)[1:]
    found = find(cells(9000, 9050, 9020), others, tmp_path)
    if shared:
        expected = stats.mean([2.0, 2.0, 2.2])
        assert found.test == "paired t"
    else:
        expected = stats.difference([92.0, 92.5, 92.4], [90.0, 90.5, 90.2])
        assert found.test == "Welch"
    assert (found.baseline.count, found.candidate.count) == (3, 3)
    assert found.effect == pytest.approx(expected.value)
    assert found.interval.low == pytest.approx(expected.interval.low)
    assert found.notes == ()
    assert judge([found])[0].verdict == "better"


def test_equal_seeds_have_no_certainty(tmp_path):
    found = find(cells(9000, 9000), cells(9000, 9000), tmp_path)
    assert found.effect == pytest.approx(0)
    assert found.p == pytest.approx(1)
    assert found.visible > 0
    assert judge([found])[0].verdict == "same"


def test_single_seeds_are_compared_by_their_counts_and_told_apart(tmp_path):
    found = find(cells(9000), cells(8800), tmp_path)
    assert found.test == "Fisher"
    assert found.effect == pytest.approx(-2)
    assert not found.interval.holds(0)
    assert found.notes == (accuracy.ONE_SEED,)
    assert judge([found])[0].verdict == "worse"
    assert judge([find(cells(9000), cells(8990), tmp_path)])[0].verdict == "same"


@pytest.mark.parametrize("correct", [0, 10_000])
def test_all_wrong_and_all_right_are_no_error(tmp_path, correct):
    found = find(cells(correct), cells(correct), tmp_path)
    assert (found.effect, found.p) == (0, 1)


def test_one_seed_is_compared_with_the_same_of_several(tmp_path):
    found = find(cells(9000, seeds=[2]), cells(8000, 8100, 9010), tmp_path)
    assert (found.baseline.value, found.candidate.value) == pytest.approx((90, 90.1))
    assert found.notes == (accuracy.ONE_SEED,)


def test_predictions_are_compared_image_by_image(tmp_path):
    ours, theirs = predictions(9000, 20, 60, 920)
    a = stored(tmp_path / "a", cells(9020), ours)
    b = stored(tmp_path / "b", cells(9060), theirs)
    found = find(a, b, tmp_path)
    assert found.test == "McNemar"
    assert judge([found])[0].verdict == "better"
    other = stored(tmp_path / "b", cells(9060), theirs[:, ::-1] + 1)
    refused = accuracy.accuracy_finding("cell", a, other, runs(tmp_path))
    assert isinstance(refused, LeftOut)
    assert "other images" in refused.why
    (tmp_path / "b" / "runs" / b[0].cell.id / store.PREDICTIONS_FILE).write_bytes(b"garbage")
    damaged = accuracy.accuracy_finding("cell", a, other, runs(tmp_path))
    assert isinstance(damaged, LeftOut)
    assert "predictions.npy" in damaged.why


def test_other_test_images_are_refused(tmp_path):
    refused = accuracy.accuracy_finding(
        "cell", cells(900), cells(90, images=1000), (tmp_path, tmp_path)
    )
    assert refused == LeftOut("cell, test accuracy", "test images (1,000 against 10,000)")


def test_seeds_that_lie_apart_are_too_noisy_to_tell(tmp_path):
    found = find(cells(8500, 9000, 9500), cells(8300, 8900, 9500), tmp_path)
    assert found.visible > accuracy.SAME
    assert judge([found])[0].verdict == "too noisy to tell"


def test_failed_seeds_are_told(tmp_path):
    found = find([*cells(9000, 9010), make_failed()], cells(9000, 9020), tmp_path)
    assert found.notes == ("A: 1 of 3 seeds failed",)


def test_seldom_better_or_worse_where_nothing_differs(tmp_path):
    """Holm's method over ten cells: one comparison in twenty may hold a wrong verdict."""
    rng = np.random.default_rng(0)
    base = cells(0, 0, 0)
    wrong = 0
    for _ in range(40):
        drawn = rng.normal(9000, 20, (10, 2, 3)).astype(int)
        sides = [[map(with_correct, base, counts) for counts in pair] for pair in drawn]
        found = [find(list(a), list(b), tmp_path) for a, b in sides]
        wrong += any(each.verdict in ("better", "worse") for each in judge(found))
    assert wrong <= 5
