"""What a call cost, line by line: each bucket with the rate that was taken for it. The sum is pricing.py's, which
rounds once; tests compare the two.
"""

from dataclasses import dataclass

from proxx.protocols.hub.events import Usage
from routing.buckets import Buckets
from routing.pricing import MILLION, Price

# Buckets, what people call them, and the rates that count for them: the first that is known.
TOKENS = (
    ("fresh", "Fresh input", ("input",)),
    ("cache_read", "Read from the cache", ("cache_read", "input")),
    ("cache_write", "Written to the cache", ("cache_write", "input")),
    ("cache_write_1h", "Written to the cache for an hour", ("cache_write_1h", "cache_write", "input")),
    ("audio_in", "Audio in", ("audio_in", "input")),
    ("image_in", "Pictures in", ("image_in", "input")),
    ("text", "Output", ("output",)),
    ("reasoning", "Reasoning", ("reasoning", "output")),
    ("audio_out", "Audio out", ("audio_out", "output")),
    ("image_out", "Pictures out", ("image_out", "output")),
)


@dataclass(frozen=True, slots=True)
class PriceLine:
    """One line: how many of what, at which rate (nano-dollars per million tokens, or for each piece; None is not
    known), and what that comes to in millionths of a nano-dollar."""

    name: str
    count: int
    rate: int | None
    amount: int | None
    is_pieces: bool = False


def lines(usage: Usage, price: Price, sorted_in: Buckets) -> list[PriceLine]:
    """Return the lines of a call that was priced by this."""
    rates = price.at(sorted_in.total_in, usage.tier) if price.tiers else price
    made = max(0, usage.pictures or 0)
    drawn = made and rates.image is not None and not (sorted_in.image_out and rates.image_out is not None)
    found = []
    for bucket, name, wanted in TOKENS:
        count = getattr(sorted_in, bucket)
        if count and not (bucket == "image_out" and drawn):
            rate = next((known for one in wanted if (known := getattr(rates, one)) is not None), None)
            found.append(PriceLine(name, count, rate, None if rate is None else count * rate))
    pieces = [("Pictures made", made if drawn else 0, rates.image), ("The call itself", 1, rates.request)]
    pieces.append(("Web searches", max(0, usage.web_searches or 0), rates.search))
    found += [
        PriceLine(name, count, rate, count * rate * MILLION, is_pieces=True)
        for name, count, rate in pieces
        if count and rate
    ]
    return found
