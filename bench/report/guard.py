"""What fails of a page is a note in its place: the one place where any error is caught.

Records hold what people and machines wrote. An absurd but valid number in one of them must cost a
figure or a section, and not the page.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, TypeVar

from resnet_models.text import readable

T = TypeVar("T")

_failures: Final[ContextVar[list[str] | None]] = ContextVar("failures", default=None)


@contextmanager
def collecting() -> Iterator[list[str]]:
    """Within it what fails in ``attempt`` is listed, a sentence each, and nothing is raised."""
    failures: list[str] = []
    token = _failures.set(failures)
    try:
        yield failures
    finally:
        _failures.reset(token)


def attempt(what: str, make: Callable[[], T], instead: Callable[[str], T]) -> T:
    """What ``make`` gives, or ``instead`` of a sentence that says what failed and why.

    Outside of ``collecting`` its errors are raised.

    Args:
        what: it is, to start the sentence.
    """
    try:
        return make()
    except Exception as error:
        failures = _failures.get()
        if failures is None:
            raise
        why = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        sentence = f"{what} could not be drawn from these records ({readable(why, 200)})"
        failures.append(sentence)
        return instead(sentence)
