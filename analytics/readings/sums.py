"""Sums as numbers that people ask for: rates, means, shares. All are None where there is nothing to divide by."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

NANO = 1_000_000_000


@dataclass(slots=True)
class Sums:
    """What UsageRollup sums, of any stretch of time and any part of the traffic. Times are milliseconds, money is whole
    nano-dollars; `cost_nano` holds what is priced, and `unpriced` counts the calls that it lacks."""

    requests: int = 0
    ok: int = 0
    errors: int = 0
    cancelled: int = 0
    refused: int = 0
    attempts: int = 0
    retried: int = 0
    streams: int = 0
    input_tokens: int = 0
    fresh_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_1h_tokens: int = 0
    audio_in_tokens: int = 0
    image_in_tokens: int = 0
    output_tokens: int = 0
    text_tokens: int = 0
    reasoning_tokens: int = 0
    audio_out_tokens: int = 0
    image_out_tokens: int = 0
    pictures: int = 0
    server_tools: int = 0
    cost_nano: int = 0
    unpriced: int = 0
    estimated: int = 0
    cache_hits: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    duration_ms: int = 0
    first_event_ms: int = 0
    first_event_count: int = 0
    output_ms: int = 0
    streamed_tokens: int = 0

    def add(self, more: "Mapping[str, int | None] | Sums", names: "Iterable[str] | None" = None) -> "Sums":
        """Take in other sums, or those of them that a mapping has; `names` narrows to some."""
        for name in names or NAMES:
            value = getattr(more, name) if isinstance(more, Sums) else more.get(name)
            if value:
                setattr(self, name, getattr(self, name) + int(value))
        return self

    @property
    def tokens(self) -> int:
        """All tokens, in and out."""
        return self.input_tokens + self.output_tokens

    @property
    def error_rate(self) -> float | None:
        """The share of failures (0..1) among calls that had an outcome of their own: refused and left ones have not."""
        return _share(self.errors, self.ok + self.errors)

    @property
    def success_rate(self) -> float | None:
        """The other share of it."""
        return _share(self.ok, self.ok + self.errors)

    @property
    def cache_hit_rate(self) -> float | None:
        """The share of answered calls (0..1) of which the provider had read some input before."""
        return _share(self.cache_hits, self.ok + self.cancelled)

    @property
    def cache_share(self) -> float | None:
        """The share of input tokens (0..1) that were read from a provider's cache."""
        return _share(self.cache_read_tokens, self.input_tokens)

    @property
    def ttft_ms(self) -> float | None:
        """The mean time to the first event, in milliseconds; a whole answer's first event is its last."""
        return _share(self.first_event_ms, self.first_event_count)

    @property
    def mean_ms(self) -> float | None:
        """The mean duration of a call, in milliseconds."""
        return _share(self.duration_ms, self.requests)

    @property
    def tps(self) -> float | None:
        """Tokens a second of streams, from their first event to their last."""
        rate = _share(self.streamed_tokens, self.output_ms)
        return None if not rate else rate * 1000

    @property
    def whole_tps(self) -> float | None:
        """Tokens out a second of all calls, by their whole duration."""
        rate = _share(self.output_tokens, self.duration_ms)
        return None if not rate else rate * 1000

    @property
    def retried_rate(self) -> float | None:
        """The share of calls (0..1) that took more than one attempt."""
        return _share(self.retried, self.requests)

    @property
    def cost(self) -> float | None:
        """Dollars; None if something was used and nothing of it has a price."""
        return None if self.unpriced and not self.cost_nano else self.cost_nano / NANO


NAMES = tuple(Sums.__dataclass_fields__)


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None


def change(now: float | None, before: float | None) -> float | None:
    """Return by what share something grew (0.25: a quarter more); None without anything to compare with."""
    if now is None or before is None or before == 0:
        return None
    return (now - before) / before
