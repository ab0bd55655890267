"""Many callers at once against a running proxx, each on its own connection; what each saw is kept."""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field

HEAD = (
    "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n"
    "authorization: Bearer {token}\r\ncontent-type: application/json\r\n"
)


@dataclass(slots=True)
class Seen:
    """One call that ended: its id, status, and when its last byte was here (monotonic)."""

    call_id: str
    status: int
    ended: float
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Load:
    """Callers in a loop until told to stop or the server is gone."""

    port: int
    token: str
    models: tuple[str, ...] = ("sim-say",)
    seen: list[Seen] = field(default_factory=list)
    broken: int = 0
    stopping: bool = False
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    async def reached(self, count: int) -> None:
        """Wait until that many calls have ended."""
        while len(self.seen) < count:
            self._more.clear()
            await self._more.wait()

    async def run(self, callers: int, until: Callable[[], bool] = lambda: False) -> None:
        """Call until `until` or `stopping`; a caller whose connection breaks counts it and ends."""
        await asyncio.gather(*(self._caller(number, until) for number in range(callers)))

    async def _caller(self, number: int, until: Callable[[], bool]) -> None:
        turn = number
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            self.broken += 1
            return
        try:
            while not self.stopping and not until():
                turn += 1
                await self._call(reader, writer, self.models[turn % len(self.models)], stream=bool(turn % 2))
        except (OSError, asyncio.IncompleteReadError, ValueError):
            self.broken += 1
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _call(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, model: str, *, stream: bool
    ) -> None:
        message = {"model": model, "stream": stream, "messages": [{"role": "user", "content": "hi"}]}
        body = json.dumps(message).encode()
        writer.write(HEAD.format(token=self.token).encode() + b"content-length: %d\r\n\r\n" % len(body) + body)
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        if "content-length" in headers:
            await reader.readexactly(int(headers["content-length"]))
        else:
            while size := int((await reader.readline()).strip() or b"x", 16):
                await reader.readexactly(size + 2)
            await reader.readline()
        status = int(head[0].split()[1])
        self.seen.append(Seen(headers.get("x-request-id", ""), status, time.monotonic(), headers))
        self._more.set()
