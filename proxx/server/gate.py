"""Back-pressure for what Daphne sends through Twisted: a push producer that the sender waits at."""

import asyncio
from typing import Any

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer


@implementer(IPushProducer)
class Gate:
    """Closed by the transport while too much is unsent, opened again when all of it has left."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._open = asyncio.Event()
        self._open.set()
        self._written = self._sent = 0
        self._moved = 0.0

    @property
    def closed(self) -> bool:
        """Tell whether senders have to wait."""
        return not self._open.is_set()

    async def passed(self) -> None:
        """Wait until the client has read what is unsent, or has gone."""
        await self._open.wait()

    def count(self, size: int) -> None:
        """Remember how much was written in all."""
        self._written += size

    def unread_for(self, now: float) -> float:
        """Return for how long the client has taken nothing of what is unsent."""
        unsent = self._unsent()
        if not unsent or self._written - unsent != self._sent:
            self._sent, self._moved = self._written - unsent, now
        return now - self._moved

    def pauseProducing(self) -> None:
        """Too much is unsent."""
        self._open.clear()

    def resumeProducing(self) -> None:
        """Everything has left."""
        self._open.set()

    def stopProducing(self) -> None:
        """Nobody reads any more: whoever waits may see for himself."""
        self._open.set()

    def _unsent(self) -> int:
        transport = self._transport
        waiting = len(transport.dataBuffer) - transport.offset
        return int(waiting + sum(map(len, transport._tempDataBuffer)))
