"""Wait for something to become true, looking again and again, with a deadline."""

import time
from collections.abc import Callable

LOOK_EVERY = 0.05


def until(holds: Callable[[], bool], *, seconds: float) -> float:
    """Return how long it took; raise AssertionError if it did not become true in time."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, f"still not so after {seconds} s"
        time.sleep(LOOK_EVERY)
    return time.monotonic() - began
