"""How many unknown keys may be tried: per address and altogether, in a bounded amount of memory.

Only look-ups that reached the store count: a token of the wrong shape, a remembered key and a token refused a
moment ago cost nothing and are not limited here.
"""

import ipaddress
import threading

from proxx.kit import clock

# Per address: thirty at once, then one every two seconds. A mistyped key in a busy client stays below that,
# because the same wrong key is asked for only once in five seconds.
ADDRESS_BURST, ADDRESS_EVERY = 30, 2.0
# Altogether: what one look-up thread can bear without delaying honest strangers.
TOTAL_BURST, TOTAL_EVERY = 600, 0.02
ADDRESSES_REMEMBERED = 10_000
# Sums of seconds are not exact: less than this is no wait.
ROUNDING = 0.001


class Guesses:
    """Counts failures by when their debt is paid off: one number for each address."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._paid_at: dict[str, float] = {}
        self._total_paid_at = 0.0

    def wait(self, address: str) -> float:
        """Return how many seconds this address must wait before its next unknown key; 0 if it may try now."""
        now = clock.monotonic()
        wait = self._total_paid_at - now - (TOTAL_BURST - 1) * TOTAL_EVERY
        if address:
            own = self._paid_at.get(_network(address), now) - now - (ADDRESS_BURST - 1) * ADDRESS_EVERY
            wait = max(wait, own)
        return wait if wait > ROUNDING else 0.0

    def failed(self, address: str) -> None:
        """Count one unknown key."""
        now = clock.monotonic()
        with self._lock:
            self._total_paid_at = max(self._total_paid_at, now) + TOTAL_EVERY
            if not address:
                return
            network = _network(address)
            paid_at = max(self._paid_at.pop(network, now), now) + ADDRESS_EVERY
            if len(self._paid_at) >= ADDRESSES_REMEMBERED:
                # The dictionary is in order of the last failure: the first entry has been quiet for longest.
                del self._paid_at[next(iter(self._paid_at))]
            self._paid_at[network] = paid_at

    def __len__(self) -> int:
        return len(self._paid_at)


def _network(address: str) -> str:
    # One IPv6 subscriber holds at least a /64: counting single addresses would count nothing.
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False))
