"""Keep-alive comments for a stream whose upstream thinks for long: one timer per stream, re-armed only when it
fires."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Heart:
    """Sends a stream's pieces, and a comment whenever none was sent for `interval` seconds (0: never)."""

    __slots__ = ("_beat", "_beating", "_interval", "_last", "_loop", "_send", "_sending", "_timer")

    def __init__(self, send: Send, beat: bytes, interval: float) -> None:
        self._send, self._beat, self._interval = send, beat, interval
        self._loop = asyncio.get_running_loop()
        self._last = self._loop.time()
        self._sending = False
        self._beating: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        if beat and interval:
            self._timer = self._loop.call_later(interval, self._check)

    async def send_all(self, pieces: AsyncIterator[bytes]) -> None:
        """Send piece after piece, as they come."""
        send, time = self._send, self._loop.time
        async for piece in pieces:
            if self._beating is not None:
                await self._quiet()
            self._sending = True  # a slow reader may hold us here: no comment behind a piece that waits
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            self._sending = False
            self._last = time()

    async def send(self, piece: bytes) -> None:
        """Send one piece that stands outside the stream."""
        if self._beating is not None:
            await self._quiet()
        self._sending = True
        await self._send({"type": "http.response.body", "body": piece, "more_body": True})
        self._sending = False

    def stop(self) -> None:
        """No further comments."""
        if self._timer is not None:
            self._timer.cancel()
        if self._beating is not None:
            self._beating.cancel()

    async def _quiet(self) -> None:
        """Let a comment on its way go first, so that the two never mix."""
        if self._beating is not None:
            await self._beating
            self._beating = None

    def _check(self) -> None:
        quiet = self._loop.time() - self._last
        if quiet >= self._interval and self._beating is None and not self._sending:
            self._beating = self._loop.create_task(self._comment(), name="heartbeat")
            quiet = 0.0
        self._timer = self._loop.call_later(max(self._interval - quiet, 0.01), self._check)

    async def _comment(self) -> None:
        await self._send({"type": "http.response.body", "body": self._beat, "more_body": True})
        self._last = self._loop.time()
        self._beating = None
