"""A whole answer told as a stream, word by word with pauses between, for clients that show words as they come.

Only where a provider answered whole although a stream was asked for, and only if the call's profile wishes it.
"""

import asyncio
import random
import re
from collections.abc import AsyncIterator, Sequence

import msgspec

from proxx.protocols.hub.errors import ErrorFacts
from proxx.protocols.hub.events import Event, ReasoningDelta, SummaryDelta, TextDelta
from proxx.protocols.hub.reply import Reply, unfold
from proxx.protocols.spec import Seen
from proxx.protocols.translation import StreamTranslation

_WORD = re.compile(r"\s*\S+\s*|\s+")


class PacedWatch:
    """Tells the next few events each time it is fed; what it is fed with says only that it is time."""

    def __init__(self, telling: StreamTranslation, reply: Reply) -> None:
        self.seen: Seen = telling.seen
        self._telling = telling
        self._groups = iter(groups(unfold(reply)))

    def feed(self, piece: bytes) -> bytes:
        """Return the bytes of the next word."""
        return self._telling.tell(next(self._groups, ()))

    def close(self) -> bytes:
        """Return everything that is left."""
        return b"".join(self._telling.tell(group) for group in self._groups)

    def fail(self, facts: ErrorFacts) -> bytes:
        """End the client's stream with an error."""
        return self._telling.fail(facts)


def groups(events: Sequence[Event]) -> list[list[Event]]:
    """Return the events in groups that each say one word; what says nothing goes with the word before or after it."""
    found: list[list[Event]] = [[]]
    for event in events:
        if not isinstance(event, TextDelta | ReasoningDelta | SummaryDelta):
            found[-1].append(event)
            continue
        for word in _WORD.findall(event.text):
            if any(isinstance(one, TextDelta | ReasoningDelta | SummaryDelta) for one in found[-1]):
                found.append([])
            found[-1].append(msgspec.structs.replace(event, text=word))
    return found


async def ticks(delay: tuple[float, float]) -> AsyncIterator[bytes]:
    """Say when it is time for the next word, for ever: after a pause between these seconds."""
    while True:
        await asyncio.sleep(random.uniform(*delay))  # noqa: S311 - a rhythm, protects nothing
        yield b"."
