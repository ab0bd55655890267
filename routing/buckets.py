"""The tokens of one reply, sorted into buckets that do not overlap: what is priced, recorded and summed.

What providers report overlaps (cached tokens are part of the input, reasoning of the output), and sometimes
contradicts itself. Here each token is in one bucket, none is below zero, and the buckets of a side add up to its total.
"""

import msgspec

from proxx.protocols.hub.events import Usage

# What no call has: a report with more is a fault, even where each of its numbers could be a count.
LARGEST_SIDE = 50_000_000
MOST_SEARCHES = 10_000


class Buckets(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Tokens by what they are paid as. The first six add up to the input, the other four to the output.

    It is written to the journal as an array, so a new bucket goes last.
    """

    fresh: int = 0
    cache_read: int = 0
    cache_write: int = 0  # for the usual time, or nobody says how long
    cache_write_1h: int = 0
    audio_in: int = 0
    image_in: int = 0
    text: int = 0
    reasoning: int = 0
    audio_out: int = 0
    image_out: int = 0

    @property
    def total_in(self) -> int:
        """All of the input."""
        return self.fresh + self.cache_read + self.cache_write + self.cache_write_1h + self.audio_in + self.image_in

    @property
    def total_out(self) -> int:
        """All of the output."""
        return self.text + self.reasoning + self.audio_out + self.image_out


def of(usage: Usage) -> Buckets:
    """Sort a reply's tokens; a share that is larger than what is left of its total is cut to that."""
    # Nearly all shares are absent: this runs for every call, and each that is there costs as much as all the rest.
    left = max(0, usage.input_total or 0)
    read = write = hour = audio = image = 0
    if usage.cache_read:
        left -= (read := _share(usage.cache_read, left))
    if usage.cache_write:
        left -= (write := _share(usage.cache_write, left))
        hour = _share(usage.cache_write_1h, write)
    if usage.audio_in:  # sound that was read from the cache is in the bucket of what was read there
        left -= (audio := _share(usage.audio_in - (usage.audio_cached or 0), left))
    if usage.image_in:
        left -= (image := _share(usage.image_in, left))
    rest = max(0, usage.output_total or 0)
    thought = sound = drawn = 0
    if usage.reasoning:
        rest -= (thought := _share(usage.reasoning, rest))
    if usage.audio_out:
        rest -= (sound := _share(usage.audio_out, rest))
    if usage.image_out:
        rest -= (drawn := _share(usage.image_out, rest))
    return Buckets(left, read, write - hour, hour, audio, image, rest, thought, sound, drawn)


def doubt(usage: Usage) -> str:
    """Say in a few words why a report cannot be believed; nothing if it can.

    Shares that contradict their total are no reason: the total is believed, and `of` cuts them.
    """
    if usage.doubtful:
        return "a count is below zero or absurd"
    if not 0 <= (usage.input_total or 0) <= LARGEST_SIDE or not 0 <= (usage.output_total or 0) <= LARGEST_SIDE:
        return "more tokens than any call can have"
    return "more searches than any call can make" if (usage.web_searches or 0) > MOST_SEARCHES else ""


def _share(part: int | None, whole: int) -> int:
    return max(0, min(part, whole)) if part else 0
