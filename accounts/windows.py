"""What one process counts for limits: a sliding minute, and a budget's window as this process knows it."""

from collections import deque
from math import floor

SLIDE = 61  # seconds that a count stays: buckets are a second wide, and none may leave before its minute is over


class Bucket:
    """What was counted within one second. `live` ends when the minute has passed it."""

    __slots__ = ("amount", "live", "second")

    def __init__(self, second: int, amount: int) -> None:
        self.second, self.amount, self.live = second, amount, True


class Minute:
    """A count over the last sixty seconds. Moments are readings of the stopwatch."""

    __slots__ = ("_buckets", "total")

    def __init__(self) -> None:
        self._buckets: deque[Bucket] = deque()
        self.total = 0

    def slide(self, now: float) -> None:
        """Forget what is older than a minute."""
        while self._buckets and self._buckets[0].second + SLIDE <= now:
            gone = self._buckets.popleft()
            gone.live = False
            self.total -= gone.amount

    def add(self, amount: int, now: float) -> Bucket:
        """Count an amount; what it turns out to be is told to `correct`."""
        second = floor(now)
        if not self._buckets or self._buckets[-1].second != second:
            self._buckets.append(Bucket(second, 0))
        self._buckets[-1].amount += amount
        self.total += amount
        return self._buckets[-1]

    def correct(self, bucket: Bucket, by: int) -> None:
        """Change what was counted in a bucket, unless it is forgotten."""
        if bucket.live:
            bucket.amount += by
            self.total += by

    def room_in(self, amount: int, cap: int, now: float) -> float:
        """Return in how many seconds there is room for an amount, if nothing else comes."""
        left = self.total
        for bucket in self._buckets:
            left -= bucket.amount
            if left + amount <= cap:
                return bucket.second + SLIDE - now
        return 0.0 if amount <= cap else float(SLIDE)

    def empty_in(self, now: float) -> float:
        """Return in how many seconds all of it is forgotten."""
        return self._buckets[-1].second + SLIDE - now if self._buckets else 0.0


class Window:
    """A budget's window: what the ledger says it has `spent`, and all that is `used`: that, what this process settled
    that the ledger may not say yet, and what its running calls hold."""

    __slots__ = ("spent", "used")

    def __init__(self) -> None:
        self.spent = self.used = 0

    def heard(self, spent: int) -> None:
        """Take the ledger's word; it only grows, so an older word that comes late changes nothing."""
        if spent > self.spent:
            self.used += spent - self.spent
            self.spent = spent
