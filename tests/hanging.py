"""A guard for what must not run away: it stops what has taken a minute of the processor, however busy the machine."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class RanAwayError(AssertionError):
    """It took a minute, where it takes far less than a second or for ever."""


def _stop(number: int, frame: FrameType | None) -> None:
    raise RanAwayError("this has taken a minute of the processor")


@contextmanager
def not_for_ever() -> Iterator[None]:
    """Raise RanAwayError in the block once it has taken a minute of the processor."""
    before = signal.signal(signal.SIGVTALRM, _stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, 60)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
