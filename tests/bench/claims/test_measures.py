"""Figures that claims are about, taken from records whose epochs and signals are known."""

import numpy as np
import pytest

from bench.claims.measures import LUCK, MEASURES
from bench.records.schema import Signals
from tests.support.factories import make_record

IMAGES = 50_000


def figure(name, record):
    found = MEASURES[name].of(record)
    return found and found.value


def record_of(correct, images=IMAGES):
    """A record with an epoch for each number of right answers during training."""
    record = make_record()
    first = record.epochs[0].model_copy(update={"train_images": images, "test_images": images})
    epochs = tuple(
        first.model_copy(update={"epoch": number, "train_correct": int(each)})
        for number, each in enumerate(correct, start=1)
    )
    return record.model_copy(update={"epochs": epochs})


def signals(moment, gradients, responses=(0.4, 0.6)):
    return Signals(
        moment=moment,
        images=8,
        layers=("conv1", "conv2"),
        response_std=responses,
        weight_gradient_norm=(1.0, 1.0),
        blocks=tuple(f"layer1.{n}" for n in range(len(gradients))),
        input_gradient_norm=gradients,
    )


# --- Better than chance ---------------------------------------------------------------------------


def test_a_guesser_seldom_begins_to_learn():
    """Of ten classes, 20 epochs each: an error below 90 % comes in the first or second of them."""
    guesses = np.random.default_rng(0).binomial(IMAGES, 0.1, size=(300, 20))
    found = [figure("epochs_to_learn", record_of(each)) for each in guesses]
    passed = sum(value <= 20 for value in found)
    assert passed <= 2 * 300 * 20 * LUCK


@pytest.mark.parametrize(
    ("images", "most_by_luck"),
    # Of the binomial distribution: P(X > 5,208) = 0.000997 and P(X > 24) = 0.00085.
    [(50_000, 5_208), (128, 24)],
)
def test_learning_begins_where_luck_ends(images, most_by_luck):
    assert figure("epochs_to_learn", record_of([most_by_luck], images)) == 2
    assert figure("epochs_to_learn", record_of([most_by_luck + 1], images)) == 1
    assert figure("epochs_to_learn", record_of([0, 0, images], images)) == 3


# --- Whole trainings ------------------------------------------------------------------------------


def test_mean_training_errors_are_over_all_epochs_and_over_the_first_tenth():
    errors = [80, 60, *[10] * 18]
    record = record_of([IMAGES * (100 - error) / 100 for error in errors])
    assert figure("mean_train_error", record) == pytest.approx(sum(errors) / 20)
    assert figure("early_train_error", record) == pytest.approx(70)
    assert figure("train_error", record) == pytest.approx(10)
    short = record_of([IMAGES / 2, IMAGES])
    assert figure("early_train_error", short) == pytest.approx(50)


# --- Signals --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gradients", "drift"), [((100.0, 10, 2, 1), 2), ((1.0, 1, 1, 10), -1), ((1.0, 9, 9, 1), 0)]
)
def test_a_gradient_that_grows_towards_the_input_has_a_positive_drift(gradients, drift):
    record = make_record(signals=(signals("initial", gradients), signals("final", gradients[::-1])))
    assert figure("gradient_drift_initial", record) == pytest.approx(drift)
    assert figure("gradient_drift_final", record) == pytest.approx(-drift)
    for moment in ("initial", "final"):
        assert figure(f"gradient_change_{moment}", record) == pytest.approx(abs(drift))


def test_the_weakest_response_is_that_of_one_layer():
    record = make_record(
        signals=(signals("initial", (1.0, 1)), signals("final", (1.0, 1), responses=(0.003, 0.6)))
    )
    assert figure("weakest_response_initial", record) == 0.4
    assert figure("weakest_response_final", record) == 0.003


def test_there_is_no_figure_without_signals_or_of_gradients_that_are_zero():
    names = [name for name in MEASURES if name.startswith(("gradient", "weakest", "response"))]
    assert len(names) == 7
    assert {figure(name, make_record()) for name in names} == {None}
    vanished = make_record(signals=(signals("final", (0.0, 1.0)),))
    assert figure("gradient_drift_final", vanished) is None
    assert figure("gradient_change_final", vanished) is None
