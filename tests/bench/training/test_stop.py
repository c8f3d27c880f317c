"""Signals wait for the end of a step, and not for longer."""

import os
import signal

import pytest

from bench.training.stop import StopRequest


@pytest.fixture
def stop():
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    request = StopRequest()
    request.install()
    yield request
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_outside_of_training_a_signal_stops_at_once(stop, number):
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), number)


def test_within_training_the_first_signal_waits_and_the_second_does_not(stop):
    with stop.deferred():
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wanted
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_after_training_signals_stop_at_once_again(stop):
    with stop.deferred():
        pass
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
    assert not stop.wanted
