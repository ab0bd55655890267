"""Few and cheap garbage collections, short turns for other threads (design.md section 9)."""

import gc
import sys


def calm_down() -> None:
    """Once all is loaded: set what is there aside for good, and collect rarely from now on.

    Until then Python collects as usual: a start without it takes a tenth less, and leaves a heap so scattered that each
    request costs 5 to 9 % more (measured with benchmarks.versus).
    """
    sys.setswitchinterval(0.0005)
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
