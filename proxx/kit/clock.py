"""The time of day and the stopwatch: the one place where tests stop time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime


class _Source:
    def __init__(self) -> None:
        self.unix = time.time
        self.monotonic = time.monotonic


_source = _Source()


def now() -> datetime:
    """Return this moment as an aware UTC time."""
    return datetime.fromtimestamp(_source.unix(), UTC)


def unix() -> float:
    """Return this moment in seconds since 1970."""
    return _source.unix()


def monotonic() -> float:
    """Return seconds on a clock that never goes back; only differences mean something."""
    return _source.monotonic()


class Stopped:
    """A clock in a test's hand."""

    def __init__(self, unix: float, monotonic: float) -> None:
        self._unix, self._monotonic = unix, monotonic

    def unix(self) -> float:
        """Return the stopped time of day."""
        return self._unix

    def monotonic(self) -> float:
        """Return the stopped stopwatch."""
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let that many seconds pass at once."""
        self._unix += seconds
        self._monotonic += seconds


@contextmanager
def stopped(at: datetime | None = None) -> Iterator[Stopped]:
    """Stop time for a `with` block; it moves only by `advance`."""
    before = (_source.unix, _source.monotonic)
    clock = Stopped(at.timestamp() if at else time.time(), time.monotonic())
    _source.unix, _source.monotonic = clock.unix, clock.monotonic
    try:
        yield clock
    finally:
        _source.unix, _source.monotonic = before
