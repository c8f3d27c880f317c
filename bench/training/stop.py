"""Stopping a run from outside: the step ends, a checkpoint is written, then the run does."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class StopRequest:
    """What SIGINT and SIGTERM ask for.

    Outside of ``deferred`` a signal raises KeyboardInterrupt where the program stands. Inside, the
    first one only sets ``wanted``, so that weights and optimizer are never left between two steps;
    a second one does not wait.
    """

    def __init__(self) -> None:
        self.wanted = False
        self._deferred = False

    def install(self) -> None:
        """Handle SIGINT and SIGTERM of this process from now on."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.handle)

    def handle(self, _number: int, _frame: FrameType | None) -> None:
        """One signal arrives."""
        if self._deferred and not self.wanted:
            self.wanted = True
        else:
            raise KeyboardInterrupt

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """What runs in here ends by itself soon after ``wanted`` is set."""
        self._deferred = True
        try:
            yield
        finally:
            self._deferred = False
